"""Every form in which a source record came. Records that came before have none: the next import stores it."""

import sqlalchemy as sa
from alembic import op

import shared.persistence.columns
from shared.persistence.rls_policies import Rule, granted, protect, unprotect

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WRITES_SOURCES = granted("source.write.all")
RULES = {"source_versions": Rule(read=WRITES_SOURCES, insert=WRITES_SOURCES, rights=("SELECT", "INSERT"))}


def upgrade() -> None:
    with op.batch_alter_table("source_records") as table:
        table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("canonical_hash", sa.String(length=64), nullable=False, server_default=""))
        table.add_column(sa.Column("rules", sa.String(length=64), nullable=False, server_default=""))
        table.alter_column("result", type_=sa.String(length=32), existing_type=sa.String(length=16))
        table.drop_column("hash")
        table.create_index(op.f("ix_source_records_trial_key"), ["trial_key"])
    op.create_table(
        "source_versions",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("received_at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.Column("dated", sa.String(length=10), nullable=True),
        sa.Column("bytes_hash", sa.String(length=64), nullable=False),
        sa.Column("canonical_hash", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source", "source_id"],
            ["source_records.source", "source_records.source_id"],
            name=op.f("fk_source_versions_source_source_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source", "source_id", "version", name=op.f("pk_source_versions")),
    )
    for name, rule in RULES.items():
        protect(op, "registry", name, rule)


def downgrade() -> None:
    unprotect(op, "registry", "source_versions")
    op.drop_table("source_versions")
    with op.batch_alter_table("source_records") as table:
        table.drop_index(op.f("ix_source_records_trial_key"))
        for name in ("version", "canonical_hash", "rules"):
            table.drop_column(name)
        table.alter_column("result", type_=sa.String(length=16), existing_type=sa.String(length=32))
        table.add_column(sa.Column("hash", sa.String(length=64), nullable=False, server_default=""))
