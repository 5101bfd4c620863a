"""Submissions: dossiers of sponsors, with their steps, versions, comments and delegates."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, in_audience, own, own_row, protect, unprotect

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

OWN = ("submission.read.own", "submission.write.own", "submission_decision.write.own")
WRITES = granted("submission.write.all", "submission_decision.write.all")
DELEGATED = (
    "EXISTS (SELECT FROM submission_delegates WHERE submission_delegates.subject = submissions.reference"
    f" AND submission_delegates.owner = submissions.owner AND {own_row('submission_delegates.organisation')})"
)
PARTY = f"{own('owner', *OWN)} OR {own('transfer_to', *OWN)} OR {DELEGATED}"
OF_SUBMISSION = "EXISTS (SELECT FROM submissions WHERE submissions.reference = {}.subject)"
ADDED_TO = ("SELECT", "INSERT")
RULES = {
    "submissions": Rule(
        read=f"{granted('submission.read.all')} OR {WRITES} OR {PARTY}",
        insert=f"{WRITES} OR {own('owner', 'submission.write.own')}",
        change=f"{WRITES} OR {PARTY}",
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
    "submission_steps": Rule(
        read=OF_SUBMISSION.format("submission_steps"),
        insert=OF_SUBMISSION.format("submission_steps"),
        rights=ADDED_TO,
    ),
    "submission_versions": Rule(
        read=OF_SUBMISSION.format("submission_versions"),
        insert=OF_SUBMISSION.format("submission_versions"),
        rights=ADDED_TO,
    ),
    "submission_comments": Rule(
        read=f"{OF_SUBMISSION.format('submission_comments')} AND ({WRITES} OR {in_audience('coordination')}"
        f" OR NOT (internal OR {in_audience('authority')}))",
        insert=OF_SUBMISSION.format("submission_comments"),
        rights=ADDED_TO,
    ),
    # Its policy must not look into `submissions`, whose policy looks here.
    "submission_delegates": Rule(
        read=f"{granted('submission.read.all')} OR {WRITES} OR {own('owner', *OWN)} OR {own('organisation', *OWN)}",
        insert=own("owner", "submission.write.own"),
        change=own("owner", "submission.write.own"),
        rights=("SELECT", "INSERT", "UPDATE", "DELETE"),
    ),
}


def upgrade() -> None:
    op.create_table(
        "submissions",
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("transfer_to", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("published_number", sa.Integer(), nullable=True),
        sa.Column("trial_key", sa.String(length=36), nullable=True),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("updated_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_submissions_trial_key"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_submissions")),
    )
    op.create_index("ix_submissions_owner", "submissions", ["owner"])
    op.create_index("ix_submissions_created_at", "submissions", ["created_at"])
    _create_child(
        "submission_steps",
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("on", sa.Date(), nullable=True),
        sa.Column("organisation", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
    )
    _create_child(
        "submission_versions",
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("screening", sa.Text(), nullable=False),
    )
    _create_child(
        "submission_comments",
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("pointer", sa.String(length=200), nullable=True),
        sa.Column("internal", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "submission_delegates",
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.String(length=64), nullable=False),
        sa.Column("may_consent", sa.Boolean(), nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject"], ["submissions.reference"], name=op.f("fk_submission_delegates_subject"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subject", "owner", "organisation", name=op.f("pk_submission_delegates")),
    )
    for name, rule in RULES.items():
        protect(op, "registry", name, rule)


def downgrade() -> None:
    for name in RULES:
        unprotect(op, "registry", name)
    for name in reversed(RULES):
        op.drop_table(name)


def _create_child(name: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["subject"], ["submissions.reference"], name=op.f(f"fk_{name}_subject"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subject", "number", name=op.f(f"pk_{name}")),
    )
