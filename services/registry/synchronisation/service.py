"""The state of synchronised sources for people, and what they ask for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.registry.synchronisation.connectors.opening import address_of
from services.registry.synchronisation.model import Requested, SyncState
from services.registry.synchronisation.plan import CLEIO, SyncPlan
from services.registry.synchronisation.problems import NoDayError, SourceOffError
from services.registry.synchronisation.repository import ListingState, SyncRepository
from services.registry.synchronisation.scheduling import SyncSchedule
from services.registry.synchronisation.schemas import (
    ListedRecord,
    SyncPhase,
    SyncRequest,
    SyncRun,
    SyncSource,
    SyncSourceList,
)
from shared.values.problems import NotFoundError

_NOTHING = {"listed": 0, "missing": 0, "quarantine": 0}


class SyncService:
    """Synchronised sources in one transaction."""

    def __init__(self, repository: SyncRepository, schedule: SyncSchedule) -> None:
        self.repository = repository
        self.schedule = schedule

    async def sources(self) -> SyncSourceList:
        """Return the state of all sources."""
        states, counts = await self.repository.states(), await self.repository.counts()
        return SyncSourceList(
            items=[
                _document(states.get(source, SyncState(source)), self._plan(source), counts.get(source, _NOTHING))
                for source in self.schedule.sources
            ]
        )

    async def source(self, source: str) -> SyncSource:
        """Return the state of a source.

        :raises NotFoundError: there is no such source.
        """
        plan, counts = self._plan(source), await self.repository.counts()
        state = await self.repository.state(source) or SyncState(source)
        return _document(state, plan, counts.get(source, _NOTHING))

    async def request(self, source: str, asked: SyncRequest) -> SyncSource:
        """Ask for a run. One that is in progress goes on, and is followed by this one.

        :raises NotFoundError: there is no such source.
        :raises SourceOffError: 409, the settings do not name it.
        :raises NoDayError: 422, a feed has no days.
        """
        if self._plan(source) is None:
            raise SourceOffError
        if asked.since is not None and source.startswith(CLEIO):
            raise NoDayError
        since = asked.since.isoformat() if asked.since is not None else None
        await self.repository.ensure(source)
        await self.repository.request(source, Requested(asked.full, asked.dry_run, since))
        return await self.source(source)

    async def cancel(self, source: str) -> None:
        """End the run in progress, and drop what was asked for. What was stored stays.

        :raises NotFoundError: there is no such source.
        """
        self._plan(source)
        await self.repository.cancel(source)

    async def records(self, source: str, kind: ListingState, after: str, limit: int) -> list[ListedRecord]:
        """Return records in quarantine or missing.

        :raises NotFoundError: there is no such source.
        """
        self._plan(source)
        found = await self.repository.page(source, kind, after, limit)
        trials = await self.repository.trials(source, [one.source_id for one in found])
        return [
            ListedRecord(
                source_id=one.source_id,
                trial=trials[one.source_id][1] if one.source_id in trials else None,
                trial_id=trials[one.source_id][0] if one.source_id in trials else None,
                seen_at=one.seen_at,
                missing_since=one.missing_since,
                fault=one.fault,
                fault_detail=one.fault_detail,
                faulty_since=one.faulty_since,
                attempts=one.attempts,
                retry_at=one.retry_at,
            )
            for one in found
        ]

    def _plan(self, source: str) -> SyncPlan | None:
        """Return the plan of a source; None: the settings do not name it.

        :raises NotFoundError: there is no such source.
        """
        if source not in self.schedule.sources:
            raise NotFoundError
        return self.schedule.plans.get(source)


def _document(state: SyncState, plan: SyncPlan | None, counts: Mapping[str, int]) -> SyncSource:
    now = datetime.now(UTC)
    return SyncSource(
        source=state.source,
        phase=_phase(state, plan),
        hours=plan.hours if plan is not None else None,
        url=address_of(state.source, plan),
        cursor=state.cursor,
        cursor_at=state.cursor_at,
        lag_seconds=None if state.cursor_at is None else max(0, int((now - state.cursor_at).total_seconds())),
        listed_at=state.listed_at,
        due_at=state.due_at,
        listed=counts["listed"],
        missing=counts["missing"],
        quarantine=counts["quarantine"],
        failures=state.failures,
        fault=state.fault,
        fault_detail=state.fault_detail,
        failing_since=state.failing_since,
        retry_at=state.retry_at,
        requested=state.requested is not None,
        run=_run(state.run.dump()) if state.run is not None else None,
        last_run=_run(state.last_run) if state.last_run is not None else None,
    )


def _phase(state: SyncState, plan: SyncPlan | None) -> SyncPhase:
    if plan is None:
        return "off"
    if state.fault is not None:
        return "failing"
    if state.run is not None or state.requested is not None:
        return "running"
    return "on_request" if plan.hours is None else "waiting"


def _run(values: Mapping[str, Any]) -> SyncRun:
    return SyncRun.model_validate({name: value for name, value in values.items() if name in SyncRun.model_fields})
