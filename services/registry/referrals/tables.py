"""Tables of referrals. Rows are pseudonymised health data: references are random, and no field has a free text."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, String, Table

from services.registry.schema import METADATA
from services.registry.steps.tables import step_table
from shared.persistence import UtcInstant

referrals = Table(
    "referrals",
    METADATA,
    Column("reference", String(40), primary_key=True),
    Column("trial_key", String(36), ForeignKey("trials.key"), nullable=False),
    Column("centre", String(64), nullable=False),
    # The organisation that sent it.
    Column("hospital", String(64), nullable=False),
    # The reference of the first referral of the same patient; of a single one its own.
    Column("patient", String(40), nullable=False),
    Column("follows", String(40)),
    Column("sent_at", UtcInstant, nullable=False),
    Column("cohort", String(32)),
    Column("refer_before", String(7)),
    Column("adult_on", String(7)),
    Column("minor", Boolean, nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("dosing_limit", Date),
    Column("agreement_on", Date, nullable=False),
    Column("agreement_by", String(16), nullable=False),
    Column("disclosure_asked", Boolean, nullable=False),
    Column("place", Boolean, nullable=False),
    # Where it stands: it follows from the steps, and is kept for lists and worklists.
    Column("version", Integer, nullable=False),
    Column("state", String(40), nullable=False),
    Column("since", Date, nullable=False),
    Column("hospital_version", Integer, nullable=False),
    Column("hospital_state", String(40), nullable=False),
    Column("hospital_since", Date, nullable=False),
    Column("ask_again_on", Date),
    Column("more_sent", Boolean, nullable=False),
    Column("to_inform", Boolean, nullable=False),
    Column("own_consent_due", String(7)),
    Column("check_again", String(40)),
    Column("hospital_check_again", String(40)),
    Column("closed_at", UtcInstant),
    Index("ix_referrals_centre", "centre", "closed_at", "sent_at"),
    Index("ix_referrals_hospital", "hospital", "closed_at", "sent_at"),
    Index("ix_referrals_trial_key", "trial_key"),
    Index("ix_referrals_patient", "patient"),
    Index("ix_referrals_closed_at", "closed_at"),
)

referrals_steps = step_table(METADATA, "referrals_steps", "referrals.reference")

# What waits to be checked again: the referrals of a trial, or the other ones of a patient.
referral_marks = Table(
    "referral_marks",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("trial_key", String(36)),
    Column("patient", String(40)),
    # The referral of the patient that causes it, which is not marked; of a trial the safety hold.
    Column("cause", String(40)),
    Column("why", String(40), nullable=False),
    Column("at", UtcInstant, nullable=False),
    Index("ix_referral_marks_at", "at"),
)
