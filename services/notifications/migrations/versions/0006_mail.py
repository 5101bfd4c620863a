"""E-mail subscriptions."""

import sqlalchemy as sa
from alembic import op

import shared.persistence.columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = "subscriptions"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("channel", sa.String(length=16), nullable=False, server_default="webhook"))
    op.add_column(TABLE, sa.Column("language", sa.String(length=2), nullable=True))
    op.add_column(TABLE, sa.Column("frequency", sa.String(length=16), nullable=True))
    op.add_column(TABLE, sa.Column("confirmed_at", shared.persistence.columns.UtcInstant(length=27), nullable=True))
    op.add_column(TABLE, sa.Column("refusals", sa.Integer(), nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    for column in ("refusals", "confirmed_at", "frequency", "language", "channel"):
        op.drop_column(TABLE, column)
