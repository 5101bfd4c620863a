"""Places on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from services.registry.enrolment.model import Allocation, Cohort, Decision, Place, PlaceState, Stage, Urgency
from services.registry.model.references import ReferralReference
from services.registry.model.texts import ImpersonalLine
from services.registry.model.trial import PublicNumber, Version
from shared.values.wire import ApiModel, Day, Instant
from shared.vocabulary.identifiers import CentreId

MAX_PLACES = 10_000
Count = Annotated[int, Field(ge=0, le=MAX_PLACES)]
Closed = Literal["none_free", "staggering", "safety_hold"]
_ALLOCATION = "Who assigns a place: the `centre`, or the `sponsor`, as in dose escalation."
_LAST = "The last dosing of the cohort in any country."
_OPENS = "The first day on which the next place opens; null: the decision is missing, or nothing is staggered."


class ManufacturingInput(ApiModel):
    """The manufacturing slots of a cohort at a centre. They are apart from the places."""

    slots: Count = Field(description="The number of slots. One is taken at each collection.")


class StaggeringInput(ApiModel):
    """The interval between dosings, over all sites and countries. Only the sponsor and the coordination set it."""

    interval_days: Annotated[int, Field(ge=0, le=3650)] = Field(description="Days from a dosing to the next place.")
    needs_decision: bool = Field(description="Whether the next place also takes a decision after each dosing.")
    last_dosed_on: Day | None = Field(
        default=None, description="The last dosing elsewhere, such as in another country; null: as it is known here."
    )


class EnrolmentInput(ApiModel):
    """The places that a centre offers in a cohort."""

    offered: Count = Field(description="All places: those that are free, taken and used.")
    allocation: Allocation = Field(default="centre", description=_ALLOCATION)
    hold_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=14, description="For how many days a place is held for a patient who has not consented yet."
    )
    limit_months: Annotated[int, Field(ge=1, le=120)] = Field(
        default=18, description="Months after which a referral without a stated limit is too late."
    )
    manufacturing: ManufacturingInput | None = Field(default=None, description="Null: slots are not counted.")
    staggering: StaggeringInput | None = Field(
        default=None, description="Null: as it is. An interval of 0 without decision: none."
    )


class ManufacturingSlots(ApiModel):
    """The manufacturing slots of a cohort at a centre."""

    slots: int = Field(description="All of them.")
    taken: int = Field(description="Those that are taken.")


class StaggeringDocument(ApiModel):
    """The interval between dosings of a cohort, over all sites and countries."""

    interval_days: int = Field(description="Days from a dosing to the next place.")
    needs_decision: bool = Field(description="Whether the next place also takes a decision.")
    pending: int = Field(description="Places that are taken and not dosed yet.")
    last_dosed_on: Day | None = Field(description=_LAST)
    decided_on: Day | None = Field(description="The day of the decision after it; null: none yet.")
    reference: str | None = Field(description="The number of that decision; null: or the caller may not see it.")
    opens_on: Day | None = Field(description=_OPENS)


class EnrolmentDocument(ApiModel):
    """The places of a cohort at a centre, in numbers."""

    trial: PublicNumber = Field(description="The preferred public number of the trial.")
    trial_id: str = Field(description="The id of the trial.")
    centre: CentreId = Field(description="The id of the centre.")
    cohort: str = Field(description="The id of the cohort; `all`: the trial has none.")
    version: Version = Field(description="The version, as in the `ETag`: every place that is taken or freed raises it.")
    offered: int = Field(description="All places.")
    held: int = Field(description="Those that are held for patients who are not included yet.")
    used: int = Field(description="Those of included and dosed patients.")
    waiting: int = Field(description="How many wait.")
    free: int = Field(description="Places that can be taken now: 0 while something closes the cohort.")
    closed: list[Closed] = Field(
        description="What closes the cohort now: `none_free`, `staggering` (read `opens_on`), `safety_hold`."
    )
    allocation: Allocation = Field(description=_ALLOCATION)
    hold_days: int = Field(description="For how many days a place is held.")
    limit_months: int = Field(description="Months after which a referral without a stated limit is too late.")
    manufacturing: ManufacturingSlots | None = Field(description="Null: slots are not counted.")
    staggering: StaggeringDocument | None = Field(description="Null: dosings are not staggered.")


class EnrolmentList(ApiModel):
    """The places of a trial."""

    items: list[EnrolmentDocument] = Field(description="By centre and cohort.")


class EnrolmentPage(ApiModel):
    """A page of the places of trials."""

    items: list[EnrolmentDocument] = Field(description="By trial, centre and cohort.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


class PlaceDocument(ApiModel):
    """The place of a referral, or its wait for one."""

    referral: ReferralReference = Field(description="The reference of the referral.")
    version: Version = Field(description="The version, as in the `ETag` of a decision.")
    state: PlaceState = Field(
        description="`waiting`; `held`, until `expires_at`; `confirmed` by the inclusion; `decision_due`: it stays "
        "taken until someone decides; `used` by the dosing; `given_back`; `expired`."
    )
    stage: Stage = Field(description="How far the referral is.")
    urgency: Urgency = Field(description="The clinician's urgency.")
    requested_at: Instant = Field(description="When the place was asked for.")
    position: int | None = Field(description="The suggested position in the waiting list; null: it is in none.")
    too_late: bool = Field(description="Whether it waits and can no longer be dosed in time.")
    limit_on: Day | None = Field(
        description="The last day on which a place is of use, stated or computed; null: a sponsor does not see it."
    )
    referred_on: Day | None = Field(description="The day of the referral; null: a sponsor does not see it.")
    expires_at: Instant | None = Field(description="Until when it is held; null: it does not expire.")
    slot: bool = Field(description="Whether it has a manufacturing slot.")
    possible: list[str] = Field(description="What the caller can decide now.")

    @classmethod
    def of(cls, place: Place, possible: list[str], *, with_dates: bool) -> "PlaceDocument":
        """Return a place as readers get it. ``with_dates``: also those of the referral."""
        return cls(
            referral=place.referral, version=place.version, state=place.state, stage=place.stage,
            urgency=place.urgency, requested_at=place.requested_at, position=place.position,
            too_late=place.too_late, limit_on=place.limit_on if with_dates else None,
            referred_on=place.referred_on if with_dates else None, expires_at=place.expires_at, slot=place.slot,
            possible=possible,
        )  # fmt: skip


class PlaceList(ApiModel):
    """The places of a cohort that are taken, and the waiting list."""

    waiting: list[PlaceDocument] = Field(
        description="In the suggested order: who can still be dosed in time, then urgency, limit and day of "
        "the referral."
    )
    taken: list[PlaceDocument] = Field(description="Those who have one, dosed patients left out.")


class PlaceDecisionInput(ApiModel):
    """A decision on a place."""

    decision: Decision = Field(
        description="`assign`: give a place to one who waits. After a manufacturing failure or a withdrawal after the "
        "conditioning: `recollect` or `out_of_spec_release` keep the place, `withdraw` frees it."
    )
    reason: ImpersonalLine | None = Field(
        default=None, description="Why: kept with the decision. Required out of the suggested order, and to withdraw."
    )


class CohortReleaseInput(ApiModel):
    """The decision of the committee or the sponsor to go on after a dosing."""

    decided_on: Day = Field(description="The day of the decision.")
    reference: ImpersonalLine = Field(description="Its number.")


def document_of(cohort: Cohort, trial: str, closed: list[Closed], *, whole: bool) -> EnrolmentDocument:
    """Return the places of a cohort as readers get them. ``trial``: its public number; ``whole``: also references."""
    staggering, slots = cohort.staggering, cohort.slots
    return EnrolmentDocument(
        trial=trial, trial_id=cohort.trial_key, centre=cohort.centre, cohort=cohort.cohort, version=cohort.version,
        offered=cohort.offered, held=cohort.held, used=cohort.taken - cohort.held, waiting=cohort.waiting,
        free=0 if closed else cohort.offered - cohort.taken, closed=closed, allocation=cohort.allocation,
        hold_days=cohort.hold_days, limit_months=cohort.limit_months,
        manufacturing=None if slots is None else ManufacturingSlots(slots=slots, taken=cohort.slots_taken),
        staggering=None if staggering is None else StaggeringDocument(
            interval_days=staggering.interval_days, needs_decision=staggering.needs_decision,
            pending=staggering.pending, last_dosed_on=staggering.last_dosed_on, decided_on=staggering.decided_on,
            reference=staggering.reference if whole else None, opens_on=staggering.opens_on,
        ),
    )  # fmt: skip
