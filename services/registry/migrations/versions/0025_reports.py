"""Sponsors ask how many referrals their trials have, so many questions a day."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.rls_policies import Rule, protect, unprotect

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# The service itself reads and writes it.
RULES = {"report_questions": Rule(rights=())}


def upgrade() -> None:
    op.create_table(
        "report_questions",
        sa.Column("organisation", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("question", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "day", "question", name=op.f("pk_report_questions")),
    )
    for table, rule in RULES.items():
        protect(op, "registry", table, rule)


def downgrade() -> None:
    for table in RULES:
        unprotect(op, "registry", table)
        op.drop_table(table)
