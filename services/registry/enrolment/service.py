"""Decides on the places of referrals: who gets one, who waits, and what frees one."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from services.registry.enrolment.model import (
    WHOLE,
    Cohort,
    Counts,
    Decision,
    GivenBack,
    Place,
    PlaceState,
    Stage,
    Waiting,
)
from services.registry.enrolment.problems import (
    ClosedCohortError,
    DecisionDueError,
    NoPlaceError,
    NoSlotError,
    ReasonRequiredError,
)
from services.registry.enrolment.repository import EnrolmentRepository
from services.registry.enrolment.routing import PlaceEvent, change_of_cohort, change_of_place
from services.registry.enrolment.rules import dosed, effect_of, in_order, is_after, limit_of
from services.registry.safety_holds.repository import HoldRepository
from services.registry.safety_holds.service import check_open
from services.registry.schema import FEED
from services.registry.steps.model import Step
from services.registry.steps.problems import WrongStepError
from services.registry.steps.transitions import StepTable
from services.registry.trials.model import StoredTrial
from services.registry.trials.repository import TrialRepository
from shared.persistence import Writing
from shared.values.clock import day_in_france
from shared.values.problems import Fault, NotFoundError

SERVICE: Final = "service/registry"
DECISIONS: Final = StepTable.read(__package__)


class EnrolmentService:
    """Places in one transaction. ``author``: who acts, as `trials.service.author_of` names it."""

    def __init__(self, connection: Writing, now: datetime, author: str = SERVICE) -> None:
        self.connection = connection
        self.repository = EnrolmentRepository(connection)
        self.now = now
        self.today = day_in_france(now)
        self.author = author

    async def request(
        self, referral: str, trial: StoredTrial, centre: str, cohort: str | None, waiting: Waiting
    ) -> Place:
        """Ask for a place of a cohort (None: the only one of this centre); repeated, return what it has.

        The place is `held` if one is free, no other patient waits, and the centre allocates; else it is `waiting`,
        with its position, or `too_late`.

        :raises NoPlaceError: 409, no places are offered there.
        :raises HeldTrialError: 409, a safety hold is in force there.
        """
        known = await self.repository.place(referral, lock=True)
        if known is not None and known.state not in {"given_back", "expired"}:
            return await self.repository.with_position(known, self.today)
        offered = await self._offered(trial.key, centre, cohort)
        holds = await HoldRepository(self.connection).in_force(trial.key)
        check_open(holds, centre, offered.cohort, trial.trial.product.name)
        limit = limit_of(waiting, offered.limit_months)
        place = Place(
            referral, trial.key, centre, offered.cohort, known.version if known else 0, "waiting", "requested",
            self.now, waiting.referred_on, waiting.urgency, limit, too_late=limit < self.today,
        )  # fmt: skip
        if await self._is_free_for(place, offered) and await self._take(offered, Counts(taken=1, held=1)):
            return await self._hold(place, offered, "request")
        await self.repository.count(offered, Counts(waiting=1))
        place = await self._save(place, "request", "enrolment.requested", offered)
        return await self.repository.with_position(place, self.today)

    async def of(self, referral: str) -> Place | None:
        """Return the place of a referral, or its wait, also when it has ended; None: it never asked for one."""
        place = await self.repository.place(referral)
        return None if place is None else await self.repository.with_position(place, self.today)

    async def give_back(self, referral: str, reason_code: GivenBack) -> Place | None:
        """Say that a referral no longer needs its place, or that its manufacturing failed.

        It is free at once, or a decision is due (`give_back.json`): nothing is given back automatically after the
        conditioning has started, and a manufacturing failure takes a decision. None: it has no place.

        :raises WrongStepError: 409, a manufacturing failure of one that is not included.
        """
        place = await self.repository.place(referral, lock=True)
        if place is None or place.state in {"given_back", "expired"}:
            return place
        offered = await self._cohort_of(place)
        if reason_code == "manufacturing_failure" and not is_after(place.stage, "consented"):
            raise WrongStepError(place.state, reason_code, ["included"])
        effect = "free" if place.state == "waiting" else effect_of(place, reason_code)
        if effect == "free":
            return await self._end(place, offered, "give_back", "given_back", reason_code)
        if effect == "keep" or place.state == "decision_due":
            return place
        return await self._ask_for_decision(place, offered, reason_code)

    async def advance(self, referral: str, stage: Stage, on: date | None = None) -> Place | None:
        """Say how far a referral is. ``on``: the day of it; None: today. Return None: it never asked for a place.

        `consented`: the place expires no more. `included` confirms it. `collected` takes a manufacturing slot.
        `conditioned`: nothing frees it automatically. `dosed`: it is used, and the staggering of the cohort begins.

        :raises NoPlaceError: 409, it is to be included and has no place (any more).
        :raises NoSlotError: 409, no manufacturing slot is free.
        :raises DecisionDueError: 409, the manufacturing failed and no one has decided.
        :raises WrongStepError: 409, it is not included yet.
        :raises HeldTrialError: 409, it is to be included, and a safety hold is in force there.
        """
        place = await self.repository.place(referral, lock=True)
        if place is None or place.state == "used":
            return place
        if not place.is_taken and not is_after("included", stage):
            raise NoPlaceError
        if is_after(stage, "included"):
            if place.state == "decision_due":
                raise DecisionDueError
            if not is_after(place.stage, "consented"):
                raise WrongStepError(place.state, stage, ["included"])
        if place.state in {"given_back", "expired"} or not (is_after(stage, place.stage) or stage == "collected"):
            return place
        offered = await self._cohort_of(place)
        if stage == "included":
            await self._check_holds(place)
        return await self._to(place, offered, stage, on or self.today)

    async def decide(self, place: Place, decision: Decision, reason: str | None, kind: str) -> Place:
        """Decide on a place that waits or on which a decision is due. ``kind``: of the deciding organisation.

        ``place``: with the lock of this transaction.

        :raises WrongStepError: 409, its state does not allow this.
        :raises NoPlaceError: 409, no place is free, or the cohort is closed.
        :raises HeldTrialError: 409.
        :raises ReasonRequiredError: 422, another patient comes first.
        """
        target = DECISIONS.after(place.state, decision, kind)
        offered = await self._cohort_of(place)
        if decision == "assign":
            await self._check_holds(place)
            await self._check_order(place, reason)
            return await self._assign(place, offered, reason)
        if target == "given_back":
            return await self._end(place, offered, decision, "given_back", reason)
        kept = replace(place, state=target, stage="included" if decision == "recollect" else place.stage)  # type: ignore[arg-type]
        return await self._save(kept, decision, "enrolment.decided", offered, reason)

    async def waiting_list(self, trial_key: str, centre: str, cohort: str) -> list[Place]:
        """Return who waits, in the suggested order; those that are too late come last, without a position."""
        return in_order(await self.repository.of_cohort(trial_key, centre, cohort, "waiting"), self.today)

    async def forget(self, referral: str) -> None:
        """Delete what is known of a referral. Its place is given back first, if it may be; else it stays counted."""
        await self.give_back(referral, "erased")
        await self.repository.forget(referral)

    async def settle(self, referral: str) -> None:
        """Free a place whose time is over, or say that a patient who waits is too late."""
        place = await self.repository.place(referral, lock=True)
        if place is None:
            return
        offered = await self._cohort_of(place)
        if place.state == "waiting" and place.limit_on < self.today and not place.too_late:
            await self.repository.late_reported(referral)
            self._report("enrolment.decision_due", replace(place, too_late=True), offered)
        elif place.expires_at is not None and place.expires_at <= self.now and place.state == "held":
            await self._end(place, offered, "expire", "expired", "hold_expired")

    async def _offered(self, trial_key: str, centre: str, cohort: str | None) -> Cohort:
        if cohort is None:
            names = {one.cohort for one in await self.repository.cohorts(trial_key, centre)}
            cohort = next(iter(names)) if len(names) == 1 else WHOLE
        offered = await self.repository.cohort(trial_key, centre, cohort)
        if offered is None:
            raise NoPlaceError
        return offered

    async def _cohort_of(self, place: Place) -> Cohort:
        found = await self.repository.cohort(place.trial_key, place.centre, place.cohort)
        if found is None:
            raise NotFoundError
        return found

    async def _is_free_for(self, place: Place, offered: Cohort) -> bool:
        staggering = offered.staggering
        return (
            not place.too_late
            and offered.allocation == "centre"
            and offered.taken < offered.offered
            and (staggering is None or staggering.is_open(self.today))
            and not (offered.waiting and await self.repository.someone_waits(offered, self.today))
        )

    async def _check_holds(self, place: Place) -> None:
        holds = await HoldRepository(self.connection).in_force(place.trial_key)
        if holds:
            product = (await TrialRepository(self.connection).get(place.trial_key)).trial.product.name
            check_open(holds, place.centre, place.cohort, product)

    async def _check_order(self, place: Place, reason: str | None) -> None:
        first = (await self.waiting_list(*_cohort_id(place)))[0]
        if first.referral != place.referral and reason is None:
            raise ReasonRequiredError(
                errors=[Fault(pointer="/reason", code=ReasonRequiredError.code, detail=ReasonRequiredError.title)]
            )

    async def _assign(self, place: Place, offered: Cohort, reason: str | None) -> Place:
        if offered.staggering is not None and not offered.staggering.is_open(self.today):
            raise ClosedCohortError
        if not await self._take(offered, Counts(taken=1, held=1, waiting=-1)):
            raise NoPlaceError
        return await self._hold(place, offered, "assign", reason)

    async def _take(self, offered: Cohort, counts: Counts) -> bool:
        """Count one more place. Return False if there is none left, or another site took that of a staggered cohort."""
        if offered.staggering is not None and not await self.repository.enter(*_staggered(offered), self.today):
            return False
        if await self.repository.count(offered, counts):
            return True
        if offered.staggering is not None:
            await self.repository.leave(*_staggered(offered))
        return False

    async def _hold(self, place: Place, offered: Cohort, action: str, reason: str | None = None) -> Place:
        expires = self.now + timedelta(days=offered.hold_days) if place.stage == "requested" else None
        held = replace(place, state="held", expires_at=expires, too_late=False)
        event: PlaceEvent = "enrolment.decided" if action == "assign" else "enrolment.requested"
        held = await self._save(held, action, event, offered, reason)
        self._report_change(offered, "taken")
        return held

    async def _to(self, place: Place, offered: Cohort, stage: Stage, on: date) -> Place:
        counts, state = Counts(), place.state
        if stage == "included":
            counts, state = replace(counts, held=-1), "confirmed"
        if stage == "collected" and not place.slot and offered.slots is not None:
            counts = replace(counts, slots=1)
        if counts != Counts() and not await self.repository.count(offered, counts):
            raise NoSlotError
        if stage == "dosed":
            state = "used"
            await self._dose(offered, on)
        moved = replace(
            place,
            state=state,
            stage=stage,
            expires_at=None,
            conditioned=place.conditioned or stage == "conditioned",
            slot=place.slot or counts.slots > 0,
        )
        return await self._save(moved, stage, None, offered, on=on)

    async def _dose(self, offered: Cohort, on: date) -> None:
        if offered.staggering is None:
            return
        await self.repository.leave(*_staggered(offered))
        if (locked := await self.repository.staggering(*_staggered(offered))) is not None:
            await self.repository.save_staggering(*_staggered(offered), dosed(locked, on))

    async def _ask_for_decision(self, place: Place, offered: Cohort, reason: GivenBack) -> Place:
        held = -1 if place.state == "held" else 0
        slots = -1 if place.slot and reason == "manufacturing_failure" else 0
        if held or slots:
            await self.repository.count(offered, Counts(held=held, slots=slots))
        due = replace(place, state="decision_due", expires_at=None, slot=place.slot and not slots)
        return await self._save(due, "fail" if slots else "give_back", "enrolment.decision_due", offered, reason)

    async def _end(self, place: Place, offered: Cohort, action: str, state: PlaceState, reason: str | None) -> Place:
        if place.state == "waiting":
            counts = Counts(waiting=-1)
        else:
            counts = Counts(taken=-1, held=-1 if place.state == "held" else 0, slots=-1 if place.slot else 0)
            if offered.staggering is not None:
                await self.repository.leave(*_staggered(offered))
        await self.repository.count(offered, counts)
        ended = replace(place, state=state, expires_at=None, slot=False, too_late=False)
        event: PlaceEvent = "enrolment.expired" if state == "expired" else "enrolment.decided"
        ended = await self._save(ended, action, event, offered, reason)
        if counts.taken:
            self._report_change(offered, "taken")
        return ended

    async def _save(
        self,
        place: Place,
        action: str,
        event: PlaceEvent | None,
        offered: Cohort,
        reason: str | None = None,
        on: date | None = None,
    ) -> Place:
        """Write the next version of a place, its step, and its event (None: none)."""
        place = replace(place, version=place.version + 1)
        organisation = self.author.partition("/")[0]
        detail = {"trial": place.trial_key, "centre": place.centre, "cohort": place.cohort}
        step = Step(action, place.state, self.now, organisation, self.author, on or self.today, reason, detail)
        await self.repository.save(place, step)
        if event is not None:
            self._report(event, place, offered)
        return place

    def _report(self, what: PlaceEvent, place: Place, offered: Cohort) -> None:
        """Send an event of a place."""
        FEED.record(self.connection, change_of_place(what, place, offered))

    def _report_change(self, offered: Cohort, changed: str) -> None:
        """Send the event of changed places."""
        FEED.record(self.connection, change_of_cohort(offered, offered.version + 1, changed))


def _staggered(offered: Cohort) -> tuple[str, str]:
    return offered.trial_key, offered.cohort


def _cohort_id(place: Place) -> tuple[str, str, str]:
    return place.trial_key, place.centre, place.cohort
