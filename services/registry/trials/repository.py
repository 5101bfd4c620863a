"""SQL for trials, their criteria and their sites. Returns documents and plain values, never rows."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, case, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.model.aliases import aliases_of
from services.registry.model.trial import ScopeAnswer, Trial
from services.registry.trials.model import Head, StoredSite, StoredTrial
from services.registry.trials.problems import IdentifierTakenError
from services.registry.trials.tables import (
    criteria_versions,
    sites,
    trial_aliases,
    trial_versions,
    trials,
)
from shared.access.policy import Rows
from shared.feed.changes import TRIAL_FACET, Routing, read_routing, write_routing
from shared.vocabulary.identifiers import alias_of, trial_id, trial_number

# Numbers of demonstration trials begin here, so that they come last in every list.
FIRST_DEMO = 1_000_000_000
# Two transactions that create trials take turns, or both would take the same number.
_NUMBERING_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('cleio trial numbers', 0))")


class TrialRepository:
    """Trials in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def find(self, identifier: str, rows: Rows = "all") -> StoredTrial | None:
        """Return a trial by any of its names in any spelling, if ``rows`` lets the caller see it."""
        statement = _visible(BY_ALIAS, rows)
        found = (await self.connection.execute(statement, {"alias": alias_of(identifier)})).all()
        return _stored(found[0]) if is_one_trial([row.is_public for row in found]) else None

    async def owners(self, aliases: Collection[str], *, former: bool = True) -> dict[str, str]:
        """Return the keys of the trials that have one of these public numbers, by number.

        ``former``: or had it.
        """
        statement = _OWNERS if former else _OWNERS.where(trial_aliases.c.former.is_(False))
        rows = await self.connection.execute(statement, {"aliases": list(aliases)}) if aliases else ()
        return {row.alias: row.trial_key for row in rows}

    async def release(self, aliases: Collection[str]) -> None:
        """Remove numbers from the trials that had them formerly: they become numbers of another trial."""
        names = trial_aliases.c
        statement = (
            delete(trial_aliases)
            .where(names.alias.in_(aliases), names.is_public.is_(True), names.former.is_(True))
            .returning(names.alias, names.trial_key)
        )
        for alias, key in (await self.connection.execute(statement)).all():
            stored = await self.get(key)
            kept = {**stored.routing.facets, TRIAL_FACET: stored.aliases - {alias}}
            side = json.dumps(write_routing(Routing(stored.routing.audience, kept)))
            await self.connection.execute(update(trials).where(trials.c.key == key).values(side=side))

    async def get(self, key: str) -> StoredTrial:
        return _stored((await self.connection.execute(select(trials).where(trials.c.key == key))).one())

    async def heads(self, keys: Collection[str]) -> dict[str, Head]:
        """Return what names some trials, by key."""
        rows = await self.connection.execute(_HEADS, {"keys": sorted(keys)}) if keys else ()
        return {
            row.key: Head(
                row.key,
                row.public_id,
                None if row.document is None else ScopeAnswer.model_validate(json.loads(row.document)["scope"]),
            )
            for row in rows
        }

    async def page(self, rows: Rows, after: int, limit: int, *, demo: bool) -> list[tuple[int, str]]:
        """Return (number, document) of trials with numbers above ``after``, in their order; ``demo``: also those."""
        found = await self.connection.execute(PLAIN_PAGE[rows != "all", demo], {"after": after, "limit": limit})
        return [(row.number, row.document) for row in found]

    async def count(self, rows: Rows, *, demo: bool) -> int:
        """Return how many trials there are."""
        return int((await self.connection.execute(PLAIN_COUNT[rows != "all", demo])).scalar_one())

    async def save(self, stored: StoredTrial, changed: Sequence[str], replaces: int | None) -> bool:
        """Write a version. Return False if another writer came first.

        ``replaces``: the version it was made from (None: a new trial).

        :raises IdentifierTakenError: 409, another transaction took one of its identifiers meanwhile.
        """
        try:
            return await self._save(stored, changed, replaces)
        except IntegrityError:
            raise IdentifierTakenError from None

    async def _save(self, stored: StoredTrial, changed: Sequence[str], replaces: int | None) -> bool:
        trial, number = stored.trial, trial_number(stored.key)
        values = {
            "public_id": trial.identifier,
            "version": trial.version,
            "published": trial.published,
            "demo": trial.sample == "demo",
            "status": trial.status,
            "provenance": stored.origins,
            "document": trial.model_dump_json(),
            "side": json.dumps(write_routing(stored.routing)),
        }
        if replaces is None:
            await self.connection.execute(_ADD_TRIAL, {"key": stored.key, "number": number, **values})
        else:
            statement = update(trials).where(trials.c.key == stored.key, trials.c.version == replaces).values(**values)
            if (await self.connection.execute(statement)).rowcount != 1:
                return False
        await self._save_aliases(trial, is_new=replaces is None)
        row = {
            "trial_key": stored.key,
            "version": trial.version,
            "at": trial.updated_at,
            "changed": json.dumps(list(changed)),
            "document": values["document"],
            "published": trial.published,
            "criteria_version": trial.criteria.version if trial.criteria is not None else None,
        }
        await self.connection.execute(_ADD_VERSION, row)
        return True

    async def lock(self, key: str) -> None:
        """Let no other transaction write a trial before this one ends. On SQLite there is one writer anyway."""
        await self.connection.execute(select(trials.c.key).where(trials.c.key == key).with_for_update())

    async def save_origins(self, stored: StoredTrial, origins: str) -> bool:
        """Write where the parts of a trial come from. Its version stays. Return False if another writer came first."""
        statement = update(trials).where(trials.c.key == stored.key, trials.c.version == stored.trial.version)
        return bool((await self.connection.execute(statement.values(provenance=origins))).rowcount == 1)

    async def _save_aliases(self, trial: Trial, *, is_new: bool) -> None:
        """Store the names of a trial; those that it no longer has stay, as former ones."""
        names = trial_aliases.c
        before: dict[str, tuple[bool, bool]] = {}
        if not is_new:
            rows = await self.connection.execute(select(trial_aliases).where(names.trial_key == trial.id))
            before = {row.alias: (row.is_public, row.former) for row in rows}
        after = {alias: (is_public, True) for alias, (is_public, _) in before.items()}
        after |= {alias: (is_public, False) for alias, is_public in aliases_of(trial.identifiers).items()}
        after[trial.id] = (True, False)
        changed = [alias for alias, value in after.items() if before.get(alias) != value]
        if not changed:
            return
        if before:
            await self.connection.execute(
                delete(trial_aliases).where(names.trial_key == trial.id, names.alias.in_(changed))
            )
        await self.connection.execute(
            _ADD_ALIASES,
            [
                {"alias": alias, "trial_key": trial.id, "is_public": after[alias][0], "former": after[alias][1]}
                for alias in changed
            ],
        )

    async def next_id(self, *, demo: bool) -> str:
        """Return the id for a new trial. Trials are never deleted, so no id is used twice."""
        if self.connection.dialect.name == "postgresql":
            await self.connection.execute(_NUMBERING_LOCK)
        within = trials.c.number >= FIRST_DEMO if demo else trials.c.number < FIRST_DEMO
        greatest = (await self.connection.execute(select(func.max(trials.c.number)).where(within))).scalar_one()
        return trial_id((FIRST_DEMO if demo else 0) + 1 if greatest is None else int(greatest) + 1)

    async def history(self, key: str, rows: Rows, before: int | None, limit: int) -> list[dict[str, Any]]:
        """Return versions as ``{version, at, changed, trial}``, newest first: those that ``rows`` showed then."""
        statement = (
            select(trial_versions)
            .where(trial_versions.c.trial_key == key)
            .order_by(trial_versions.c.version.desc())
            .limit(limit)
        )
        if rows != "all":
            statement = statement.where(trial_versions.c.published.is_(True))
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

    async def criteria(self, key: str, version: int | None = None, rows: Rows = "all") -> str | None:
        """Return a criteria document as JSON text: the given version, or the newest, of those that ``rows`` showed."""
        statement = select(criteria_versions.c.document).where(criteria_versions.c.trial_key == key)
        if rows != "all":
            versions = trial_versions.c
            public = select(versions.criteria_version).where(versions.trial_key == key, versions.published.is_(True))
            statement = statement.where(criteria_versions.c.version.in_(public))
        if version is not None:
            statement = statement.where(criteria_versions.c.version == version)
        found = (
            await self.connection.execute(statement.order_by(criteria_versions.c.version.desc()).limit(1))
        ).scalar_one_or_none()
        return None if found is None else str(found)

    async def add_criteria(self, key: str, version: int, grade: str, at: datetime, document: str) -> None:
        """Write a new version. Versions never change."""
        row = {"trial_key": key, "version": version, "grade": grade, "at": at, "document": document}
        await self.connection.execute(_ADD_CRITERIA, row)

    async def sites(self, key: str, *, lock: bool = False) -> list[StoredSite]:
        """Return the sites of a trial. ``lock``: no other transaction changes them before this one ends."""
        statement = select(sites).where(sites.c.trial_key == key).order_by(sites.c.centre)
        rows = await self.connection.execute(statement.with_for_update() if lock else statement)
        return [StoredSite.of_row(row) for row in rows]

    async def save_site(self, key: str, site: StoredSite, replaces: int | None, due: datetime | None) -> bool:
        """Write a site; ``replaces`` as in `save`. ``due``: when it becomes stale; None: as before."""
        try:
            return await self._save_site(key, site, replaces, {} if due is None else {"stale_due": due})
        except IntegrityError:  # another transaction created it
            return False

    async def _save_site(self, key: str, site: StoredSite, replaces: int | None, timer: dict[str, datetime]) -> bool:
        values = {
            **timer,
            "version": site.version,
            "status": site.status,
            "confirmed_at": site.confirmed_at,
            "slots": json.dumps([one.model_dump() for one in site.slots]),
            "declared_status": site.declared_status,
            "source_status": site.source_status,
            "declared_by": site.declared_by,
            "declared_at": site.declared_at,
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


# Built once: SQLAlchemy then finds the compiled statement without comparing it.
_ADD_TRIAL, _ADD_ALIASES = insert(trials), insert(trial_aliases)
_ADD_VERSION, _ADD_CRITERIA = insert(trial_versions), insert(criteria_versions)
_OWNERS = select(trial_aliases.c.alias, trial_aliases.c.trial_key).where(
    trial_aliases.c.alias.in_(bindparam("aliases", expanding=True)), trial_aliases.c.is_public.is_(True)
)
_HEADS = select(
    trials.c.key, trials.c.public_id, case((trials.c.published.is_(False), trials.c.document)).label("document")
).where(trials.c.key.in_(bindparam("keys", expanding=True)))


def _visible(statement: Select[Any], rows: Rows) -> Select[Any]:
    return statement if rows == "all" else statement.where(trials.c.published.is_(True))


# The trials with an alias; a public number before the same code of a sponsor.
BY_ALIAS = (
    select(trials, trial_aliases.c.is_public)
    .join(trial_aliases, trial_aliases.c.trial_key == trials.c.key)
    .where(trial_aliases.c.alias == bindparam("alias"))
    .order_by(trial_aliases.c.is_public.desc())
    .limit(2)
)


def is_one_trial(are_public: Sequence[bool]) -> bool:
    """Return whether an alias names one trial: the first of those found. A code that two sponsors use names none."""
    return len(are_public) == 1 or (len(are_public) > 1 and are_public[0])


def _plain(statement: Select[Any], *, published: bool, demo: bool) -> Select[Any]:
    statement = statement.where(trials.c.published.is_(True)) if published else statement
    return statement if demo else statement.where(trials.c.demo.is_(False))


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
    return StoredTrial(Trial.model_validate_json(row.document), read_routing(json.loads(row.side)), row.provenance)
