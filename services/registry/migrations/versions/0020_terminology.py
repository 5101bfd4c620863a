"""Terminology: releases that an operator has loaded, and the versions that were published."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, protect, unprotect

revision = "0020"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("terminology_releases", "terminology_versions")


def upgrade() -> None:
    op.create_table(
        "terminology_releases",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("codes", sa.Integer(), nullable=False),
        sa.Column("loaded_at", UtcInstant(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_terminology_releases")),
    )
    op.create_table(
        "terminology_versions",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("published_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_terminology_versions")),
    )
    # The service reads them at start, and the command line writes them: callers have no right.
    for table in TABLES:
        protect(op, "registry", table, Rule(rights=()))


def downgrade() -> None:
    for table in TABLES:
        unprotect(op, "registry", table)
        op.drop_table(table)
