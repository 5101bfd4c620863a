"""What a step of a referral means for its enrolment place."""

from datetime import date
from typing import Final

from services.registry.enrolment.model import GivenBack, Place, Stage, Waiting
from services.registry.enrolment.service import EnrolmentService
from services.registry.referrals.model import Referral
from services.registry.trials.model import StoredTrial

# How far a referral is after an action, and which action ends its need for a place.
STAGES: Final[dict[str, Stage]] = {
    "consented": "consented",
    "included": "included",
    "collection": "collected",
    "manufacturing": "manufacturing",
    "released": "released",
    "conditioning": "conditioned",
    "dosed": "dosed",
}
GIVEN_BACK: Final[dict[str, GivenBack]] = {
    "declined": "declined",
    "patient_declined": "patient_declined",
    "pre_screen_failure": "pre_screen_failure",
    "screen_failure": "screen_failure",
    "treatment_withdrawn": "treatment_withdrawn",
    "consent_withdrawn": "consent_withdrawn",
    "lost": "lost",
    "died": "died",
    "treated_otherwise": "treated_otherwise",
    "manufacturing_failed": "manufacturing_failure",
}


async def request_place(enrolment: EnrolmentService, referral: Referral, trial: StoredTrial, sent: date) -> Place:
    """Ask for a place of a referral.

    :raises NoPlaceError: 409, no places are offered there.
    :raises HeldTrialError: 409.
    """
    request = referral.request
    waiting = Waiting(sent, request.urgency, request.refer_before, request.dosing_limit)
    return await enrolment.request(referral.reference, trial, referral.centre, request.cohort, waiting)


async def follow(enrolment: EnrolmentService, reference: str, action: str, on: date) -> None:
    """Move or give back the place of a referral after an action.

    :raises NoPlaceError: 409, it is to be included and its place is gone.
    :raises NoSlotError: 409, no manufacturing slot is free.
    :raises DecisionDueError: 409, no one has decided after a failed manufacturing.
    """
    if action in STAGES:
        await enrolment.advance(reference, STAGES[action], on)
    elif action in GIVEN_BACK:
        await enrolment.give_back(reference, GIVEN_BACK[action])
