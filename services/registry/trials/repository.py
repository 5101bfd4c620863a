"""SQL for trials, their criteria and their sites. Returns documents and plain values, never rows."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.model.aliases import aliases_of
from services.registry.model.trial import Identifier, ScopeAnswer, Trial
from services.registry.trials.model import Cause, Head, StoredSite, StoredTrial
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
        """Return the keys of the trials that answer to one of these public numbers, by number.

        ``former``: or to one that they had.
        """
        found = await self.name_owners(aliases, former=former)
        return {alias: present for alias, (_, present) in found.items()}

    async def name_owners(self, aliases: Collection[str], *, former: bool = True) -> dict[str, tuple[str, str]]:
        """Return (trial that has it, trial that answers to it) of public numbers, by number; ``former`` as above."""
        statement = _OWNERS if former else _OWNERS.where(trial_aliases.c.former.is_(False))
        rows = await self.connection.execute(statement, {"aliases": list(aliases)}) if aliases else ()
        return {row.alias: (row.trial_key, row.present_key) for row in rows}

    async def release(self, aliases: Collection[str], *, of: str | None = None) -> None:
        """Remove numbers from the trials that had them formerly: they become numbers of another trial.

        ``of``: only from the trial with this key.
        """
        names = trial_aliases.c
        statement = (
            delete(trial_aliases)
            .where(names.alias.in_(aliases), names.is_public.is_(True), names.former.is_(True))
            .returning(names.alias, names.trial_key, names.present_key)
        )
        if of is not None:
            statement = statement.where(names.trial_key == of)
        released = (await self.connection.execute(statement)).all()
        for alias, key in {(row.alias, key) for row in released for key in (row.trial_key, row.present_key)}:
            stored = await self.get(key)
            kept = {**stored.routing.facets, TRIAL_FACET: stored.aliases - {alias}}
            side = json.dumps(write_routing(Routing(stored.routing.audience, kept)))
            await self.connection.execute(update(trials).where(trials.c.key == key).values(side=side))

    async def get(self, key: str) -> StoredTrial:
        return _stored((await self.connection.execute(select(trials).where(trials.c.key == key))).one())

    async def present(self, key: str) -> StoredTrial:
        """Return the trial that answers for one: itself, or the one into which it is merged."""
        stored = await self.get(key)
        while stored.merged_into is not None and stored.merged_into != stored.key:
            stored = await self.get(stored.merged_into)
        return stored

    async def heads(self, keys: Collection[str]) -> dict[str, Head]:
        """Return what names the trials that answer for some trials, by key of these."""
        found = {}
        for row in await self.connection.execute(_HEADS, {"keys": sorted(keys)}) if keys else ():
            key, identifier, document = row.key, row.public_id, row.document
            if row.merged_into is not None:
                trial = (await self.present(row.key)).trial
                key, identifier = trial.id, trial.identifier
                document = None if trial.published else trial.model_dump_json()
            scope = None if document is None else ScopeAnswer.model_validate(json.loads(document)["scope"])
            found[row.key] = Head(key, identifier, scope)
        return found

    async def page(self, rows: Rows, after: int, limit: int, *, demo: bool) -> list[tuple[int, str]]:
        """Return (number, document) of trials with numbers above ``after``, in their order; ``demo``: also those."""
        found = await self.connection.execute(PLAIN_PAGE[rows != "all", demo], {"after": after, "limit": limit})
        return [(row.number, row.document) for row in found]

    async def count(self, rows: Rows, *, demo: bool) -> int:
        """Return how many trials there are."""
        return int((await self.connection.execute(PLAIN_COUNT[rows != "all", demo])).scalar_one())

    async def save(self, stored: StoredTrial, changed: Sequence[str], replaces: int | None, cause: Cause) -> bool:
        """Write a version. Return False if another writer came first.

        ``replaces``: the version it was made from (None: a new trial).

        :raises IdentifierTakenError: 409, another transaction took one of its identifiers meanwhile.
        """
        try:
            return await self._save(stored, changed, replaces, cause)
        except IntegrityError:
            raise IdentifierTakenError from None

    async def _save(self, stored: StoredTrial, changed: Sequence[str], replaces: int | None, cause: Cause) -> bool:
        trial, number = stored.trial, trial_number(stored.key)
        values = {
            # Unique: the number may be that of the trial that answers now.
            "public_id": stored.key if stored.merged_into else trial.identifier,
            "version": trial.version,
            "published": trial.published,
            "demo": trial.sample == "demo",
            "status": trial.status,
            "provenance": stored.origins,
            "merged_into": stored.merged_into,
            "rules": stored.rules,
            "document": trial.model_dump_json(),
            "side": json.dumps(write_routing(stored.routing)),
        }
        if replaces is None:
            await self.connection.execute(_ADD_TRIAL, {"key": stored.key, "number": number, **values})
        else:
            statement = update(trials).where(trials.c.key == stored.key, trials.c.version == replaces).values(**values)
            if (await self.connection.execute(statement)).rowcount != 1:
                return False
        if stored.merged_into is None:
            await self.save_names(stored.key, trial.identifiers, fellows=bool(stored.merged), is_new=replaces is None)
        row = {
            "trial_key": stored.key,
            "version": trial.version,
            "at": trial.updated_at,
            "changed": json.dumps(list(changed)),
            "document": values["document"],
            "published": trial.published,
            "criteria_version": trial.criteria.version if trial.criteria is not None else None,
            "source": cause.source,
            "author": cause.author,
        }
        await self.connection.execute(_ADD_VERSION, row)
        return True

    async def lock(self, key: str) -> None:
        """Let no other transaction write a trial before this one ends. On SQLite there is one writer anyway."""
        await self.connection.execute(select(trials.c.key).where(trials.c.key == key).with_for_update())

    async def owner(self, key: str) -> str | None:
        """Return the organisation that is responsible for a trial; None: the coordination."""
        owner: str | None = (await self.connection.execute(select(trials.c.owner).where(trials.c.key == key))).scalar()
        return owner

    async def set_owner(self, key: str, owner: str | None) -> None:
        """Make an organisation responsible for a trial."""
        await self.connection.execute(update(trials).where(trials.c.key == key).values(owner=owner))

    async def outdated(self, rules: str, after: str, limit: int) -> list[str]:
        """Return the ids of the next trials that other rules have merged, in their order."""
        statement = select(trials.c.key).where(*_are_outdated(rules, after))
        return list((await self.connection.execute(statement.order_by(trials.c.key).limit(limit))).scalars())

    async def count_outdated(self, rules: str, after: str) -> int:
        """Return how many trials with greater ids than ``after`` other rules have merged."""
        statement = select(func.count()).where(*_are_outdated(rules, after))
        return int((await self.connection.execute(statement)).scalar_one())

    async def save_origins(self, stored: StoredTrial, origins: str, rules: str) -> bool:
        """Write where the parts of a trial come from, and by which rules it was merged. Its version stays.

        Return False if another writer came first.
        """
        statement = update(trials).where(trials.c.key == stored.key, trials.c.version == stored.trial.version)
        return bool((await self.connection.execute(statement.values(provenance=origins, rules=rules))).rowcount == 1)

    async def save_names(
        self,
        key: str,
        identifiers: Iterable[Identifier],
        *,
        present: str | None = None,
        fellows: bool = False,
        is_new: bool = False,
    ) -> None:
        """Store the names of a trial; those that it no longer has stay, as former ones.

        ``present``: the trial into which it is merged. ``fellows``: others are merged into this one, whose names stay
        theirs. ``is_new``: it has none yet.
        """
        names = trial_aliases.c
        before: dict[str, tuple[bool, bool]] = {}
        if not is_new:
            rows = await self.connection.execute(select(trial_aliases).where(names.trial_key == key))
            before = {row.alias: (row.is_public, row.former) for row in rows}
        given = aliases_of(identifiers)
        if fellows:
            of_fellows = select(names.alias).where(names.present_key == key, names.trial_key != key)
            taken = set((await self.connection.execute(of_fellows)).scalars()) - before.keys()
            given = {alias: is_public for alias, is_public in given.items() if alias not in taken}
        after = {alias: (is_public, True) for alias, (is_public, _) in before.items()}
        after |= {alias: (is_public, False) for alias, is_public in given.items()}
        after[key] = (True, False)
        changed = [alias for alias, value in after.items() if before.get(alias) != value]
        if not changed:
            return
        if before:
            await self.connection.execute(delete(trial_aliases).where(names.trial_key == key, names.alias.in_(changed)))
        await self.connection.execute(
            _ADD_ALIASES,
            [
                {
                    "alias": alias,
                    "trial_key": key,
                    "is_public": after[alias][0],
                    "former": after[alias][1],
                    "present_key": present or key,
                }
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

    async def as_of(self, key: str, end: datetime, rows: Rows) -> tuple[str, int] | None:
        """Return document and version that were in force just before ``end``, if ``rows`` shows that version.

        To be read as a service: another reader would get an older version in the place of one that it may not see.
        """
        versions = trial_versions.c
        statement = select(versions.document, versions.version, versions.published)
        statement = statement.where(versions.trial_key == key, versions.at < end).order_by(versions.version.desc())
        row = (await self.connection.execute(statement.limit(1))).one_or_none()
        return None if row is None or (rows != "all" and not row.published) else (row.document, row.version)

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

    async def save_site(
        self, key: str, site: StoredSite, replaces: int | None, timer: Mapping[str, datetime | None]
    ) -> bool:
        """Write a site; ``replaces`` as in `save`. ``timer``: when the event `site.stale` is due; empty: as before."""
        try:
            return await self._save_site(key, site, replaces, timer)
        except IntegrityError:  # another transaction created it
            return False

    async def _save_site(
        self, key: str, site: StoredSite, replaces: int | None, timer: Mapping[str, datetime | None]
    ) -> bool:
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
            "declared_for": site.declared_for,
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
_OWNERS = select(trial_aliases.c.alias, trial_aliases.c.trial_key, trial_aliases.c.present_key).where(
    trial_aliases.c.alias.in_(bindparam("aliases", expanding=True)), trial_aliases.c.is_public.is_(True)
)
_HEADS = select(
    trials.c.key,
    trials.c.public_id,
    trials.c.merged_into,
    case((trials.c.published.is_(False), trials.c.document)).label("document"),
).where(trials.c.key.in_(bindparam("keys", expanding=True)))


def _are_outdated(rules: str, after: str) -> tuple[ColumnElement[bool], ...]:
    return trials.c.rules != rules, trials.c.key > after, trials.c.merged_into.is_(None)


def _visible(statement: Select[Any], rows: Rows) -> Select[Any]:
    return statement if rows == "all" else statement.where(trials.c.published.is_(True))


# The trials that answer to an alias; a public number before the same code of a sponsor. Trials that are merged may both
# have a code.
_ANSWERING = (
    select(trial_aliases.c.present_key, trial_aliases.c.is_public)
    .where(trial_aliases.c.alias == bindparam("alias"))
    .distinct()
    .subquery("answering")
)
BY_ALIAS = (
    select(trials, _ANSWERING.c.is_public)
    .join(_ANSWERING, _ANSWERING.c.present_key == trials.c.key)
    .order_by(_ANSWERING.c.is_public.desc())
    .limit(2)
)
IS_PUBLIC_NAME = _ANSWERING.c.is_public


def is_one_trial(are_public: Sequence[bool]) -> bool:
    """Return whether an alias names one trial: the first of those found. A code that two sponsors use names none."""
    return len(are_public) == 1 or (len(are_public) > 1 and are_public[0])


def _plain(statement: Select[Any], *, published: bool, demo: bool) -> Select[Any]:
    # What is merged into another trial is not published.
    statement = statement.where(trials.c.published.is_(True) if published else trials.c.merged_into.is_(None))
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
    routing = read_routing(json.loads(row.side))
    trial = Trial.model_validate_json(row.document)
    return StoredTrial(trial, routing, row.provenance, row.rules, row.merged_into)
