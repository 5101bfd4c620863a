"""SQL for trials, their criteria and their sites. Returns documents and plain values, never rows."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, exists, false, func, insert, literal, literal_column, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.model.trial import Slots, Trial
from services.registry.trials.model import ListedTrial, Search, StoredSite, StoredTrial
from services.registry.trials.problems import IdentifierTakenError
from services.registry.trials.tables import (
    criteria_versions,
    sites,
    trial_facets,
    trial_identifiers,
    trial_versions,
    trials,
)
from shared.access.policy import Rows
from shared.feed.changes import read_routing, write_routing
from shared.vocabulary.text import fold


class TrialRepository:
    """Trials in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

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

    async def page(self, search: Search, rows: Rows, after: tuple[bool, str] | None, limit: int) -> list[ListedTrial]:
        """Return a page of a list: real trials before demonstration trials, each in the order of their public ids.

        ``after``: the place (demonstration, public id) of the last trial of the page before.
        """
        found: list[ListedTrial] = []
        for demo in (False, True):
            if len(found) < limit and (after is None or demo >= after[0]) and (search.demo or not demo):
                start = after[1] if after is not None and after[0] == demo else None
                found += await self._page(search, rows, demo, start, limit - len(found))
        return found

    async def _page(self, search: Search, rows: Rows, demo: bool, after: str | None, limit: int) -> list[ListedTrial]:
        statement = (
            _searched(_visible(select(trials.c.public_id, trials.c.document), rows), search)
            .where(trials.c.demo.is_(demo))
            .order_by(trials.c.public_id)
            .limit(limit)
        )
        if after is not None:
            statement = statement.where(trials.c.public_id > after)
        return [ListedTrial(demo, row.public_id, row.document) for row in await self.connection.execute(statement)]

    async def has_condition(self, codes: Iterable[str]) -> bool:
        """Return whether any trial has one of these condition codes, or a descendant of it."""
        statement = select(literal(value=True)).where(
            exists().where(trial_facets.c.name == "condition", trial_facets.c.value.in_(sorted(codes)))
        )
        return (await self.connection.execute(statement)).first() is not None

    async def count(self, search: Search, rows: Rows) -> int:
        statement = _searched(_visible(select(func.count(literal_column("1"))).select_from(trials), rows), search)
        return int((await self.connection.execute(statement)).scalar_one())

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
        values = {
            "public_id": trial.id,
            "version": trial.version,
            "published": trial.published,
            "demo": trial.sample == "demo",
            "status": trial.status,
            "curated": stored.curated,
            "search": search,
            "document": trial.model_dump_json(),
            "side": json.dumps(write_routing(stored.routing)),
        }
        if replaces is None:
            await self.connection.execute(insert(trials).values(key=stored.key, **values))
        else:
            written = await self.connection.execute(
                update(trials).where(trials.c.key == stored.key, trials.c.version == replaces).values(**values)
            )
            if written.rowcount != 1:
                return False
            await self.connection.execute(delete(trial_identifiers).where(trial_identifiers.c.trial_key == stored.key))
            await self.connection.execute(delete(trial_facets).where(trial_facets.c.trial_key == stored.key))
        await self.connection.execute(
            insert(trial_identifiers),
            [{"type": one.type, "value": one.value, "trial_key": stored.key} for one in trial.identifiers],
        )
        facets = [
            {"trial_key": stored.key, "name": name, "value": value}
            for name, values in stored.routing.facets.items()
            for value in sorted(values)
        ]
        facets += [{"trial_key": stored.key, "name": "country", "value": country} for country in trial.countries]
        if facets:
            await self.connection.execute(insert(trial_facets), facets)
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


def _searched(statement: Select[Any], search: Search) -> Select[Any]:
    words = fold(search.words).split()
    if search.words.strip() and not words:
        # Punctuation alone matches nothing.
        statement = statement.where(false())
    for word in words[:12]:
        statement = statement.where(trials.c.search.contains(" " + word, autoescape=True))
    if search.status:
        statement = statement.where(trials.c.status == search.status)
    if not search.demo:
        statement = statement.where(trials.c.demo.is_(False))
    wanted = {"condition": search.condition, "country": {search.country} - {None}, "centre": {search.centre} - {None}}
    for name, values in wanted.items():
        if values:
            having = select(trial_facets.c.trial_key).where(
                trial_facets.c.name == name, trial_facets.c.value.in_(sorted(values))
            )
            statement = statement.where(trials.c.key.in_(having))
    return statement


def _stored(row: Any) -> StoredTrial:
    return StoredTrial(
        row.key, Trial.model_validate_json(row.document), read_routing(json.loads(row.side)), row.curated
    )
