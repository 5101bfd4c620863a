"""Tables of places: what is offered, the staggering of cohorts, and who has a place or waits."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, String, Table

from services.registry.schema import METADATA
from services.registry.steps.tables import step_table
from shared.persistence import UtcInstant

# The counts are changed with the places, in conditional updates: no place is given twice.
enrolment_cohorts = Table(
    "enrolment_cohorts",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    Column("centre", String(64), primary_key=True),
    Column("cohort", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("offered", Integer, nullable=False),
    Column("taken", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("allocation", String(16), nullable=False),
    Column("hold_days", Integer, nullable=False),
    # Until when a place is of use, after a referral without a stated limit.
    Column("limit_months", Integer, nullable=False),
    # Manufacturing slots; null: they are not counted.
    Column("slots", Integer),
    Column("slots_taken", Integer, nullable=False),
    Column("declared_by", String(200), nullable=False),
    Column("declared_at", UtcInstant, nullable=False),
)

# One row for a cohort of a trial with staggered dosing, over all its sites.
enrolment_staggering = Table(
    "enrolment_staggering",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    Column("cohort", String(64), primary_key=True),
    Column("interval_days", Integer, nullable=False),
    Column("needs_decision", Boolean, nullable=False),
    # Places that are taken and not dosed yet.
    Column("pending", Integer, nullable=False),
    Column("last_dosed_on", Date),
    # Null: the decision after the last dosing is missing.
    Column("opens_on", Date),
    Column("decided_on", Date),
    Column("reference", String(600)),
)

# One row for each referral that asked for a place: its reference is all that is known of it.
enrolment_places = Table(
    "enrolment_places",
    METADATA,
    Column("referral", String(40), primary_key=True),
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), nullable=False),
    Column("centre", String(64), nullable=False),
    Column("cohort", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("requested_at", UtcInstant, nullable=False),
    Column("referred_on", Date, nullable=False),
    # The position of the code in the list of urgencies.
    Column("urgency", Integer, nullable=False),
    Column("limit_on", Date, nullable=False),
    # When the place is free again; null: it does not expire.
    Column("expires_at", UtcInstant, index=True),
    Column("conditioned", Boolean, nullable=False),
    Column("slot", Boolean, nullable=False),
    # Whether the event said that it is too late.
    Column("late_reported", Boolean, nullable=False),
)
Index(
    "ix_enrolment_places_cohort",
    enrolment_places.c.trial_key,
    enrolment_places.c.centre,
    enrolment_places.c.cohort,
    enrolment_places.c.state,
)
Index(
    "ix_enrolment_places_late", enrolment_places.c.state, enrolment_places.c.late_reported, enrolment_places.c.limit_on
)

enrolment_steps = step_table(METADATA, "enrolment_steps", "enrolment_places.referral")
