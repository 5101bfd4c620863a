"""Requests for consent, counted by address and by caller; subscriptions of which too many were made stay silent."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, protect, unprotect

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# The counts are those of all organisations. A row is a keyed hash and a number.
COUNTS = granted("subscription.write.own")
RULES = {"consent_requests": Rule(read=COUNTS, insert=COUNTS, change=COUNTS, rights=("SELECT", "INSERT", "UPDATE"))}


def upgrade() -> None:
    op.create_table(
        "consent_requests",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("since", UtcInstant(length=27), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.add_column("subscriptions", sa.Column("silent", sa.Boolean(), nullable=False, server_default=sa.false()))
    for table, rule in RULES.items():
        protect(op, "notifications", table, rule)


def downgrade() -> None:
    for table in RULES:
        unprotect(op, "notifications", table)
    op.drop_column("subscriptions", "silent")
    op.drop_table("consent_requests")
