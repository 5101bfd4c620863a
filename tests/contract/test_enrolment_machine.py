"""The places of a cohort at two centres, whatever is asked in whatever order, on both databases.

No place or slot is given twice, counts and rows agree, and no place is freed that must not be.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete

from services.registry.enrolment.expiry import expire_some
from services.registry.enrolment.model import TAKEN, Cohort, Place, Staggering, Waiting
from services.registry.enrolment.rules import EFFECTS, STAGES, released
from services.registry.enrolment.service import EnrolmentService
from services.registry.enrolment.tables import enrolment_cohorts, enrolment_places, enrolment_staggering
from services.registry.trials.repository import TrialRepository
from shared.persistence import Database
from shared.values.problems import Problem
from tests.contract.parties import CENTRE, NUMBER, OTHER_CENTRE, Parties
from tests.contract.registry import running_registry

REFERRALS: Final = tuple(f"REF-2222-2222-222{number}" for number in range(2, 7))
CENTRES: Final = (CENTRE, OTHER_CENTRE)
REASONS: Final[list[Any]] = sorted(set(EFFECTS) - {"hold_expired"})
DECISIONS: Final[tuple[Any, ...]] = ("assign", "recollect", "out_of_spec_release", "withdraw")
OFFERED, SLOTS, INTERVAL = 2, 1, 28
BEGIN: Final = datetime(2026, 11, 1, tzinfo=UTC)


def machine_for(database: Database, key: str, portal: BlockingPortal) -> type[RuleBasedStateMachine]:
    """Return the machine of the cohort A of a trial."""

    class Places(RuleBasedStateMachine):
        places: dict[str, Place]

        @initialize(staggered=st.booleans(), allocation=st.sampled_from(["centre", "centre", "sponsor"]))
        def begin(self, staggered: bool, allocation: Any) -> None:
            self.now = BEGIN
            self.places = {}

            async def fill(service: EnrolmentService) -> None:
                for table in (enrolment_places, enrolment_cohorts, enrolment_staggering):
                    await service.connection.execute(delete(table))
                for centre in CENTRES:
                    cohort = Cohort(key, centre, "A", 1, OFFERED, allocation, slots=SLOTS)
                    await service.repository.save_cohort(cohort, "test", BEGIN)
                if staggered:
                    staggering = Staggering(INTERVAL, needs_decision=True, opens_on=BEGIN.date())
                    await service.repository.save_staggering(key, "A", staggering)

            self.do(fill)
            for referral, centre in zip(REFERRALS, CENTRES, strict=False):
                self.request(referral, centre, 60)

        @rule(seed=st.integers(0, 2**32 - 1))
        def act(self, seed: int) -> None:
            """Do one of the actions. One rule, because Hypothesis leaves out some rules of many for a whole run."""
            chosen = Random(seed)
            which, referral = chosen.randrange(3), chosen.choice(REFERRALS)
            actions: list[Callable[[], None]] = [
                lambda: self.request(referral, chosen.choice(CENTRES), chosen.randint(-1, 90)),
                lambda: self.advance(which, chosen.choice(STAGES[1:])),
                lambda: self.go_on(which, chosen.choice(["included", "manufacturing", "conditioned", "dosed"])),
                lambda: self.give_back(which, chosen.choice(REASONS)),
                lambda: self.decide(which, chosen.choice(DECISIONS)),
                lambda: self.wait(chosen.randint(1, 16)),
                self.release,
            ]
            chosen.choices(actions, weights=[3, 2, 3, 2, 3, 1, 1])[0]()

        def do(self, work: Callable[[EnrolmentService], Awaitable[Any]]) -> Problem | None:
            """Do something in a transaction, which an expected error rolls back. Return the error."""

            async def run() -> Problem | None:
                try:
                    async with database.transaction() as connection:
                        await work(EnrolmentService(connection, self.now))
                except Problem as problem:
                    return problem
                return None

            return portal.call(run)

        def request(self, referral: str, centre: str, days: int) -> None:
            limit = self.now.date() + timedelta(days=days)

            async def ask(service: EnrolmentService) -> None:
                trial = await TrialRepository(service.connection).get(key)
                await service.request(referral, trial, centre, "A", Waiting(self.now.date(), dosing_limit=limit))

            assert self.do(ask) is None

        def advance(self, which: int, stage: Any) -> None:
            self.do(lambda service: service.advance(self.one(which), stage))

        def go_on(self, which: int, until: Any) -> None:
            """Take all steps up to a later one, so that runs reach it."""
            referral = self.one(which, *TAKEN)
            for stage in STAGES[1 : STAGES.index(until) + 1]:
                self.do(lambda service, stage=stage: service.advance(referral, stage))

        @rule(which=st.integers(0, 2), reason=st.sampled_from(sorted(set(EFFECTS) - {"hold_expired"})))
        def give_back(self, which: int, reason: Any) -> None:
            referral = self.one(which, *TAKEN)
            was = self.places.get(referral)
            self.do(lambda service: service.give_back(referral, reason))
            self.read()
            if was is not None and was.conditioned and was.state in TAKEN:
                assert self.places[referral].state in {"decision_due", "used"}

        def decide(self, which: int, decision: Any) -> None:
            referral = self.one(which, "waiting" if decision == "assign" else "decision_due")

            async def work(service: EnrolmentService) -> None:
                if (place := await service.repository.place(referral, lock=True)) is not None:
                    await service.decide(place, decision, "why", "centre")

            self.do(work)

        def one(self, which: int, *states: str) -> str:
            """Return a referral, one in these states if there is any."""
            found = [one.referral for one in self.places.values() if one.state in states] or list(self.places)
            return found[which % len(found)] if found else REFERRALS[0]

        def wait(self, days: int) -> None:
            was = dict(self.places)
            self.now += timedelta(days=days)
            portal.call(expire_some, database, self.now)
            self.read()
            for referral, place in self.places.items():
                if was[referral].stage != "requested":
                    assert place.state == was[referral].state

        def release(self) -> None:
            async def work(service: EnrolmentService) -> None:
                known = await service.repository.staggering(key, "A")
                if known is not None and known.last_dosed_on is not None:
                    after = released(known, max(service.today, known.last_dosed_on), "1")
                    await service.repository.save_staggering(key, "A", after)

            self.do(work)

        def read(self) -> None:
            async def work(service: EnrolmentService) -> None:
                self.cohorts = await service.repository.cohorts(key)
                for centre in CENTRES:
                    states = (*TAKEN, "waiting", "given_back", "expired")
                    found = await service.repository.of_cohort(key, centre, "A", *states)
                    self.places |= {one.referral: one for one in found}

            self.do(work)

        @invariant()
        def counts_and_rows_agree(self) -> None:
            self.read()
            for cohort in self.cohorts:
                mine = [one for one in self.places.values() if one.centre == cohort.centre]
                taken = [one for one in mine if one.state in TAKEN]
                states = [one.state for one in mine]
                slots = sum(one.slot for one in mine)
                counted = (cohort.taken, cohort.held, cohort.waiting, cohort.slots_taken)
                assert counted == (len(taken), states.count("held"), states.count("waiting"), slots)
                assert cohort.taken <= OFFERED
                assert cohort.slots_taken <= SLOTS
            undosed = [one for one in self.places.values() if one.state in TAKEN - {"used"}]
            if (staggering := self.cohorts[0].staggering) is not None:
                assert staggering.pending == len(undosed) <= 1

    return Places


def test_no_place_is_given_twice_or_freed_too_soon(stocked_url: str) -> None:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running_registry(stocked_url)) as app:
        key = portal.call(Parties(app).make_trial, NUMBER)
        machine = machine_for(app.state.database, key, portal)
        run_state_machine_as_test(machine, settings=settings(max_examples=10, stateful_step_count=30))
