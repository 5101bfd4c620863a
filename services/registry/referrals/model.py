"""A referral and its standing: states and dates of a patient without a name."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

Urgency = Literal["emergency", "urgent", "standard"]
AgreedBy = Literal["patient", "one_holder", "both_holders", "representative"]
ConsentBy = Literal["patient", "both_holders", "sole_authority", "representative"]

# Before consent the hospital leads, after it the centre does; a closed referral only gets information.
BEFORE_CONSENT: Final = frozenset({"sent", "more_asked", "not_now", "accepted", "contacted", "pre_screened"})
AFTER_CONSENT: Final = frozenset(
    {
        "consented",
        "screening",
        "included",
        "collection",
        "manufacturing",
        "released",
        "conditioning",
        "dosed",
        "follow_up",
        "treatment_withdrawn",
    }
)
OPEN: Final = BEFORE_CONSENT | AFTER_CONSENT
ANSWERS: Final = frozenset({"accepted", "declined", "more_asked", "not_now"})
CHECK_AGAIN: Final = "check_again"


@dataclass(frozen=True, slots=True)
class Agreement:
    """The patient's agreement to the referral."""

    on: date
    by: AgreedBy


@dataclass(frozen=True, slots=True)
class Request:
    """What the hospital sent. Months are ``YYYY-MM``.

    ``adult_on``: the month in which a minor becomes 18. ``dosing_limit``: the last day on which dosing makes sense.
    ``disclosure_asked``: the hospital asks to see what happens after consent. ``place``: a place was asked for.
    """

    agreement: Agreement
    minor: bool
    urgency: Urgency
    cohort: str | None = None
    adult_on: str | None = None
    refer_before: str | None = None
    dosing_limit: date | None = None
    disclosure_asked: bool = False
    place: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a referral stands. It follows from its steps (`standing.standing_of`).

    ``since``: the day of its state. ``hospital_…``: as the hospital sees it. ``to_inform``: the patient does not know
    the answer yet. ``own_consent_due``: the month in which a minor who takes part becomes 18. ``check_again``: why.
    """

    version: int
    state: str
    since: date
    hospital_version: int
    hospital_state: str
    hospital_since: date
    ask_again_on: date | None = None
    more_sent: bool = False
    to_inform: bool = False
    own_consent_due: str | None = None
    check_again: str | None = None
    hospital_check_again: str | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral of a patient to a trial at a centre.

    ``trial``: the key of the trial. ``hospital``: the id of the organisation. ``patient``: the reference of the first
    referral of the same patient. ``follows``: the referral that failed screening before.
    """

    reference: str
    trial: str
    centre: str
    hospital: str
    patient: str
    follows: str | None
    sent_at: datetime
    request: Request
    standing: Standing


@dataclass(frozen=True, slots=True)
class Mark:
    """Why referrals must be checked again: those of a trial, or of a patient except the one that causes it.

    ``cause``: that referral; of a trial the safety hold, so that only those in its scope are marked.
    """

    why: str
    trial: str | None = None
    patient: str | None = None
    cause: str | None = None

    @property
    def hold(self) -> str | None:
        """The safety hold in whose scope the referrals are; None: there is none."""
        return None if self.trial is None else self.cause
