"""SQL for safety holds."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.safety_holds.model import Agreement, Hold, TrialClass
from services.registry.safety_holds.tables import safety_hold_agreements, safety_holds
from services.registry.trials.tables import sites, trial_aliases, trials
from shared.feed.changes import read_routing

_OWNER = select(trials.c.owner).where(trials.c.key == bindparam("key")).scalar_subquery()
# A hold stays with the trial on which it was imposed; another one may answer for that.
_OF_TRIAL = select(trial_aliases.c.trial_key).where(trial_aliases.c.present_key == bindparam("key"))
_ANSWERING = trials.alias("answering")
_OF_SAME_OWNER = (
    select(_ANSWERING.c.key)
    .join(trial_aliases, trial_aliases.c.present_key == _ANSWERING.c.key)
    .where(trial_aliases.c.alias == safety_holds.c.trial_key, _ANSWERING.c.owner.is_not_distinct_from(_OWNER))
)
_CONCERNS = or_(
    safety_holds.c.trial_key.in_(_OF_TRIAL), and_(safety_holds.c.scope == "product", _OF_SAME_OWNER.exists())
)
_IN_FORCE = select(safety_holds).where(safety_holds.c.lifted_at.is_(None), _CONCERNS)
# Demonstration trials are of no class with real ones.
_PRODUCTS = {
    dialect: text(
        f"SELECT key, public_id, owner, side, {product} AS product FROM trials"  # noqa: S608  no value
        " WHERE published AND key <> :key AND demo = (SELECT same.demo FROM trials AS same WHERE same.key = :key)"
    )
    for dialect, product in (
        ("sqlite", "json_extract(document, '$.product')"),
        ("postgresql", "CAST(document AS jsonb) ->> 'product'"),
    )
}


class HoldRepository:
    """Safety holds in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def in_force(self, trial_key: str) -> list[Hold]:
        """Return the holds in force that may concern a trial: `Hold.covers` says which do.

        Those on a product of the same owner are among them, also when they were imposed on another trial.
        """
        return [_hold(row) for row in await self.connection.execute(_IN_FORCE, {"key": trial_key})]

    async def get(self, hold: str, *, lock: bool = False) -> Hold | None:
        """Return one hold. ``lock``: no other transaction changes it before this one ends."""
        statement = select(safety_holds).where(safety_holds.c.id == hold)
        found = await self._with_agreements(statement.with_for_update() if lock else statement)
        return found[0] if found else None

    async def of_trial(self, trial_key: str, *, lifted: bool, limit: int) -> list[Hold]:
        """Return the holds imposed on a trial and those on products, newest first; ``lifted``: also past ones."""
        statement = select(safety_holds).where(_CONCERNS)
        return await self._with_agreements(_newest(statement, lifted=lifted, limit=limit), {"key": trial_key})

    async def page(
        self, after: tuple[datetime, str] | None, limit: int, *, published: bool, lifted: bool
    ) -> list[Hold]:
        """Return holds, newest first. ``published``: only on published trials; ``lifted``: also past ones."""
        columns = safety_holds.c
        statement = select(safety_holds)
        if published:
            statement = (
                statement.join(trial_aliases, trial_aliases.c.alias == columns.trial_key)
                .join(trials, trials.c.key == trial_aliases.c.present_key)
                .where(trials.c.published.is_(True))
            )
        if after is not None:
            at, hold = after
            statement = statement.where(or_(columns.imposed_at < at, and_(columns.imposed_at == at, columns.id < hold)))
        return await self._with_agreements(_newest(statement, lifted=lifted, limit=limit))

    async def answering(self, keys: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Return (id, preferred public number) of the trials that answer for some trials, by key of these."""
        names = trial_aliases.c
        statement = (
            select(names.alias, trials.c.key, trials.c.public_id)
            .join(trials, trials.c.key == names.present_key)
            .where(names.alias.in_(set(keys)))
        )
        return {row.alias: (row.key, row.public_id) for row in await self.connection.execute(statement)}

    async def add(self, hold: Hold) -> None:
        """Write a new hold."""
        values = asdict(hold)
        del values["agreements"]
        await self.connection.execute(insert(safety_holds).values(**values))

    async def save(self, hold: Hold) -> bool:
        """Write a new version: whether it is lifted. Return False if another writer came first."""
        columns = safety_holds.c
        written = await self.connection.execute(
            update(safety_holds)
            .where(columns.id == hold.id, columns.version == hold.version - 1)
            .values(version=hold.version, lifted_at=hold.lifted_at)
        )
        return bool(written.rowcount == 1)

    async def agree(self, hold: str, agreement: Agreement) -> None:
        """Write that an organisation agrees to lift a hold; what it said before is replaced."""
        columns = safety_hold_agreements.c
        mine = (columns.hold == hold, columns.organisation == agreement.organisation)
        known = await self.connection.execute(select(columns.hold).where(*mine))
        if known.first() is None:
            await self.connection.execute(insert(safety_hold_agreements).values(hold=hold, **asdict(agreement)))
        else:
            await self.connection.execute(update(safety_hold_agreements).where(*mine).values(**asdict(agreement)))

    async def classes(self, *, other_than: str) -> list[TrialClass]:
        """Return product, owner and sites of the other published trials, of a real trial the real ones."""
        rows = await self.connection.execute(_PRODUCTS[self.connection.dialect.name], {"key": other_than})
        found = rows.all()
        centres: dict[str, set[str]] = defaultdict(set)
        for row in await self.connection.execute(select(sites.c.trial_key, sites.c.centre)):
            centres[row.trial_key].add(row.centre)
        return [_class(row, frozenset(centres[row.key])) for row in found]

    async def _with_agreements(self, statement: Select[Any], values: dict[str, Any] | None = None) -> list[Hold]:
        rows = (await self.connection.execute(statement, values or {})).all()
        agreements: dict[str, list[Agreement]] = defaultdict(list)
        columns = safety_hold_agreements.c
        known = select(safety_hold_agreements).where(columns.hold.in_([row.id for row in rows])).order_by(columns.at)
        for one in await self.connection.execute(known) if rows else ():
            agreements[one.hold].append(
                Agreement(one.party, one.organisation, one.author, one.at, one.basis, one.reference, one.decided_on)
            )
        return [_hold(row, agreements[row.id]) for row in rows]


def _newest(statement: Select[Any], *, lifted: bool, limit: int) -> Select[Any]:
    columns = safety_holds.c
    if not lifted:
        statement = statement.where(columns.lifted_at.is_(None))
    return statement.order_by(columns.imposed_at.desc(), columns.id.desc()).limit(limit)


def _hold(row: Row[Any], agreements: Iterable[Agreement] = ()) -> Hold:
    return Hold(
        row.id, row.trial_key, row.version, row.scope, row.target, row.kind, row.reason, row.imposed_at,
        row.organisation, row.author, row.decided_on, row.reference, row.lifted_at, tuple(agreements),
    )  # fmt: skip


def _class(row: Row[Any], centres: frozenset[str]) -> TrialClass:
    product = json.loads(row.product or "{}")
    facets = read_routing(json.loads(row.side)).facets
    return TrialClass(row.key, row.public_id, row.owner, centres, product, facets)
