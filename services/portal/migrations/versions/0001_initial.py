"""Sessions."""

import sqlalchemy as sa
from alembic import op

import shared.persistence.columns
from shared.persistence.rls_policies import Rule, create_row_level_security, unprotect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Only the portal itself reads and writes sessions.
RULES = {"sessions": Rule(rights=())}


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.Column("seen_at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.Column("ends_at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_ends_at", "sessions", ["ends_at"])
    op.create_index("ix_sessions_seen_at", "sessions", ["seen_at"])
    create_row_level_security(op, "portal", RULES)


def downgrade() -> None:
    unprotect(op, "portal", "sessions")
    op.drop_table("sessions")
