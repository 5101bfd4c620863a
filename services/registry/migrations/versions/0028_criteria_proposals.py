"""Criteria that one person proposes and another person signs."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, protect, unprotect

revision = "0028"
down_revision = "0025"
branch_labels = None
depends_on = None

READS = granted("statement.read.all", "trial.write.all")
WRITES = granted("trial.write.all")
RULES = {
    "criteria_proposals": Rule(read=READS, insert=WRITES, change=WRITES, rights=("SELECT", "INSERT", "UPDATE")),
}


def upgrade() -> None:
    op.create_table(
        "criteria_proposals",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=True),
        sa.Column("written_from", sa.String(length=64), nullable=True),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("ended_at", UtcInstant(), nullable=True),
        sa.Column("ended_by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_criteria_proposals_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", "number", name=op.f("pk_criteria_proposals")),
    )
    for name, rule in RULES.items():
        protect(op, "registry", name, rule)


def downgrade() -> None:
    for name in RULES:
        unprotect(op, "registry", name)
    op.drop_table("criteria_proposals")
