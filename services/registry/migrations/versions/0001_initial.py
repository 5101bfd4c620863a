"""Trials, centres, sources and the feed."""

import sqlalchemy as sa
from alembic import op

import shared.persistence.columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "centres",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("departement", sa.String(length=3), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_centres")),
    )
    op.create_table(
        "feed_entries",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        sa.Column("extra", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("narrows", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_feed_entries")),
        sa.UniqueConstraint("id", name=op.f("uq_feed_entries_id")),
    )
    with op.batch_alter_table("feed_entries", schema=None) as batch_op:
        batch_op.create_index("ix_feed_entries_subject_seq", ["subject", "seq"], unique=False)

    op.create_table(
        "feed_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_feed_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_head")),
    )
    op.create_table(
        "trials",
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("public_id", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("curated", sa.Boolean(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_trials")),
        sa.UniqueConstraint("public_id", name=op.f("uq_trials_public_id")),
    )
    op.create_table(
        "criteria_versions",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("grade", sa.String(length=16), nullable=False),
        sa.Column("at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_criteria_versions_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", "version", name=op.f("pk_criteria_versions")),
    )
    op.create_table(
        "sites",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("centre", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("confirmed_at", shared.persistence.columns.UtcInstant(length=27), nullable=True),
        sa.Column("slots", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["trial_key"], ["trials.key"], name=op.f("fk_sites_trial_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial_key", "centre", name=op.f("pk_sites")),
    )
    op.create_table(
        "source_records",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.String(length=100), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("trial_key", sa.String(length=36), nullable=True),
        sa.Column("read_at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_source_records_trial_key"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("source", "source_id", name=op.f("pk_source_records")),
    )
    op.create_table(
        "trial_facets",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_trial_facets_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", "name", "value", name=op.f("pk_trial_facets")),
    )
    with op.batch_alter_table("trial_facets", schema=None) as batch_op:
        batch_op.create_index("ix_trial_facets_value", ["name", "value"], unique=False)

    op.create_table(
        "trial_identifiers",
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=100), nullable=False),
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_trial_identifiers_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("type", "value", "trial_key", name=op.f("pk_trial_identifiers")),
    )
    with op.batch_alter_table("trial_identifiers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trial_identifiers_trial_key"), ["trial_key"], unique=False)
        batch_op.create_index("ix_trial_identifiers_value", ["value"], unique=False)
        batch_op.create_index(
            "uq_trial_identifiers_public",
            ["type", "value"],
            unique=True,
            sqlite_where=sa.text("type != 'sponsor'"),
            postgresql_where=sa.text("type != 'sponsor'"),
        )

    op.create_table(
        "trial_versions",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_trial_versions_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", "version", name=op.f("pk_trial_versions")),
    )
    op.execute("INSERT INTO feed_head (id, generation, seq) VALUES (1, 1, 0)")


def downgrade() -> None:
    op.drop_table("trial_versions")
    with op.batch_alter_table("trial_identifiers", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_trial_identifiers_public",
            sqlite_where=sa.text("type != 'sponsor'"),
            postgresql_where=sa.text("type != 'sponsor'"),
        )
        batch_op.drop_index("ix_trial_identifiers_value")
        batch_op.drop_index(batch_op.f("ix_trial_identifiers_trial_key"))

    op.drop_table("trial_identifiers")
    with op.batch_alter_table("trial_facets", schema=None) as batch_op:
        batch_op.drop_index("ix_trial_facets_value")

    op.drop_table("trial_facets")
    op.drop_table("source_records")
    op.drop_table("sites")
    op.drop_table("criteria_versions")
    op.drop_table("trials")
    op.drop_table("feed_head")
    with op.batch_alter_table("feed_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_feed_entries_subject_seq")

    op.drop_table("feed_entries")
    op.drop_table("centres")
