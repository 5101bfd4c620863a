"""Starts the synchronisation of sources in the background of a registry: off until an operator sets intervals."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from services.registry.sources.reading_processes import ReadingProcesses
from services.registry.synchronisation.connectors.opening import open_connector
from services.registry.synchronisation.plan import REGISTERS, SyncPlan
from services.registry.synchronisation.repository import SyncRepository
from services.registry.synchronisation.running import Synchroniser
from services.registry.trials.rules import TrialRules
from shared.clients.outbound import OutboundClient
from shared.persistence import Database
from shared.tasks import BackgroundTasks, RepeatedTask

# Other replicas notice a request after this time at the latest; the one that got it, at once.
POLL_SECONDS = 15.0


@dataclass(slots=True)
class SyncSchedule:
    """The sources of a registry, and what wakes the work on each."""

    plans: dict[str, SyncPlan]
    _woken: dict[str, asyncio.Event] = field(default_factory=dict)

    @property
    def sources(self) -> list[str]:
        """The names of the registers, and of the installations in the settings."""
        return sorted({*REGISTERS, *self.plans})

    async def prepare(self, database: Database) -> None:
        """Store when each source is due: sources that the settings no longer name are due no more."""
        now = datetime.now(UTC)
        async with database.transaction() as connection:
            repository = SyncRepository(connection)
            if database.is_sqlite:
                # The file has one process: a claim is of one that was killed.
                await repository.release()
            states = await repository.states()
            for source in {*states, *self.plans}:
                plan, state = self.plans.get(source), states.get(source)
                hours = plan.hours if plan is not None else None
                due = now if state is None or state.due_at is None else state.due_at
                await repository.ensure(source)
                await repository.schedule(source, None if hours is None else min(due, now + timedelta(hours=hours)))

    def start(
        self,
        tasks: BackgroundTasks,
        database: Database,
        outbound: OutboundClient,
        rules: Callable[[], TrialRules],
        processes: ReadingProcesses,
    ) -> list[RepeatedTask]:
        """Repeat the work on each source in the background."""
        started = []
        for source, plan in self.plans.items():
            connector = open_connector(source, plan, outbound)
            synchroniser = Synchroniser(source, plan, connector, database, rules, processes)
            self._woken[source] = asyncio.Event()
            started.append(tasks.repeat(partial(self._step, synchroniser), f"synchronise_{source}"))
        return started

    def wake(self, source: str) -> None:
        """Look for work on a source now."""
        if source in self._woken:
            self._woken[source].set()

    async def _step(self, synchroniser: Synchroniser) -> None:
        woken = self._woken[synchroniser.source]
        woken.clear()
        await synchroniser.work()
        wait = min(synchroniser.plan.retry_seconds, POLL_SECONDS)
        with suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), wait)
