"""Referrals of patients, their steps, and what must be checked again."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, named, own, protect, unprotect

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

WRITES = f"{own('hospital', 'referral.write.own')} OR {own('centre', 'referral.write.own', of='centre')}"
READS = (
    f"{granted('referral.read.all')} OR {own('hospital', 'referral.read.own')}"
    f" OR {own('centre', 'referral.read.own', of='centre')}"
)
OF_REFERRAL = "EXISTS (SELECT FROM referrals WHERE referrals.reference = referrals_steps.subject AND ({}))"
RULES = {
    "referrals": Rule(
        read=READS,
        insert=own("hospital", "referral.write.own"),
        change=WRITES,
        rights=("SELECT", "INSERT", "UPDATE", "DELETE"),
    ),
    "referrals_steps": Rule(
        read=OF_REFERRAL.format("true"),
        insert=OF_REFERRAL.format(WRITES),
        change=OF_REFERRAL.format(own("hospital", "referral.write.own")),
        rights=("SELECT", "INSERT", "DELETE"),
    ),
    # The callers that change a trial ask for marks; the service reads them and marks the referrals.
    "referral_marks": Rule(insert=named(), rights=("INSERT",)),
}


def upgrade() -> None:
    _create_referrals()
    op.create_table(
        "referrals_steps",
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("on", sa.Date(), nullable=True),
        sa.Column("organisation", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject"], ["referrals.reference"], name=op.f("fk_referrals_steps_subject"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subject", "number", name=op.f("pk_referrals_steps")),
    )
    op.create_table(
        "referral_marks",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("trial_key", sa.String(length=36), nullable=True),
        sa.Column("patient", sa.String(length=40), nullable=True),
        sa.Column("cause", sa.String(length=40), nullable=True),
        sa.Column("why", sa.String(length=40), nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_marks")),
    )
    op.create_index("ix_referral_marks_at", "referral_marks", ["at"])
    for name, rule in RULES.items():
        protect(op, "registry", name, rule)


def downgrade() -> None:
    for name in reversed(RULES):
        unprotect(op, "registry", name)
    for name in reversed(RULES):
        op.drop_table(name)


def _create_referrals() -> None:
    op.create_table(
        "referrals",
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("centre", sa.String(length=64), nullable=False),
        sa.Column("hospital", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.String(length=40), nullable=False),
        sa.Column("follows", sa.String(length=40), nullable=True),
        sa.Column("sent_at", UtcInstant(), nullable=False),
        sa.Column("cohort", sa.String(length=32), nullable=True),
        sa.Column("refer_before", sa.String(length=7), nullable=True),
        sa.Column("adult_on", sa.String(length=7), nullable=True),
        sa.Column("minor", sa.Boolean(), nullable=False),
        sa.Column("urgency", sa.String(length=16), nullable=False),
        sa.Column("dosing_limit", sa.Date(), nullable=True),
        sa.Column("agreement_on", sa.Date(), nullable=False),
        sa.Column("agreement_by", sa.String(length=16), nullable=False),
        sa.Column("disclosure_asked", sa.Boolean(), nullable=False),
        sa.Column("place", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("hospital_version", sa.Integer(), nullable=False),
        sa.Column("hospital_state", sa.String(length=40), nullable=False),
        sa.Column("hospital_since", sa.Date(), nullable=False),
        sa.Column("ask_again_on", sa.Date(), nullable=True),
        sa.Column("more_sent", sa.Boolean(), nullable=False),
        sa.Column("to_inform", sa.Boolean(), nullable=False),
        sa.Column("own_consent_due", sa.String(length=7), nullable=True),
        sa.Column("check_again", sa.String(length=40), nullable=True),
        sa.Column("hospital_check_again", sa.String(length=40), nullable=True),
        sa.Column("closed_at", UtcInstant(), nullable=True),
        sa.ForeignKeyConstraint(["trial_key"], ["trials.key"], name=op.f("fk_referrals_trial_key")),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_referrals")),
    )
    op.create_index("ix_referrals_centre", "referrals", ["centre", "closed_at", "sent_at"])
    op.create_index("ix_referrals_hospital", "referrals", ["hospital", "closed_at", "sent_at"])
    for column in ("trial_key", "patient", "closed_at"):
        op.create_index(f"ix_referrals_{column}", "referrals", [column])
