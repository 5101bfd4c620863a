"""The former signing secret of a subscription, which also signs for some hours after a rotation."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("former_secret", sa.LargeBinary()))
    op.add_column("subscriptions", sa.Column("former_until", UtcInstant(length=27)))


def downgrade() -> None:
    op.drop_column("subscriptions", "former_until")
    op.drop_column("subscriptions", "former_secret")
