"""Identity."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_entries", sa.Column("human", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("audit_entries", "human")
