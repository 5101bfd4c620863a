"""Sources are fetched on a schedule: their state, and the records that each listed."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, protect, unprotect

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

READS = granted("statement.read.all", "source.write.all")
WRITES = granted("source.write.all")
RULES = {
    # People read the state and ask for runs; the runs are work of the service itself.
    "source_syncs": Rule(read=READS, insert=WRITES, change=WRITES, rights=("SELECT", "INSERT", "UPDATE")),
    "source_listings": Rule(read=READS, rights=("SELECT",)),
}


def upgrade() -> None:
    op.create_table(
        "source_syncs",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("cursor_at", UtcInstant(), nullable=True),
        sa.Column("listed_at", UtcInstant(), nullable=True),
        sa.Column("due_at", UtcInstant(), nullable=True),
        sa.Column("requested", sa.Text(), nullable=True),
        sa.Column("run", sa.Text(), nullable=True),
        sa.Column("last_run", sa.Text(), nullable=True),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("claimed_until", UtcInstant(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(length=40), nullable=True),
        sa.Column("fault_detail", sa.Text(), nullable=True),
        sa.Column("failing_since", UtcInstant(), nullable=True),
        sa.Column("retry_at", UtcInstant(), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_syncs")),
    )
    op.create_table(
        "source_listings",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.String(length=100), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("seen_at", UtcInstant(), nullable=False),
        sa.Column("missing_since", UtcInstant(), nullable=True),
        sa.Column("fault", sa.String(length=40), nullable=True),
        sa.Column("fault_detail", sa.Text(), nullable=True),
        sa.Column("faulty_since", UtcInstant(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", UtcInstant(), nullable=True),
        sa.PrimaryKeyConstraint("source", "source_id", name=op.f("pk_source_listings")),
    )
    op.create_index("ix_source_listings_faulty_since", "source_listings", ["source", "faulty_since"])
    op.create_index("ix_source_listings_missing_since", "source_listings", ["source", "missing_since"])
    for table, rule in RULES.items():
        protect(op, "registry", table, rule)


def downgrade() -> None:
    for table in RULES:
        unprotect(op, "registry", table)
    op.drop_table("source_listings")
    op.drop_table("source_syncs")
