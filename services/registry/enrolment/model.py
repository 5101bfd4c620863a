"""Places of an enrolment and those who ask for one. Plain data."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from shared.feed.changes import NOT_VISIBLE, Routing

Urgency = Literal["emergency", "urgent", "standard"]
# What a place is counted for, in this order; a trial may leave some out.
Stage = Literal["requested", "consented", "included", "collected", "manufacturing", "released", "conditioned", "dosed"]
PlaceState = Literal["waiting", "held", "confirmed", "decision_due", "used", "given_back", "expired"]
Allocation = Literal["centre", "sponsor"]
Decision = Literal["assign", "recollect", "out_of_spec_release", "withdraw"]
# Why a place is no longer needed (`give_back.json`).
GivenBack = Literal[
    "declined",
    "patient_declined",
    "pre_screen_failure",
    "screen_failure",
    "treatment_withdrawn",
    "consent_withdrawn",
    "lost",
    "died",
    "treated_otherwise",
    "placed_elsewhere",
    "erased",
    "manufacturing_failure",
    "hold_expired",
]
WHOLE = "all"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What decides on the order. ``refer_before``: a month (``YYYY-MM``); ``dosing_limit``: the last day to dose."""

    referred_on: date
    urgency: Urgency = "standard"
    refer_before: str | None = None
    dosing_limit: date | None = None


@dataclass(frozen=True, slots=True)
class Staggering:
    """The interval between dosings of a cohort, over all its sites and countries.

    ``pending``: places taken and not dosed yet; a new one opens at 0. ``opens_on``: the first day on which the next
    place can be taken; None: the decision after the dosing of ``last_dosed_on`` is missing.
    """

    interval_days: int
    needs_decision: bool
    pending: int = 0
    last_dosed_on: date | None = None
    opens_on: date | None = None
    decided_on: date | None = None
    reference: str | None = None

    def is_open(self, today: date) -> bool:
        """Return whether the next place can be taken."""
        return self.pending == 0 and self.opens_on is not None and self.opens_on <= today


@dataclass(frozen=True, slots=True)
class Cohort:
    """The places offered to a cohort of a trial at a centre. ``cohort``: its id, `all` in a trial without cohorts.

    ``taken``: of those offered, with those ``held``. ``hold_days``: how long one is held.
    ``limit_months``: until when a place is of use, after a referral without a stated limit. ``slots``: manufacturing
    slots; None: they are not counted. ``owner``, ``identifier``, ``routing``: of the trial.
    """

    trial_key: str
    centre: str
    cohort: str
    version: int
    offered: int
    allocation: Allocation = "centre"
    hold_days: int = 14
    limit_months: int = 18
    slots: int | None = None
    taken: int = 0
    held: int = 0
    waiting: int = 0
    slots_taken: int = 0
    owner: str | None = None
    staggering: Staggering | None = None
    identifier: str = ""
    routing: Routing = NOT_VISIBLE

    @property
    def id(self) -> tuple[str, str, str]:
        return (self.trial_key, self.centre, self.cohort)


@dataclass(frozen=True, slots=True)
class Counts:
    """Changes of the counts of a cohort."""

    taken: int = 0
    held: int = 0
    waiting: int = 0
    slots: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """The place of one referral, or its wait for one.

    ``state``: `held` until ``expires_at`` (None: it does not expire), `confirmed` by the inclusion, `used` by the
    dosing. `decision_due`: it stays taken until a person decides. ``position``: in the waiting list, from 1; None: it
    does not wait, or is too late. ``limit_on``: the last day on which it is of use, computed where none is stated.
    ``too_late``: it waits, and that day is over. ``slot``: whether it has a manufacturing slot.
    """

    referral: str
    trial_key: str
    centre: str
    cohort: str
    version: int
    state: PlaceState
    stage: Stage
    requested_at: datetime
    referred_on: date
    urgency: Urgency
    limit_on: date
    expires_at: datetime | None = None
    position: int | None = None
    too_late: bool = False
    conditioned: bool = False
    slot: bool = False

    @property
    def is_taken(self) -> bool:
        """Whether it counts as a place of the cohort."""
        return self.state in TAKEN


# The states in which a place is one of those offered.
TAKEN: frozenset[PlaceState] = frozenset({"held", "confirmed", "decision_due", "used"})
