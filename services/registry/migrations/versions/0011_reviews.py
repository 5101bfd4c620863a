"""People decide on the scope of trials; the past is shown as far as it was public.

Trials say who decided on their scope: until now the gate.
"""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, protect, unprotect

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

READS = granted("statement.read.all", "trial.write.all", "source.write.all")
WRITES = granted("trial.write.all", "source.write.all")
DECIDES = granted("trial.write.all")
SEES_TRIALS = granted("trial.read.all", "trial.write.all", "source.write.all", "site.write.all")
WRITES_TRIALS = granted("trial.write.all", "source.write.all", "site.write.all", "site.write.own")
OF_VERSION = "EXISTS (SELECT FROM trials WHERE trials.key = trial_versions.trial_key)"
OF_CRITERIA = "EXISTS (SELECT FROM trials WHERE trials.key = criteria_versions.trial_key)"
WERE_PUBLIC = (
    "EXISTS (SELECT FROM trial_versions WHERE trial_versions.trial_key = criteria_versions.trial_key"
    " AND trial_versions.criteria_version = criteria_versions.version AND trial_versions.published)"
)
ADDED_TO = ("SELECT", "INSERT")
RULES = {
    "trial_versions": Rule(
        read=f"{OF_VERSION} AND (published OR {SEES_TRIALS})",
        insert=WRITES_TRIALS,
        public=f"{OF_VERSION} AND published",
        rights=ADDED_TO,
    ),
    "criteria_versions": Rule(
        read=f"{OF_CRITERIA} AND ({SEES_TRIALS} OR {WERE_PUBLIC})",
        insert=WRITES,
        public=f"{OF_CRITERIA} AND {WERE_PUBLIC}",
        rights=ADDED_TO,
    ),
    # Who may read the queue sees the records that wait in it.
    "source_records": Rule(
        read=READS,
        insert=granted("source.write.all"),
        change=granted("source.write.all"),
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
    "trial_decisions": Rule(read=READS, insert=DECIDES, change=DECIDES, rights=("SELECT", "INSERT", "UPDATE")),
    "trial_reviews": Rule(read=READS, insert=WRITES, change=WRITES, rights=("SELECT", "INSERT", "DELETE")),
    "review_claims": Rule(read=READS, insert=DECIDES, change=DECIDES, rights=("SELECT", "INSERT", "DELETE")),
}
NEW = ("trial_decisions", "trial_reviews", "review_claims")
BEFORE = {
    "trial_versions": Rule(read=OF_VERSION, insert=WRITES_TRIALS, public=OF_VERSION, rights=ADDED_TO),
    "criteria_versions": Rule(read=OF_CRITERIA, insert=WRITES, public=OF_CRITERIA, rights=ADDED_TO),
    "source_records": Rule(
        read=WRITES,
        insert=granted("source.write.all"),
        change=granted("source.write.all"),
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
}
# In a JSON text these signs stand for the member itself: inside of values quotes are escaped.
SCOPE, SCOPE_BY = '"scope":{"answer":', '"scope":{"by":"gate","answer":'


def upgrade() -> None:
    _create_tables()
    op.add_column("trial_versions", sa.Column("published", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("trial_versions", sa.Column("criteria_version", sa.Integer(), nullable=True))
    connection = op.get_bind()
    criteria = (
        "json_extract(document, '$.criteria.version')"
        if connection.dialect.name == "sqlite"
        else "CAST(CAST(document AS jsonb) #>> '{criteria,version}' AS integer)"
    )
    op.execute(f"UPDATE trial_versions SET criteria_version = {criteria}")  # noqa: S608 - text of our own
    connection.execute(
        sa.text("UPDATE trial_versions SET published = true WHERE document LIKE :sign"),
        {"sign": '%"published":true%'},
    )
    for table in ("trials", "trial_versions"):
        connection.execute(
            sa.text(f"UPDATE {table} SET document = replace(document, :old, :new)"),  # noqa: S608 - names of our own
            {"old": SCOPE, "new": SCOPE_BY},
        )
    for kind, sign in (("scope", '%"answer":"scope_unclear"%'), ("outdated_criteria", '%"outdated":true%')):
        connection.execute(
            sa.text(
                "INSERT INTO trial_reviews (trial_key, kind, since)"
                " SELECT trials.key, CAST(:kind AS VARCHAR(32)), min(trial_versions.at) FROM trials"
                " JOIN trial_versions ON trial_versions.trial_key = trials.key"
                " WHERE trials.document LIKE :sign AND trial_versions.document LIKE :sign GROUP BY trials.key"
            ),
            {"kind": kind, "sign": sign},
        )
    for name in BEFORE:
        unprotect(op, "registry", name)
    for name, rule in RULES.items():
        protect(op, "registry", name, rule)


def downgrade() -> None:
    for name in RULES:
        unprotect(op, "registry", name)
    connection = op.get_bind()
    for table in ("trials", "trial_versions"):
        for by in (SCOPE_BY, SCOPE_BY.replace("gate", "person")):
            connection.execute(
                sa.text(f"UPDATE {table} SET document = replace(document, :by, :old)"),  # noqa: S608 - names of our own
                {"by": by, "old": SCOPE},
            )
    for name in NEW:
        op.drop_table(name)
    op.drop_column("trial_versions", "criteria_version")
    op.drop_column("trial_versions", "published")
    for name, rule in BEFORE.items():
        protect(op, "registry", name, rule)


def _create_tables() -> None:
    op.create_table(
        "trial_decisions",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("gate", sa.String(length=32), nullable=True),
        sa.Column("basis", sa.String(length=64), nullable=True),
        sa.Column("statement", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", UtcInstant(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_trial_decisions_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", "number", name=op.f("pk_trial_decisions")),
    )
    op.create_table(
        "trial_reviews",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("since", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_trial_reviews_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", "kind", name=op.f("pk_trial_reviews")),
    )
    op.create_table(
        "review_claims",
        sa.Column("item", sa.String(length=200), nullable=False),
        sa.Column("claimed_by", sa.String(length=200), nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_review_claims")),
    )
