"""Decides on referrals: what is sent, what follows, and what becomes of the other referrals of the patient."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from services.registry.centres.repository import CentreRepository
from services.registry.enrolment.service import EnrolmentService
from services.registry.model.references import new_reference
from services.registry.referrals.documents import Surroundings, document_of, head_of
from services.registry.referrals.gates import check_request, check_step, detail_of
from services.registry.referrals.model import CHECK_AGAIN, Agreement, Mark, Referral, Request
from services.registry.referrals.openness import check_open
from services.registry.referrals.places import follow, request_place
from services.registry.referrals.problems import ActiveHoldError, UnknownReferralError
from services.registry.referrals.repository import Filters, Party, ReferralRepository
from services.registry.referrals.routing import changes_of, removal_of
from services.registry.referrals.schemas import Referral as ReferralDocument
from services.registry.referrals.schemas import ReferralHead, ReferralInput, ReferralStepInput
from services.registry.referrals.standing import View, seen_by_hospital, standing_of
from services.registry.safety_holds.model import Hold
from services.registry.safety_holds.problems import HeldTrialError
from services.registry.safety_holds.repository import HoldRepository
from services.registry.schema import FEED
from services.registry.steps.model import Step
from services.registry.steps.transitions import StepTable
from services.registry.trials.model import StoredTrial
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import author_of, check_version
from shared.access.policy import Access, decide
from shared.values.clock import day_in_france
from shared.values.problems import Fault, ForbiddenError, NotFoundError, StaleVersionError
from shared.values.wire import Label

TABLE: Final = StepTable.read("services.registry.referrals")
REGISTRY: Final = "registry"
# The states of a referral that another one can follow.
FAILED: Final = frozenset({"screen_failure", "pre_screen_failure"})
# A hold on one cohort does not stop a referral that names none.
_NO_COHORT: Final = ""
_HOSPITALS_ONLY: Final = Label(
    fr="Seul un hôpital adresse un patient ; le centre répond.",
    en="Only a hospital sends a referral; the centre answers.",
)


def party_of(access: Access) -> Party:
    """Return as which party a caller reads referrals.

    :raises ForbiddenError: 403, a centre whose organisation names no centre.
    """
    caller = access.principal
    if access.rows == "all":
        return Party("coordination")
    of = caller.centre if caller.kind == "centre" else caller.organisation
    if not of or caller.kind not in {"hospital", "centre"}:
        raise ForbiddenError
    return Party("centre" if caller.kind == "centre" else "hospital", of)


class ReferralService:
    """Referrals in one transaction. ``answer_days``: within which a centre answers."""

    def __init__(
        self, repository: ReferralRepository, trials: TrialRepository, centres: CentreRepository, now: datetime,
        answer_days: int,
    ) -> None:  # fmt: skip
        self.repository = repository
        self.trials = trials
        self.centres = centres
        self.now = now
        self.today = day_in_france(now)
        self.answer_days = answer_days

    async def read(self, reference: str, access: Access) -> ReferralDocument:
        """Return a referral of the caller.

        :raises NotFoundError: 404.
        """
        referral = await self._find(reference, party_of(access))
        return await self._document(referral, access, await self.repository.steps.of(reference))

    async def page(
        self, access: Access, state: str | None, trial: str | None, centre: str | None, after: Any, limit: int
    ) -> list[ReferralHead]:
        """Return referrals of the caller, newest first. ``after``: (sent_at, reference) of the last one before."""
        party = party_of(access)
        keys = None if trial is None else await self._keys(trial)
        place = None if after is None else (datetime.fromisoformat(after[0]), str(after[1]))
        found = await self.repository.page(party, Filters(state, keys, centre), place, limit)
        names = await self.trials.heads({one.trial for one in found})
        return [
            head_of(one, party, self._around(names[one.trial].identifier if one.trial in names else one.trial))
            for one in found
        ]

    async def send(self, given: ReferralInput, access: Access) -> ReferralDocument:
        """Send a referral, under a new reference.

        :raises ForbiddenError: 403, the caller is no hospital.
        :raises AgreementRequiredError: 422.
        :raises InvalidBodyError: 422, an impossible date, an unknown cohort or reference.
        :raises NotReferableError: 409, the trial is not public or not open at the centre.
        :raises HeldTrialError: 409, a safety hold is in force there.
        :raises NoPlaceError: 409, it asks for a place and none are offered there.
        :raises ActiveHoldError: 409, it asks for a place and the patient has one.
        """
        party = party_of(access)
        if party.kind != "hospital":
            raise ForbiddenError(_HOSPITALS_ONLY)
        check_request(given, self.today)
        trial = await self._open_trial(given)
        await self._check_holds(trial, given.centre, given.cohort or _NO_COHORT)
        reference = new_reference("REF")
        first = await self._first_of_patient(given, party)
        request = _request(given)
        step = Step(
            "sent", "sent", self.now, party.id, author_of(access.principal).name, self.today,
            detail={"follows": given.follows} if given.follows else {},
        )  # fmt: skip
        referral = Referral(
            reference, trial.key, given.centre, party.id, first or reference, given.follows, self.now, request,
            standing_of([step], party.id, request),
        )  # fmt: skip
        await self.repository.add(referral)
        await self.repository.steps.add(reference, 1, step)
        FEED.record(self.repository.connection, *changes_of(None, referral, step.action, self.today))
        if given.place:
            await self._request_place(referral, trial, access)
        return await self._document(referral, access, [step])

    async def step(
        self, reference: str, given: ReferralStepInput, access: Access, expected: int | None
    ) -> ReferralDocument:
        """Record what was done, from the version ``expected`` that the caller sees (None: from any).

        :raises NotFoundError: 404.
        :raises StaleVersionError: 412.
        :raises WrongStepError: 409, the state does not allow it.
        :raises ForbiddenError: 403, it is for the other party.
        :raises InvalidBodyError: 422, a detail or a date is missing or impossible.
        :raises OwnConsentDueError: 409, the patient has come of age.
        :raises HeldTrialError: 409, a safety hold forbids the inclusion.
        :raises ConflictError: 409, its place is gone, no slot is free, or a decision is due.
        """
        party = party_of(access)
        referral = await self._find(reference, party, lock=True)
        steps = await self.repository.steps.of(reference)
        view = _view(referral, steps, party)
        check_version(expected, view.version)
        state = TABLE.after(view.state, given.action, party.kind)
        if given.action == "included":
            trial = await self.trials.present(referral.trial)
            await self._check_holds(trial, referral.centre, referral.request.cohort)
        standing = referral.standing
        check_step(given, referral.request, view.since, standing.own_consent_due, self.today)
        step = Step(
            given.action,
            # What the hospital can do after consent changes no state, whatever the state is that it does not see.
            standing.state if state == view.state else state,
            self.now,
            access.principal.organisation or party.id,
            author_of(access.principal).name,
            given.on,
            given.reason,
            detail_of(given),
        )
        if given.action == "place_asked":
            await self._request_place(referral, await self.trials.present(referral.trial), access)
        await follow(self._enrolment(access), reference, given.action, given.on)
        changed = await self.add_step(referral, steps, step)
        if given.action == "accepted":
            mark = Mark("accepted_elsewhere", patient=referral.patient, cause=reference)
            await self.repository.add_mark(mark, self.now)
        return await self._document(changed, access, [*steps, step])

    async def delete(self, reference: str, access: Access, expected: int | None) -> None:
        """Delete a referral with its steps: the patient objects, or asks for erasure.

        :raises ForbiddenError: 403, the caller is not the hospital.
        """
        party = party_of(access)
        referral = await self._find(reference, party, lock=True)
        if party.kind != "hospital":
            raise ForbiddenError
        check_version(expected, referral.standing.hospital_version)
        await self.erase(referral)

    async def erase(self, referral: Referral) -> None:
        """Delete a referral with its steps and its place. The feed keeps a tombstone with the reference."""
        await EnrolmentService(self.repository.connection, self.now).forget(referral.reference)
        await self.repository.delete(referral.reference)
        FEED.record(self.repository.connection, removal_of(referral))

    async def add_step(self, referral: Referral, steps: Sequence[Step], step: Step) -> Referral:
        """Write a step with its feed entries.

        :raises StaleVersionError: 412, another writer came first.
        """
        standing = standing_of([*steps, step], referral.hospital, referral.request)
        if not await self.repository.save(referral.reference, standing, referral.standing.version):
            raise StaleVersionError
        await self.repository.steps.add(referral.reference, standing.version, step)
        changed = replace(referral, standing=standing)
        changes = changes_of(referral.standing, changed, step.action, step.on or self.today)
        FEED.record(self.repository.connection, *changes)
        return changed

    async def mark_one(self, referral: Referral, why: str) -> bool:
        """Mark a referral to be checked again. False: it is marked so already."""
        if referral.standing.check_again == why:
            return False
        steps = await self.repository.steps.of(referral.reference)
        step = Step(CHECK_AGAIN, referral.standing.state, self.now, REGISTRY, REGISTRY, self.today, why)
        await self.add_step(referral, steps, step)
        return True

    async def _find(self, reference: str, party: Party, *, lock: bool = False) -> Referral:
        referral = await self.repository.get(reference, party, lock=lock)
        if referral is None:
            raise NotFoundError
        return referral

    async def _open_trial(self, given: ReferralInput) -> StoredTrial:
        trial = await self.trials.find(given.trial, "published")
        sites = [] if trial is None else await self.trials.sites(trial.key)
        return check_open(trial, sites, given.centre, given.cohort)

    async def release(self, referral: Referral) -> None:
        """Give back the place of a referral whose patient was accepted elsewhere."""
        await EnrolmentService(self.repository.connection, self.now).give_back(referral.reference, "placed_elsewhere")

    def _enrolment(self, access: Access) -> EnrolmentService:
        return EnrolmentService(self.repository.connection, self.now, author_of(access.principal).name)

    async def _request_place(self, referral: Referral, trial: StoredTrial, access: Access) -> None:
        """:raises ActiveHoldError: 409, another referral of the patient holds a place."""
        enrolment = self._enrolment(access)
        for one in await self.repository.of_patient(referral.patient, referral.hospital, lock=True):
            if one.reference == referral.reference:
                continue
            place = await enrolment.of(one.reference)
            # Of a place that the hospital does not see, the answer must not say what became of it.
            is_hidden = one.standing.hospital_version != one.standing.version
            if place is not None and (place.is_taken or is_hidden):
                raise ActiveHoldError
        await request_place(enrolment, referral, trial, day_in_france(referral.sent_at))

    async def _check_holds(self, trial: StoredTrial, centre: str, cohort: str | None) -> None:
        """:raises HeldTrialError: 409."""
        holds = await HoldRepository(self.repository.connection).in_force(trial.key)
        if any(_covers(hold, trial, centre, cohort) for hold in holds):
            raise HeldTrialError

    async def held(self, referrals: Sequence[Referral], trial: StoredTrial, hold_id: str) -> list[Referral]:
        """Return those of a trial's referrals that are in the scope of a hold."""
        hold = await HoldRepository(self.repository.connection).get(hold_id)
        return [one for one in referrals if hold and _covers(hold, trial, one.centre, one.request.cohort)]

    async def _first_of_patient(self, given: ReferralInput, party: Party) -> str | None:
        """Return the first referral of the patient, by those that are named.

        :raises UnknownReferralError: 422, one is not of this hospital, is of another patient, or has not failed.
        """
        patients = set()
        for name in ("same_patient_as", "follows"):
            reference = getattr(given, name)
            if reference is None:
                continue
            found = await self.repository.get(reference, party)
            if found is None or (name == "follows" and found.standing.hospital_state not in FAILED):
                raise _unknown(name)
            patients.add(found.patient)
        if len(patients) > 1:
            raise _unknown("follows")
        return next(iter(patients), None)

    async def _keys(self, trial: str) -> list[str]:
        found = await self.trials.find(trial, "all")
        return [] if found is None else [found.key, *found.merged]

    def _around(self, trial: str) -> Surroundings:
        return Surroundings(trial, self.today, self.answer_days)

    async def _document(self, referral: Referral, access: Access, steps: Sequence[Step]) -> ReferralDocument:
        party = party_of(access)
        view = _view(referral, steps, party)
        names = await self.trials.heads([referral.trial])
        around = self._around(names[referral.trial].identifier if referral.trial in names else referral.trial)
        centre = await self.centres.get(referral.centre)
        place = None if party.kind == "coordination" else await self._enrolment(access).of(referral.reference)
        around = replace(around, mailbox=centre.referral_mailbox if centre else None, place=place)
        if party.kind == "hospital":
            fellows = await self.repository.of_patient(referral.patient, referral.hospital)
            others = tuple(one.reference for one in fellows if one.reference != referral.reference)
            around = replace(around, fellows=others)
        return document_of(referral, view, party, _possible(referral, view, access), around)


def _covers(hold: Hold, trial: StoredTrial, centre: str, cohort: str | None) -> bool:
    return hold.covers(centre[:2].upper(), centre, cohort, trial.trial.product.name)


def _view(referral: Referral, steps: Sequence[Step], party: Party) -> View:
    return seen_by_hospital(steps, referral.hospital) if party.kind == "hospital" else View(tuple(steps))


def _possible(referral: Referral, view: View, access: Access) -> list[str]:
    """Return what a caller can do in the state that it sees."""
    if decide(access.principal, "write", "referral") is None:
        return []
    hidden = set() if view.check_again else {"checked"}
    if not referral.request.minor:
        hidden.add("own_consent")
    return [one for one in TABLE.possible(view.state, access.principal.kind) if one not in hidden]


def _request(given: ReferralInput) -> Request:
    return Request(
        Agreement(given.patient_agreement.on, given.patient_agreement.by), given.minor, given.urgency, given.cohort,
        given.adult_on, given.refer_before, given.dosing_limit, given.disclose_after_consent, given.place,
    )  # fmt: skip


def _unknown(name: str) -> UnknownReferralError:
    fault = Fault(pointer=f"/{name}", code=UnknownReferralError.code, detail=UnknownReferralError.title)
    return UnknownReferralError(errors=[fault])
