"""Partner networks send their trials: jobs, their lines and results; a record may be missing from its source."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, own, protect, unprotect

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

READS = f"{granted('push.read.all')} OR {own('organisation', 'push.read.own')}"
RULES = {
    "jobs": Rule(read=READS),
    "job_inputs": Rule(rights=()),
    "job_results": Rule(read="EXISTS (SELECT FROM jobs WHERE jobs.number = job_results.job)"),
}


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("dry_run", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("full", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("headings", sa.Text(), nullable=False),
        sa.Column("unknown", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("counts", sa.Text(), nullable=False, server_default="{}"),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("started_at", UtcInstant(), nullable=True),
        sa.Column("ended_at", UtcInstant(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("note", sa.String(length=40), nullable=True),
        sa.Column("undone_by", sa.Integer(), nullable=True),
        sa.Column("claimed_by", sa.String(length=40), nullable=True),
        sa.Column("claimed_until", UtcInstant(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_state", "jobs", ["state"])
    op.create_table(
        "job_inputs",
        sa.Column("job", sa.Integer(), nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], name=op.f("fk_job_inputs_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "first", name=op.f("pk_job_inputs")),
    )
    op.create_table(
        "job_results",
        sa.Column("job", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.String(length=100), nullable=True),
        sa.Column("result", sa.String(length=32), nullable=False),
        sa.Column("trial_id", sa.String(length=36), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], name=op.f("fk_job_results_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "place", name=op.f("pk_job_results")),
    )
    op.add_column("source_records", sa.Column("missing_since", UtcInstant(), nullable=True))
    for table, rule in RULES.items():
        protect(op, "registry", table, rule)


def downgrade() -> None:
    op.drop_column("source_records", "missing_since")
    for table in reversed(RULES):
        unprotect(op, "registry", table)
        op.drop_table(table)
