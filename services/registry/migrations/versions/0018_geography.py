"""Geography: the files of communes, départements and regions that an operator has loaded."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, protect, unprotect

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLE = "geography_files"
# The service reads them, and the command line writes them: callers have no right.
RULES = {TABLE: Rule(rights=())}


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("loaded_at", UtcInstant(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version", "kind", name=op.f("pk_geography_files")),
    )
    protect(op, "registry", TABLE, RULES[TABLE])


def downgrade() -> None:
    unprotect(op, "registry", TABLE)
    op.drop_table(TABLE)
