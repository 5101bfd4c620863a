"""Search: a number for each trial, by which lists are ordered, and an index of words and facets."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.rls_policies import Rule, granted, protect, unprotect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WRITES_TRIALS = granted("trial.write.all", "source.write.all", "site.write.all", "site.write.own")
SEES_TRIALS = granted("trial.read.all", "trial.write.all", "source.write.all", "site.write.all")
WRITTEN = ("SELECT", "INSERT", "UPDATE", "DELETE")
# Read policy `true`, so that PostgreSQL uses the index (`@@` is not leakproof): the table has only published trials.
RULES = {
    "search_published": Rule(read="true", insert=WRITES_TRIALS, change=WRITES_TRIALS, public="true", rights=WRITTEN),
    "search_unpublished": Rule(
        read=f"{SEES_TRIALS} OR {WRITES_TRIALS}", insert=WRITES_TRIALS, change=WRITES_TRIALS, rights=WRITTEN
    ),
}
FIRST_DEMO = 1_000_000_000
DROPPED = ("trial_facets",)
OF_TRIAL = "EXISTS (SELECT FROM trials WHERE trials.key = trial_facets.trial_key)"
FACETS = Rule(
    read=OF_TRIAL, insert=WRITES_TRIALS, change=WRITES_TRIALS, public=OF_TRIAL, rights=("SELECT", "INSERT", "DELETE")
)


def upgrade() -> None:
    # Facets are indexed with the words of a trial; the service fills the index at start.
    unprotect(op, "registry", "trial_facets")
    op.drop_table("trial_facets")
    # Not in batch mode: recreating the table would delete every row that refers to a trial, by cascade.
    op.add_column("trials", sa.Column("number", sa.BigInteger(), nullable=False, server_default="0"))
    for demo, first in ((False, 0), (True, FIRST_DEMO)):
        op.execute(
            sa.text(
                "UPDATE trials SET number = :first + ranked.place FROM (SELECT key AS ranked_key, row_number()"
                " OVER (ORDER BY public_id) AS place FROM trials WHERE demo = :demo) AS ranked"
                " WHERE trials.key = ranked.ranked_key"
            ).bindparams(first=first, demo=demo)
        )
    op.create_index("uq_trials_number", "trials", ["number"], unique=True)
    if op.get_bind().dialect.name == "sqlite":
        for table in ("search_published", "search_unpublished"):
            op.execute(
                f"CREATE VIRTUAL TABLE {table} USING fts5(terms, content='', contentless_delete=1, detail='none',"
                " tokenize=\"ascii tokenchars '_'\", prefix='1 2 3')"
            )
        return
    for table in ("search_published", "search_unpublished"):
        op.execute(f"CREATE TABLE {table} (number bigint PRIMARY KEY, terms tsvector NOT NULL)")
        op.execute(f"CREATE INDEX ix_{table}_terms ON {table} USING gin (terms)")
    for table, rule in RULES.items():
        protect(op, "registry", table, rule)


def downgrade() -> None:
    for table in RULES:
        unprotect(op, "registry", table)
        op.execute(f"DROP TABLE {table}")
    op.drop_index("uq_trials_number", "trials")
    op.drop_column("trials", "number")
    op.create_table(
        "trial_facets",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["trial_key"], ["trials.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial_key", "name", "value", name=op.f("pk_trial_facets")),
    )
    op.create_index("ix_trial_facets_value", "trial_facets", ["name", "value"])
    protect(op, "registry", "trial_facets", FACETS)
