"""The only SQL about synchronised sources and what they list."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.records.tables import source_records
from services.registry.synchronisation.model import UNKNOWN, Listing, Requested, Run, SyncState
from services.registry.synchronisation.tables import source_listings, source_syncs
from services.registry.trials.tables import trials

ListingState = Literal["quarantine", "missing"]
_SYNCS, _LISTED = source_syncs.c, source_listings.c
_NO_FAULT = {"failures": 0, "fault": None, "fault_detail": None, "failing_since": None, "retry_at": None}


class SyncRepository:
    """Synchronised sources in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def states(self) -> dict[str, SyncState]:
        """Return the state of every source that was ever scheduled or requested."""
        return {row.source: _state(row) for row in await self.connection.execute(select(source_syncs))}

    async def state(self, source: str) -> SyncState | None:
        """Return the state of a source."""
        row = (await self.connection.execute(select(source_syncs).where(_SYNCS.source == source))).one_or_none()
        return None if row is None else _state(row)

    async def ensure(self, source: str) -> None:
        """Create the row of a source."""
        if await self.state(source) is None:
            await self.connection.execute(
                insert(source_syncs).values(source=source, runs=0, fence=0, failures=0, fault=None)
            )

    async def unclaim(self, claimed: SyncState) -> None:
        """End a claim, unless it was lost."""
        statement = update(source_syncs).where(_SYNCS.source == claimed.source, _SYNCS.fence == claimed.fence)
        await self.connection.execute(statement.values(claimed_until=None))

    async def release(self) -> None:
        """End every claim."""
        await self.connection.execute(update(source_syncs).values(claimed_until=None))

    async def schedule(self, source: str, due_at: datetime | None) -> None:
        """Set when the next run is due."""
        await self._update(source, {"due_at": due_at})

    async def request(self, source: str, requested: Requested) -> None:
        """Ask for a run; one that waits after a fault goes on at once."""
        await self._update(source, {"requested": json.dumps(asdict(requested)), "retry_at": None})

    async def cancel(self, source: str) -> None:
        """Drop the run in progress and what was asked for. What was stored stays."""
        statement = update(source_syncs).where(_SYNCS.source == source)
        dropped = {"requested": None, "run": None, "claimed_until": None, **_NO_FAULT}
        await self.connection.execute(statement.values(fence=_SYNCS.fence + 1, **dropped))

    async def is_due(self, source: str, now: datetime) -> bool:
        """Return whether there is work on a source that no replica does."""
        found = await self.connection.execute(select(_SYNCS.source).where(_SYNCS.source == source, _due(now)))
        return found.one_or_none() is not None

    async def claim(self, source: str, now: datetime, until: datetime) -> SyncState | None:
        """Claim a source with work for one replica; None if there is none, or another replica has it."""
        statement = update(source_syncs).where(_SYNCS.source == source, _due(now))
        claimed = await self.connection.execute(statement.values(claimed_until=until, fence=_SYNCS.fence + 1))
        return await self.state(source) if claimed.rowcount else None

    async def keep(self, claimed: SyncState, run: Run | None, until: datetime | None, **values: Any) -> bool:
        """Store how far a run came. Return False, and store nothing, if the claim was lost.

        ``until``: how long the claim lasts from now on; None: it ends.
        """
        statement = update(source_syncs).where(_SYNCS.source == claimed.source, _SYNCS.fence == claimed.fence)
        stored = {"run": None if run is None else json.dumps(run.dump()), "claimed_until": until, **values}
        return bool((await self.connection.execute(statement.values(**stored))).rowcount)

    async def listed(self, source: str, source_ids: Collection[str]) -> dict[str, Listing]:
        """Return what is stored of some records."""
        statement = select(source_listings).where(_LISTED.source == source, _LISTED.source_id.in_(source_ids))
        return {row.source_id: _listing(row) for row in await self.connection.execute(statement)}

    async def save(self, source: str, listings: Sequence[Listing], known: Collection[str]) -> None:
        """Store records that were listed. ``known``: the ids of those that are stored."""
        for one in listings:
            values = asdict(one)
            if one.source_id in known:
                del values["source_id"]
                same = (_LISTED.source == source, _LISTED.source_id == one.source_id)
                await self.connection.execute(update(source_listings).where(*same).values(**values))
            else:
                await self.connection.execute(insert(source_listings).values(source=source, **values))

    async def mark_missing(self, source: str, now: datetime, where: ColumnElement[bool]) -> list[str]:
        """Mark records that are not missing yet; return their ids. Those without an id of their own are forgotten."""
        chosen = and_(_LISTED.source == source, _LISTED.missing_since.is_(None), where)
        await self.connection.execute(delete(source_listings).where(chosen, _LISTED.source_id.startswith(UNKNOWN)))
        found = list((await self.connection.execute(select(_LISTED.source_id).where(chosen))).scalars())
        marks = {"missing_since": now, "fault": None, "fault_detail": None, "faulty_since": None, "retry_at": None}
        await self.connection.execute(update(source_listings).where(chosen).values(**marks))
        return found

    async def count(self, source: str, *, run: int | None = None) -> int:
        """Return how many records a source lists, or were listed by one run."""
        statement = select(func.count()).where(_LISTED.source == source, _LISTED.missing_since.is_(None))
        if run is not None:
            statement = statement.where(_LISTED.run == run)
        return int((await self.connection.execute(statement)).scalar_one())

    async def counts(self) -> dict[str, dict[str, int]]:
        """Return for each source how many records are listed, missing and in quarantine."""
        statement = select(
            _LISTED.source,
            func.count().label("listed"),
            func.count(_LISTED.missing_since).label("missing"),
            func.count(_LISTED.faulty_since).label("quarantine"),
        ).group_by(_LISTED.source)
        rows = await self.connection.execute(statement)
        return {
            row.source: {"listed": row.listed - row.missing, "missing": row.missing, "quarantine": row.quarantine}
            for row in rows
        }

    async def faulty(self, source: str, now: datetime, limit: int) -> list[Listing]:
        """Return records in quarantine that are to be tried again."""
        statement = (
            select(source_listings)
            .where(_LISTED.source == source, _LISTED.retry_at <= now, _LISTED.missing_since.is_(None))
            .order_by(_LISTED.retry_at)
            .limit(limit)
        )
        return [_listing(row) for row in await self.connection.execute(statement)]

    async def page(self, source: str, kind: ListingState, after: str, limit: int) -> list[Listing]:
        """Return records in quarantine or missing, in the order of ids."""
        since = _LISTED.faulty_since if kind == "quarantine" else _LISTED.missing_since
        statement = (
            select(source_listings)
            .where(_LISTED.source == source, since.is_not(None), _LISTED.source_id > after)
            .order_by(_LISTED.source_id)
            .limit(limit)
        )
        return [_listing(row) for row in await self.connection.execute(statement)]

    async def trials(self, source: str, source_ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
        """Return (id, preferred number) of the trials of some records."""
        records = source_records.c
        statement = (
            select(records.source_id, trials.c.key, trials.c.public_id)
            .join_from(source_records, trials, trials.c.key == records.trial_key)
            .where(records.source == source, records.source_id.in_(source_ids))
        )
        return {row.source_id: (row.key, row.public_id) for row in await self.connection.execute(statement)}

    async def _update(self, source: str, values: Mapping[str, Any]) -> None:
        await self.connection.execute(update(source_syncs).where(_SYNCS.source == source).values(**values))


def listed_before(run: int) -> ColumnElement[bool]:
    """Return the condition that a record was not listed by this run."""
    return _LISTED.run < run


def one_of(source_ids: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that a record is one of these."""
    return _LISTED.source_id.in_(source_ids)


def no_fault() -> dict[str, Any]:
    """Return the values of a source that answers."""
    return dict(_NO_FAULT)


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(
        or_(_SYNCS.requested.is_not(None), _SYNCS.run.is_not(None), _SYNCS.due_at <= now),
        or_(_SYNCS.retry_at.is_(None), _SYNCS.retry_at <= now),
        or_(_SYNCS.claimed_until.is_(None), _SYNCS.claimed_until < now),
    )


def _state(row: Any) -> SyncState:
    values = dict(row._mapping)
    values["requested"] = Requested(**json.loads(row.requested)) if row.requested else None
    values["run"] = Run(**json.loads(row.run)) if row.run else None
    values["last_run"] = json.loads(row.last_run) if row.last_run else None
    return SyncState(**values)


def _listing(row: Any) -> Listing:
    return Listing(**{name: value for name, value in row._mapping.items() if name != "source"})
