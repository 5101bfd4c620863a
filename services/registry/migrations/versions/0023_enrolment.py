"""Places of enrolments and manufacturing slots: what is offered, the staggering of cohorts, and who has a place."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, own, protect, unprotect

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def _is_party(table: str, centre: str | None, *grants: str) -> str:
    """SQL: the caller owns the trial of the row, or is its centre (None: any centre)."""
    owns = f"EXISTS (SELECT FROM trials WHERE trials.key = {table}.trial_key AND {own('trials.owner', *grants)})"
    if centre is None:
        return f"{owns} OR {granted(*grants)}"
    return f"{owns} OR {own(centre, *grants, of='centre')}"


# Who writes referrals asks for places, and gives them back.
ASKS = ("referral.write.own", "referral.write.all")
READS_ALL = granted("enrolment.read.all", "enrolment.write.all", *ASKS)
READS_NUMBERS = granted("enrolment.read.published")
WRITES_ALL = granted("enrolment.write.all", *ASKS)
READ, WRITE = ("enrolment.read.own", "enrolment.write.own"), ("enrolment.write.own",)
OF_COHORT = "EXISTS (SELECT FROM trials WHERE trials.key = enrolment_cohorts.trial_key)"
OF_STAGGERING = "EXISTS (SELECT FROM trials WHERE trials.key = enrolment_staggering.trial_key)"
OF_PLACE = "EXISTS (SELECT FROM enrolment_places WHERE enrolment_places.referral = enrolment_steps.subject)"
WRITTEN = ("SELECT", "INSERT", "UPDATE", "DELETE")


def _writes(table: str) -> str:
    return f"{WRITES_ALL} OR {_is_party(table, 'centre', *WRITE)}"


STAGGERS = f"{WRITES_ALL} OR {_is_party('enrolment_staggering', None, *WRITE)}"
RULES = {
    "enrolment_cohorts": Rule(
        read=f"{READS_ALL} OR ({READS_NUMBERS} AND {OF_COHORT}) OR {_is_party('enrolment_cohorts', 'centre', *READ)}",
        insert=_writes("enrolment_cohorts"),
        change=_writes("enrolment_cohorts"),
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
    "enrolment_staggering": Rule(
        read=f"{READS_ALL} OR ({READS_NUMBERS} AND {OF_STAGGERING})"
        f" OR {_is_party('enrolment_staggering', None, *READ)}",
        insert=STAGGERS,
        change=STAGGERS,
        rights=WRITTEN,
    ),
    "enrolment_places": Rule(
        read=f"{READS_ALL} OR {_is_party('enrolment_places', 'centre', *READ)}",
        insert=_writes("enrolment_places"),
        change=_writes("enrolment_places"),
        rights=WRITTEN,
    ),
    "enrolment_steps": Rule(read=OF_PLACE, insert=OF_PLACE, rights=("SELECT", "INSERT")),
}


def upgrade() -> None:
    op.create_table(
        "enrolment_cohorts",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("centre", sa.String(length=64), nullable=False),
        sa.Column("cohort", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("offered", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("allocation", sa.String(length=16), nullable=False),
        sa.Column("hold_days", sa.Integer(), nullable=False),
        sa.Column("limit_months", sa.Integer(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=True),
        sa.Column("slots_taken", sa.Integer(), nullable=False),
        sa.Column("declared_by", sa.String(length=200), nullable=False),
        sa.Column("declared_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_enrolment_cohorts_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", "centre", "cohort", name=op.f("pk_enrolment_cohorts")),
    )
    op.create_table(
        "enrolment_staggering",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("cohort", sa.String(length=64), nullable=False),
        sa.Column("interval_days", sa.Integer(), nullable=False),
        sa.Column("needs_decision", sa.Boolean(), nullable=False),
        sa.Column("pending", sa.Integer(), nullable=False),
        sa.Column("last_dosed_on", sa.Date(), nullable=True),
        sa.Column("opens_on", sa.Date(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("reference", sa.String(length=600), nullable=True),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_enrolment_staggering_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", "cohort", name=op.f("pk_enrolment_staggering")),
    )
    _create_places()
    for table, rule in RULES.items():
        protect(op, "registry", table, rule)


def _create_places() -> None:
    op.create_table(
        "enrolment_places",
        sa.Column("referral", sa.String(length=40), nullable=False),
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("centre", sa.String(length=64), nullable=False),
        sa.Column("cohort", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("requested_at", UtcInstant(), nullable=False),
        sa.Column("referred_on", sa.Date(), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("limit_on", sa.Date(), nullable=False),
        sa.Column("expires_at", UtcInstant(), nullable=True),
        sa.Column("conditioned", sa.Boolean(), nullable=False),
        sa.Column("slot", sa.Boolean(), nullable=False),
        sa.Column("late_reported", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_enrolment_places_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("referral", name=op.f("pk_enrolment_places")),
    )
    op.create_index("ix_enrolment_places_expires_at", "enrolment_places", ["expires_at"])
    op.create_index("ix_enrolment_places_cohort", "enrolment_places", ["trial_key", "centre", "cohort", "state"])
    op.create_index("ix_enrolment_places_late", "enrolment_places", ["state", "late_reported", "limit_on"])
    op.create_table(
        "enrolment_steps",
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
            ["subject"], ["enrolment_places.referral"], name=op.f("fk_enrolment_steps_subject"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subject", "number", name=op.f("pk_enrolment_steps")),
    )


def downgrade() -> None:
    for table in RULES:
        unprotect(op, "registry", table)
    for table in ("enrolment_steps", "enrolment_places", "enrolment_staggering", "enrolment_cohorts"):
        op.drop_table(table)
