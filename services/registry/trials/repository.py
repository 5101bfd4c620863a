"""SQL for trials, their criteria and their sites. Returns documents and plain values, never rows."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.model.site import Slots
from services.registry.model.trial import Trial
from services.registry.search.model import SearchQuery, indexed_terms
from services.registry.search.repository import SearchRepository
from services.registry.trials.model import StoredSite, StoredTrial
from services.registry.trials.problems import IdentifierTakenError
from services.registry.trials.tables import (
    criteria_versions,
    sites,
    trial_identifiers,
    trial_versions,
    trials,
)
from shared.access.policy import Rows
from shared.feed.changes import read_routing, write_routing

INDEXED_AT_ONCE = 500
# Numbers of demonstration trials begin here, so that they come last in every list.
FIRST_DEMO = 1_000_000_000
# Two transactions that create trials take turns, or both would take the same number.
_NUMBERING_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('cleio trial numbers', 0))")


class TrialRepository:
    """Trials in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.index = SearchRepository(connection)

    async def find(self, identifier: str, rows: Rows = "all") -> StoredTrial | None:
        """Return a trial by any of its public identifiers, if ``rows`` lets the caller see it."""
        keys = select(trial_identifiers.c.trial_key).where(trial_identifiers.c.value == identifier).distinct()
        found = (
            await self.connection.execute(_visible(select(trials), rows).where(trials.c.key.in_(keys)).limit(2))
        ).all()
        # Two sponsors may use the same code: it then identifies no trial.
        return _stored(found[0]) if len(found) == 1 else None

    async def owners(self, identifiers: Sequence[tuple[str, str]]) -> set[str]:
        """Return the keys of the trials that have one of these (type, value) identifiers."""
        rows = await self.connection.execute(
            select(trial_identifiers.c.type, trial_identifiers.c.value, trial_identifiers.c.trial_key).where(
                trial_identifiers.c.value.in_([value for _, value in identifiers])
            )
        )
        return {row.trial_key for row in rows if (row.type, row.value) in set(identifiers)}

    async def get(self, key: str) -> StoredTrial:
        return _stored((await self.connection.execute(select(trials).where(trials.c.key == key))).one())

    async def page(self, query: SearchQuery, rows: Rows, after: int, limit: int) -> list[tuple[int, str]]:
        """Return (number, document) of matching trials with numbers above ``after``, in their order."""
        if not query.is_plain or query.never:
            return await self.index.page(query, published_only=rows != "all", after=after, limit=limit)
        statement = PLAIN_PAGE[rows != "all", query.demo]
        found = await self.connection.execute(statement, {"after": after, "limit": limit})
        return [(row.number, row.document) for row in found]

    async def has_condition(self, codes: Iterable[str], rows: Rows) -> bool:
        """Return whether a trial that ``rows`` shows has one of these condition codes, or a descendant of it."""
        return await self.index.count(SearchQuery(condition=frozenset(codes)), published_only=rows != "all") > 0

    async def count(self, query: SearchQuery, rows: Rows) -> int:
        """Return how many trials match."""
        if not query.is_plain or query.never:
            return await self.index.count(query, published_only=rows != "all")
        return int((await self.connection.execute(PLAIN_COUNT[rows != "all", query.demo])).scalar_one())

    async def after(self, public_id: str, rows: Rows, limit: int, *, demo: bool) -> list[StoredTrial]:
        """Return the next trials in the order of their ids."""
        statement = (
            _visible(select(trials), rows)
            .where(trials.c.public_id > public_id)
            .order_by(trials.c.public_id)
            .limit(limit)
        )
        if not demo:
            statement = statement.where(trials.c.demo.is_(False))
        return [_stored(row) for row in await self.connection.execute(statement)]

    async def save(self, stored: StoredTrial, search: str, changed: Sequence[str], replaces: int | None) -> bool:
        """Write a version. Return False if another writer came first.

        ``replaces``: the version it was made from (None: a new trial).

        :raises IdentifierTakenError: 409, another transaction took one of its identifiers meanwhile.
        """
        try:
            return await self._save(stored, search, changed, replaces)
        except IntegrityError:
            raise IdentifierTakenError from None

    async def _save(self, stored: StoredTrial, search: str, changed: Sequence[str], replaces: int | None) -> bool:
        trial = stored.trial
        demo = trial.sample == "demo"
        values = {
            "public_id": trial.id,
            "version": trial.version,
            "published": trial.published,
            "demo": demo,
            "status": trial.status,
            "curated": stored.curated,
            "search": search,
            "document": trial.model_dump_json(),
            "side": json.dumps(write_routing(stored.routing)),
        }
        if replaces is None:
            number = await self._next_number(demo=demo)
            await self.connection.execute(insert(trials).values(key=stored.key, number=number, **values))
        else:
            statement = update(trials).where(trials.c.key == stored.key, trials.c.version == replaces).values(**values)
            written = (await self.connection.execute(statement.returning(trials.c.number))).scalar_one_or_none()
            if written is None:
                return False
            number = written
            await self.connection.execute(delete(trial_identifiers).where(trial_identifiers.c.trial_key == stored.key))
        await self.connection.execute(
            insert(trial_identifiers),
            [{"type": one.type, "value": one.value, "trial_key": stored.key} for one in trial.identifiers],
        )
        await self._write_index(number, search, stored)
        await self.connection.execute(
            insert(trial_versions).values(
                trial_key=stored.key,
                version=trial.version,
                at=trial.updated_at,
                changed=json.dumps(list(changed)),
                document=values["document"],
            )
        )
        return True

    async def _next_number(self, *, demo: bool) -> int:
        """Return the number after the greatest of its kind. Trials are never deleted, so no number is used twice."""
        if self.connection.dialect.name == "postgresql":
            await self.connection.execute(_NUMBERING_LOCK)
        within = trials.c.number >= FIRST_DEMO if demo else trials.c.number < FIRST_DEMO
        greatest = (await self.connection.execute(select(func.max(trials.c.number)).where(within))).scalar_one()
        return (FIRST_DEMO if demo else 0) + 1 if greatest is None else int(greatest) + 1

    async def rebuild_index(self) -> int:
        """Index every trial anew where the index lacks some, as after a copy into another database; return how many."""
        stored = (await self.connection.execute(select(func.count()).select_from(trials))).scalar_one()
        if await self.index.size() == stored:
            return 0
        count, after = 0, 0
        while rows := await self._after_number(after):
            for row in rows:
                await self._write_index(row.number, row.search, _stored(row))
            count, after = count + len(rows), rows[-1].number
        return count

    async def write_words(self, words_of: Callable[[Trial], str], after: int) -> tuple[int, int]:
        """Write the search words of the next trials anew, where they differ.

        :param words_of: returns the words of a trial.
        :param after: the number of the last trial that was looked at; 0 at the beginning.
        :return: how many were written, and the new ``after``; 0 at the end.
        """
        rows, count = await self._after_number(after), 0
        for row in rows:
            stored = _stored(row)
            words = words_of(stored.trial)
            if words != row.search:
                await self.connection.execute(update(trials).where(trials.c.key == row.key).values(search=words))
                await self._write_index(row.number, words, stored)
                count += 1
        return count, rows[-1].number if rows else 0

    async def _after_number(self, number: int) -> Sequence[Any]:
        statement = select(trials).where(trials.c.number > number).order_by(trials.c.number).limit(INDEXED_AT_ONCE)
        return (await self.connection.execute(statement)).all()

    async def _write_index(self, number: int, words: str, stored: StoredTrial) -> None:
        await self.index.put(number, indexed_terms(words, _facets(stored)), published=stored.trial.published)

    async def history(self, key: str, before: int | None, limit: int) -> list[dict[str, Any]]:
        """Return versions as ``{version, at, changed, trial}``, newest first."""
        statement = (
            select(trial_versions)
            .where(trial_versions.c.trial_key == key)
            .order_by(trial_versions.c.version.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(trial_versions.c.version < before)
        return [
            {
                "version": row.version,
                "at": row.at,
                "changed": json.loads(row.changed),
                "trial": json.loads(row.document),
            }
            for row in await self.connection.execute(statement)
        ]

    async def criteria(self, key: str, version: int | None = None) -> str | None:
        """Return a criteria document as JSON text: the given version, or the newest."""
        statement = select(criteria_versions.c.document).where(criteria_versions.c.trial_key == key)
        if version is not None:
            statement = statement.where(criteria_versions.c.version == version)
        found = (
            await self.connection.execute(statement.order_by(criteria_versions.c.version.desc()).limit(1))
        ).scalar_one_or_none()
        return None if found is None else str(found)

    async def add_criteria(self, key: str, version: int, grade: str, at: datetime, document: str) -> None:
        """Write a new version. Versions never change."""
        await self.connection.execute(
            insert(criteria_versions).values(trial_key=key, version=version, grade=grade, at=at, document=document)
        )

    async def sites(self, key: str) -> list[StoredSite]:
        rows = await self.connection.execute(select(sites).where(sites.c.trial_key == key).order_by(sites.c.centre))
        return [
            StoredSite(
                row.centre,
                row.version,
                row.status,
                row.confirmed_at,
                tuple(Slots(**slots) for slots in json.loads(row.slots)),
            )
            for row in rows
        ]

    async def save_site(self, key: str, site: StoredSite, replaces: int | None) -> bool:
        """Write a site; ``replaces`` as in `save`."""
        values = {
            "version": site.version,
            "status": site.status,
            "confirmed_at": site.confirmed_at,
            "slots": json.dumps([one.model_dump() for one in site.slots]),
        }
        if replaces is None:
            await self.connection.execute(insert(sites).values(trial_key=key, centre=site.centre, **values))
            return True
        written = await self.connection.execute(
            update(sites)
            .where(sites.c.trial_key == key, sites.c.centre == site.centre, sites.c.version == replaces)
            .values(**values)
        )
        return bool(written.rowcount == 1)

    async def remove_site(self, key: str, centre: str) -> None:
        await self.connection.execute(delete(sites).where(sites.c.trial_key == key, sites.c.centre == centre))


def _visible(statement: Select[Any], rows: Rows) -> Select[Any]:
    return statement if rows == "all" else statement.where(trials.c.published.is_(True))


def _facets(stored: StoredTrial) -> dict[str, Iterable[str]]:
    """Return what a trial is filtered by: routing facets, countries, status, and whether it is a demonstration."""
    return {
        **stored.routing.facets,
        "country": stored.trial.countries,
        "status": [stored.trial.status],
        "demo": ["yes"] if stored.trial.sample == "demo" else [],
    }


def _plain(statement: Select[Any], *, published: bool, demo: bool) -> Select[Any]:
    statement = statement.where(trials.c.published.is_(True)) if published else statement
    return statement if demo else statement.where(trials.c.demo.is_(False))


# Built once: SQLAlchemy then finds the compiled statement without comparing it.
PLAIN_PAGE = {
    (published, demo): _plain(select(trials.c.number, trials.c.document), published=published, demo=demo)
    .where(trials.c.number > bindparam("after"))
    .order_by(trials.c.number)
    .limit(bindparam("limit"))
    for published in (True, False)
    for demo in (True, False)
}
PLAIN_COUNT = {
    (published, demo): _plain(select(func.count()).select_from(trials), published=published, demo=demo)
    for published in (True, False)
    for demo in (True, False)
}


def _stored(row: Any) -> StoredTrial:
    return StoredTrial(
        row.key, Trial.model_validate_json(row.document), read_routing(json.loads(row.side)), row.curated
    )
