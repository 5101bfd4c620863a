"""What is offered in a cohort, who decides on its places, and the release of a staggered one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby

from services.registry.enrolment.model import WHOLE, Cohort, Place, Staggering
from services.registry.enrolment.problems import BelowTakenError, NotStaggeredError, ReasonRequiredError
from services.registry.enrolment.repository import EnrolmentRepository
from services.registry.enrolment.routing import change_of_cohort
from services.registry.enrolment.rules import dosed, released
from services.registry.enrolment.schemas import (
    Closed,
    CohortReleaseInput,
    EnrolmentDocument,
    EnrolmentInput,
    PlaceDecisionInput,
    PlaceDocument,
    PlaceList,
    StaggeringInput,
    document_of,
)
from services.registry.enrolment.service import DECISIONS, EnrolmentService
from services.registry.model.precondition import Precondition
from services.registry.safety_holds.model import Hold
from services.registry.safety_holds.repository import HoldRepository
from services.registry.safety_holds.service import FRANCE, check_past
from services.registry.trials.model import StoredTrial
from services.registry.trials.service import TrialService, author_of, check_version
from shared.access.policy import Access
from shared.values.clock import day_in_france
from shared.values.problems import AlreadyExistsError, Fault, ForbiddenError, InvalidBodyError, NotFoundError
from shared.values.wire import Label


class CohortService:
    """The cohorts of trials in one transaction, for a caller."""

    def __init__(self, trials: TrialService, access: Access) -> None:
        self.trials = trials
        self.access = access
        self.principal = access.principal
        self.author = author_of(access.principal).name
        connection = trials.repository.connection
        self.repository = EnrolmentRepository(connection)
        self.holds = HoldRepository(connection)
        self.places = EnrolmentService(connection, trials.now, self.author)
        self.today = day_in_france(trials.now)

    async def of_trial(self, identifier: str) -> list[EnrolmentDocument]:
        """Return the places of a trial in numbers: a centre gets its own.

        :raises NotFoundError: 404.
        """
        stored = await self._find(identifier)
        centre = self.principal.centre if self._is_centre else None
        found = await self.repository.cohorts(stored.key, centre)
        return await self._documents(stored, found)

    async def of_all(self, limit: int, after: tuple[str, str, str] | None) -> list[EnrolmentDocument]:
        """Return the places of all trials in numbers, by trial, centre and cohort. ``after``: where the page begins.

        A centre gets its own, a sponsor those of its trials, others those of published trials, the coordination all.
        """
        found = await self.repository.page(
            limit,
            after,
            centre=(self.principal.centre or "") if self._is_centre else None,
            owner=self.principal.organisation if self.principal.kind == "sponsor" else None,
            published=self.access.rows != "all",
        )
        documents: list[EnrolmentDocument] = []
        for key, cohorts in groupby(found, key=lambda one: one.trial_key):
            documents += await self._documents(await self.trials.repository.get(key), list(cohorts))
        return documents

    async def read(self, identifier: str, centre: str, cohort: str) -> EnrolmentDocument:
        """Return the places of a cohort at a centre in numbers.

        :raises NotFoundError: 404.
        """
        stored = await self._find(identifier)
        found = [one for one in await self.repository.cohorts(stored.key, centre) if one.cohort == cohort]
        if not found or not self._is_of(centre):
            raise NotFoundError
        return (await self._documents(stored, found))[0]

    async def put(
        self, identifier: str, centre: str, cohort: str, given: EnrolmentInput, expected: Precondition
    ) -> EnrolmentDocument:
        """Declare what a centre offers in a cohort.

        :raises NotFoundError: 404, no such trial, site or cohort, or of another centre; or nothing to replace.
        :raises ForbiddenError: 403, a centre changes the allocation or the staggering.
        :raises AlreadyExistsError: 412. :raises StaleVersionError: 412.
        :raises BelowTakenError: 422.
        """
        stored = await self._find(identifier)
        if not self._is_of(centre):
            raise NotFoundError
        await self._check_exists(stored, centre, cohort)
        await self.repository.lock_cohorts(stored.key, cohort)
        present = await self.repository.cohort(stored.key, centre, cohort)
        self._check_expected(present, expected)
        before = present or Cohort(stored.key, centre, cohort, 0, 0, staggering=None)
        cohort_after = replace(
            before,
            version=before.version + 1,
            offered=given.offered,
            allocation=given.allocation,
            hold_days=given.hold_days,
            limit_months=given.limit_months,
            slots=given.manufacturing.slots if given.manufacturing else None,
        )
        _check_counts(cohort_after)
        if self._is_centre and (given.allocation != before.allocation or given.staggering is not None):
            raise ForbiddenError(_BY_SPONSOR)
        await self.repository.save_cohort(cohort_after, self.author, self.trials.now)
        if given.staggering is not None:
            await self._stagger(stored.key, cohort, given.staggering)
        written = [one for one in await self.repository.cohorts(stored.key, centre) if one.cohort == cohort]
        self.trials.writer.record(change_of_cohort(written[0], written[0].version, "offered"))
        return (await self._documents(stored, written))[0]

    async def list_places(self, identifier: str, centre: str, cohort: str) -> PlaceList:
        """Return who has a place of a cohort, and who waits. A sponsor sees them where it allocates, without dates.

        :raises NotFoundError: 404, or the caller may not see them.
        """
        stored = await self._find(identifier)
        offered = await self._offered(stored.key, centre, cohort)
        waiting = await self.places.waiting_list(*offered.id)
        taken = await self.repository.of_cohort(*offered.id, "held", "confirmed", "decision_due")
        return PlaceList(
            waiting=[self._place(one, offered) for one in waiting], taken=[self._place(one, offered) for one in taken]
        )

    async def decide(
        self, identifier: str, centre: str, cohort: str, referral: str, given: PlaceDecisionInput, expected: int | None
    ) -> PlaceDocument:
        """Decide on a place of a cohort.

        :raises NotFoundError: 404. :raises StaleVersionError: 412.
        :raises ForbiddenError: 403, another organisation decides.
        """
        stored = await self._find(identifier)
        place = await self.repository.place(referral, lock=True)
        if place is None or (place.trial_key, place.centre, place.cohort) != (stored.key, centre, cohort):
            raise NotFoundError
        offered = await self._offered(stored.key, centre, cohort)
        if not self._decides(offered):
            raise ForbiddenError(_BY_ALLOCATOR)
        check_version(expected, place.version)
        if given.decision == "withdraw" and given.reason is None:
            raise ReasonRequiredError(
                Label(fr="un retrait demande une raison", en="to withdraw takes a reason"),
                errors=[Fault(pointer="/reason", code=ReasonRequiredError.code, detail=_REASON)],
            )
        decided = await self.places.decide(place, given.decision, given.reason, self.principal.kind)
        return self._place(decided, offered)

    async def release(self, identifier: str, cohort: str, given: CohortReleaseInput) -> list[EnrolmentDocument]:
        """Record the decision to go on after the last dosing of a staggered cohort.

        :raises ForbiddenError: 403, by another than the owner of the trial (without owner: the coordination).
        :raises NotStaggeredError: 409, no decision is awaited.
        """
        stored = await self._find(identifier)
        owner = await self.trials.repository.owner(stored.key)
        by_owner = self.principal.organisation == owner if owner else self.principal.kind == "coordination"
        if not by_owner:
            raise ForbiddenError(_BY_SPONSOR)
        staggering = await self.repository.staggering(stored.key, cohort)
        if staggering is None or not staggering.needs_decision or staggering.last_dosed_on is None:
            raise NotStaggeredError
        check_past(given.decided_on, self.today)
        _check_after(given.decided_on, staggering.last_dosed_on)
        after = released(staggering, given.decided_on, given.reference)
        await self.repository.save_staggering(stored.key, cohort, after)
        found = [one for one in await self.repository.cohorts(stored.key) if one.cohort == cohort]
        for one in found:
            self.trials.writer.record(change_of_cohort(one, one.version, "opens_on"))
        return await self._documents(stored, found)

    async def _stagger(self, trial_key: str, cohort: str, given: StaggeringInput) -> None:
        """Write the interval of a cohort; what was dosed stays known."""
        check_past(given.last_dosed_on, self.today, "/staggering/last_dosed_on")
        if given.interval_days == 0 and not given.needs_decision:
            await self.repository.save_staggering(trial_key, cohort, None)
            return
        known = await self.repository.staggering(trial_key, cohort)
        after = replace(
            known or Staggering(0, needs_decision=False, opens_on=self.today),
            interval_days=given.interval_days,
            needs_decision=given.needs_decision,
            pending=await self.repository.undosed(trial_key, cohort),
        )
        last = max(filter(None, (after.last_dosed_on, given.last_dosed_on)), default=None)
        decided = after.decided_on if last == after.last_dosed_on else None
        if last is not None:
            after = dosed(after, last)
        if decided is not None and known is not None:
            after = released(after, decided, known.reference or "")
        await self.repository.save_staggering(trial_key, cohort, after)

    async def _find(self, identifier: str) -> StoredTrial:
        """Return a trial that the caller may see; a sponsor only its own ones."""
        stored = await self.trials.find(identifier, "all" if self.access.rows == "all" else "published")
        if self.principal.kind == "sponsor":
            owner = await self.trials.repository.owner(stored.key)
            if owner is None or owner != self.principal.organisation:
                raise NotFoundError
        return stored

    async def _offered(self, trial_key: str, centre: str, cohort: str) -> Cohort:
        """Return a cohort whose places the caller may see one by one."""
        found = [one for one in await self.repository.cohorts(trial_key, centre) if one.cohort == cohort]
        if not found or self.access.rows == "published" or not self._is_of(centre):
            raise NotFoundError
        if self.principal.kind == "sponsor" and found[0].allocation != "sponsor":
            raise NotFoundError
        return found[0]

    async def _check_exists(self, stored: StoredTrial, centre: str, cohort: str) -> None:
        if cohort not in ([one.id for one in stored.trial.cohorts] or [WHOLE]):
            raise NotFoundError(_NO_COHORT)
        if centre not in {site.centre for site in await self.trials.repository.sites(stored.key) if site.is_known}:
            raise NotFoundError(_NO_SITE)

    def _is_of(self, centre: str) -> bool:
        """Return whether the caller is no centre, or this one."""
        return not self._is_centre or centre == self.principal.centre

    def _check_expected(self, present: Cohort | None, expected: Precondition) -> None:
        if expected.creates and present is not None:
            raise AlreadyExistsError
        if not expected.creates and present is None:
            raise NotFoundError
        if present is not None:
            check_version(expected.version, present.version)

    @property
    def _is_centre(self) -> bool:
        return self.principal.kind == "centre"

    def _decides(self, offered: Cohort) -> bool:
        if offered.allocation == "sponsor" and offered.owner is not None:
            return self.principal.organisation == offered.owner
        return self._is_centre or self.principal.kind == "coordination"

    def _place(self, place: Place, offered: Cohort) -> PlaceDocument:
        possible = DECISIONS.possible(place.state, self.principal.kind) if self._decides(offered) else []
        return PlaceDocument.of(place, possible, with_dates=self.principal.kind != "sponsor")

    async def _documents(self, stored: StoredTrial, found: Sequence[Cohort]) -> list[EnrolmentDocument]:
        holds = await self.holds.in_force(stored.key)
        product, whole = stored.trial.product.name, self.access.rows != "published"
        return [
            document_of(one, stored.trial.identifier, self._closed(one, holds, product), whole=whole) for one in found
        ]

    def _closed(self, cohort: Cohort, holds: Sequence[Hold], product: str | None) -> list[Closed]:
        closed: list[Closed] = []
        if cohort.taken >= cohort.offered:
            closed.append("none_free")
        if cohort.staggering is not None and not cohort.staggering.is_open(self.today):
            closed.append("staggering")
        if any(hold.covers(FRANCE, cohort.centre, cohort.cohort, product) for hold in holds):
            closed.append("safety_hold")
        return closed


_NO_COHORT = Label(
    fr="L'essai n'a pas de cohorte de cet identifiant ; un essai sans cohorte a la cohorte all.",
    en="The trial has no cohort with this id; a trial without cohorts has the cohort all.",
)
_NO_SITE = Label(fr="Ce centre n'est pas un site de l'essai.", en="This centre is no site of the trial.")
_BY_SPONSOR = Label(
    fr="Le promoteur de l'essai en décide, ou la coordination s'il n'en a pas.",
    en="The sponsor of the trial decides on this, or the coordination if it has none.",
)
_BY_ALLOCATOR = Label(
    fr="Dans cette cohorte, le promoteur attribue les places ; le centre ne le fait que si la cohorte le prévoit.",
    en="In this cohort the sponsor assigns the places; the centre does so only where the cohort says so.",
)
_REASON = Label(fr="raison requise", en="a reason is required")
_BEFORE = Label(fr="est avant la dernière administration", en="is before the last dosing")


def _check_counts(cohort: Cohort) -> None:
    faults = [
        Fault(pointer=pointer, code=BelowTakenError.code, detail=BelowTakenError.title)
        for pointer, there, taken in (
            ("/offered", cohort.offered, cohort.taken),
            ("/manufacturing/slots", cohort.slots, cohort.slots_taken),
        )
        if there is not None and there < taken
    ]
    if faults:
        raise BelowTakenError(errors=faults)


def _check_after(day: date, last: date) -> None:
    if day < last:
        raise InvalidBodyError(_BEFORE, errors=[Fault(pointer="/decided_on", code="before_last_step", detail=_BEFORE)])
