"""Referrals on the wire."""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from services.registry.enrolment.model import PlaceState
from services.registry.model.references import ReferralReference
from services.registry.model.trial import CohortId, PublicNumber, Version
from services.registry.referrals.codes import Coded
from services.registry.referrals.model import AgreedBy, ConsentBy, Urgency
from shared.values.forms import described
from shared.values.wire import ApiModel, Day, Instant, Label
from shared.vocabulary.identifiers import CentreId

Month = Annotated[
    str,
    StringConstraints(
        pattern=described(r"^20[0-9]{2}-(0[1-9]|1[0-2])$", fr="un mois AAAA-MM", en="a month YYYY-MM"),
    ),
]
State = Literal[
    "sent", "more_asked", "not_now", "accepted", "contacted", "pre_screened", "consented", "screening", "included",
    "collection", "manufacturing", "released", "conditioning", "dosed", "follow_up", "treatment_withdrawn",
    "declined", "pre_screen_failure", "screen_failure", "transferred", "completed", "patient_declined",
    "consent_withdrawn", "lost", "died", "treated_otherwise",
]  # fmt: skip
Action = Literal[
    "more_sent", "asked_again", "accepted", "declined", "more_asked", "not_now", "contacted", "pre_screened",
    "pre_screen_failure", "consented", "screening", "screen_failure", "included", "collection", "manufacturing",
    "manufacturing_failed", "released", "conditioning", "dosed", "follow_up", "transferred", "completed",
    "patient_declined", "treatment_withdrawn", "consent_withdrawn", "lost", "died", "treated_otherwise",
    "place_asked", "own_consent", "disclosure_agreed", "disclosure_withdrawn", "patient_informed", "checked",
]  # fmt: skip
# The fields of a step that only some actions have.
DETAILS: Final = (
    "reason", "items", "ask_again_on", "consent", "disclose", "out_of_specification", "accepted_on", "of",
)  # fmt: skip
ReasonCode = Annotated[
    str,
    Coded("decline_reasons", "failure_reasons", "not_now_reasons", "withdrawal_reasons", "manufacturing_reasons"),
]
AskedItem = Annotated[str, Coded("asked_items")]
WhyAgain = Annotated[str, Coded("check_again")]
_REFER_BEFORE = "The last month in which a referral makes sense, such as that of an age limit."
_DOSING_LIMIT = "The last day on which dosing makes sense, from the course of the disease. An age limit goes by month."


class PatientAgreement(ApiModel):
    """The patient's agreement to the referral."""

    given: bool = Field(description="Must be true: without agreement nothing is sent.")
    on: Day = Field(description="When it was given.")
    by: AgreedBy = Field(
        description="The one who gave it: `patient` or `representative` for an adult; `one_holder` or `both_holders` "
        "of parental authority, or `representative`, for a minor."
    )


class ReferralInput(ApiModel):
    """A referral as the hospital sends it: codes, dates and months. No name, number or text of a person."""

    trial: PublicNumber = Field(description="The `id` of the trial, or any of its numbers.")
    centre: CentreId = Field(description="The id of the centre.")
    cohort: CohortId | None = Field(
        default=None, description="The cohort of enrolment, never a randomised arm; null: any."
    )
    patient_agreement: PatientAgreement = Field(description="That the patient agrees to the referral.")
    minor: bool = Field(description="Whether the patient is under 18.")
    adult_on: Month | None = Field(default=None, description="The month in which a minor becomes 18; null: not given.")
    urgency: Urgency = Field(description="The clinician's urgency.")
    refer_before: Month | None = Field(default=None, description=_REFER_BEFORE)
    dosing_limit: Day | None = Field(default=None, description=_DOSING_LIMIT)
    disclose_after_consent: bool = Field(
        description="Whether the hospital asks to see what happens after consent. The centre records with the consent "
        "whether the patient agrees."
    )
    place: bool = Field(description="Whether to ask for an enrolment place at once.")
    same_patient_as: ReferralReference | None = Field(
        default=None, description="Another referral of this hospital for the same patient; null: none."
    )
    follows: ReferralReference | None = Field(
        default=None, description="The referral of this hospital that failed screening and is tried again; null: none."
    )


class TrialConsent(ApiModel):
    """The consent to the trial."""

    by: ConsentBy = Field(
        description="`patient` or `representative` for an adult; for a minor `both_holders`, or `sole_authority`."
    )
    sole_authority: Annotated[str, Coded("sole_authority")] | None = Field(
        default=None, description="With `sole_authority`: why one holder of parental authority consents alone."
    )
    assent: Literal["given", "not_able"] | None = Field(
        default=None, description="Of a minor: the assent, or that the minor is not able to express it."
    )


class ReferralStepInput(ApiModel):
    """What was done about a referral, and when."""

    action: Action = Field(description="What was done: most actions have the name of the state to which they lead.")
    on: Day = Field(description="When it was done: not in the future, and not before the step before.")
    reason: ReasonCode | None = Field(default=None, description="Why, by a code of the list of the action.")
    items: Annotated[list[AskedItem], Field(min_length=1, max_length=20)] | None = Field(
        default=None, description="With `more_asked`: what is missing in the file."
    )
    ask_again_on: Day | None = Field(default=None, description="With `not_now`: when to ask again.")
    consent: TrialConsent | None = Field(default=None, description="With `consented`: who consented.")
    disclose: bool | None = Field(
        default=None,
        description="With `consented`: whether the patient agrees that the hospital sees what happens from now on.",
    )
    out_of_specification: bool | None = Field(
        default=None, description="With `released`: whether the product was released out of specification."
    )
    accepted_on: Day | None = Field(
        default=None, description="With `transferred`: when those who receive the patient accepted it."
    )
    of: Annotated[str, Coded("informed_of")] | None = Field(
        default=None, description="With `patient_informed`: what the patient was informed of."
    )


class ReferralStep(ApiModel):
    """A step of a referral."""

    action: Action | Literal["sent", "check_again"] = Field(
        description="What was done. `check_again`: the registry marked the referral."
    )
    state: State = Field(description="The state after it.")
    on: Day = Field(description="When it was done.")
    by: Literal["hospital", "centre", "registry"] = Field(description="Who did it.")
    reason: ReasonCode | WhyAgain | None = Field(description="Why; null: no code, or the caller may not see it.")
    items: list[AskedItem] | None = Field(description="What was missing in the file.")
    ask_again_on: Day | None = Field(description="When to ask again.")
    consent: TrialConsent | None = Field(description="Who consented; null: no consent, or the caller may not see it.")
    disclose: bool | None = Field(description="Whether the patient agreed that the hospital sees what follows.")
    out_of_specification: bool | None = Field(description="Whether the product was released out of specification.")
    accepted_on: Day | None = Field(description="When those who receive the patient accepted it.")
    of: Annotated[str, Coded("informed_of")] | None = Field(description="What the patient was informed of.")


class AccessClock(ApiModel):
    """The time from sending to a step: time to access."""

    to: Literal["answer", "contact", "pre_screening", "consent", "inclusion", "collection", "dosing"] = Field(
        description="The step: the first of its kind."
    )
    on: Day = Field(description="When it was done.")
    days: int = Field(description="Calendar days since the referral was sent.")
    working_days: int = Field(description="French working days since then.")


class FileAddress(ApiModel):
    """Where the identity and the file of the patient go: never to this registry."""

    mailbox: str | None = Field(description="The centre's mailbox (MSSanté); null: ask the centre for it.")
    quote: Label = Field(
        description="For the reader: the hospital sends the file, the centre gets it; with the reference to quote."
    )


class ReferralPlace(ApiModel):
    """The enrolment place of a referral, or its wait for one."""

    state: PlaceState = Field(
        description="`waiting`; `held` until `expires_at`; `confirmed` by the inclusion; `decision_due`; `used` by the "
        "dosing; `given_back`; `expired`."
    )
    position: int | None = Field(description="The suggested position in the waiting list; null: it is in none.")
    expires_at: Instant | None = Field(description="Until when it is held; null: it does not expire.")
    too_late: bool = Field(description="Whether it waits and the patient can no longer be dosed in time.")


class ReferralHead(ApiModel):
    """A referral in a list. What the caller may not see is null."""

    reference: ReferralReference = Field(description="The reference, which this registry gave at random.")
    version: Version = Field(description="The version that the caller sees, as in the `ETag`.")
    state: State = Field(
        description="The state. The hospital sees states after `consented` only if the patient agrees."
    )
    since: Day = Field(description="The day of the state.")
    sent_at: Instant = Field(description="When it was sent.")
    trial: PublicNumber = Field(description="The preferred public number of the trial.")
    trial_id: str = Field(description="The id of the trial.")
    centre: CentreId = Field(description="The id of the centre.")
    hospital: str | None = Field(description="The id of the organisation that sent it.")
    cohort: CohortId | None = Field(description="The cohort of enrolment.")
    urgency: Urgency | None = Field(description="The clinician's urgency.")
    refer_before: Month | None = Field(description=_REFER_BEFORE)
    answer_due: Day | None = Field(description="When the answer of the centre is due; null: none is.")
    ask_again_on: Day | None = Field(description="In the state `not_now`: when to ask again.")
    check_again: WhyAgain | None = Field(description="Why the referral must be checked again; null: it need not be.")


class Referral(ReferralHead):
    """A referral with its steps, and what the caller can do."""

    patient_agreement: PatientAgreement | None = Field(description="The patient's agreement to the referral.")
    minor: bool | None = Field(description="Whether the patient was under 18 when it was sent.")
    adult_on: Month | None = Field(description="The month in which the minor becomes 18.")
    own_consent_due: bool | None = Field(description="Whether a minor who takes part has come of age without consent.")
    dosing_limit: Day | None = Field(description=_DOSING_LIMIT)
    too_late: bool | None = Field(description="Whether `dosing_limit` or `refer_before` has passed before dosing.")
    disclose_after_consent: bool | None = Field(description="Whether the hospital asked to see what follows.")
    same_patient: list[ReferralReference] | None = Field(
        description="Other referrals of the same patient, for the hospital; null for others."
    )
    follows: ReferralReference | None = Field(description="The referral that failed screening before.")
    steps: list[ReferralStep] = Field(description="The steps that the caller may see, oldest first.")
    possible: list[Action] = Field(description="What the caller can do now.")
    clocks: list[AccessClock] = Field(description="Time to access so far.")
    place: ReferralPlace | None = Field(
        description="The enrolment place; null: none was asked for, or the caller may not see it."
    )
    file: FileAddress | None = Field(description="Where the file goes; null for others than hospital and centre.")


class ReferralPage(ApiModel):
    """A page of referrals."""

    items: list[ReferralHead] = Field(description="The referrals of this page, newest first.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


def last_day(month: str) -> date:
    """Return the last day of a month ``YYYY-MM``."""
    year, number = int(month[:4]), int(month[5:])
    following = date(year + number // 12, number % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)
