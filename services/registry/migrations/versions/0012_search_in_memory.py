"""The search index is in memory: its tables and the words of trials go. Nothing is lost: it is filled at every start."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.rls_policies import Rule, granted, protect, unprotect

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

WRITES_TRIALS = granted("trial.write.all", "source.write.all", "site.write.all", "site.write.own")
SEES_TRIALS = granted("trial.read.all", "trial.write.all", "source.write.all", "site.write.all")
WRITTEN = ("SELECT", "INSERT", "UPDATE", "DELETE")
FORMER_RULES = {
    "search_published": Rule(read="true", insert=WRITES_TRIALS, change=WRITES_TRIALS, public="true", rights=WRITTEN),
    "search_unpublished": Rule(
        read=f"{SEES_TRIALS} OR {WRITES_TRIALS}", insert=WRITES_TRIALS, change=WRITES_TRIALS, rights=WRITTEN
    ),
}

DROPPED = tuple(FORMER_RULES)


def upgrade() -> None:
    for table in DROPPED:
        unprotect(op, "registry", table)
        op.execute(f"DROP TABLE {table}")
    op.drop_column("trials", "search")


def downgrade() -> None:
    # The earlier program fills its index at start; `cleio db reindex` of that version writes the words.
    op.add_column("trials", sa.Column("search", sa.Text(), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "sqlite":
        for table in DROPPED:
            op.execute(
                f"CREATE VIRTUAL TABLE {table} USING fts5(terms, content='', contentless_delete=1, detail='none',"
                " tokenize=\"ascii tokenchars '_'\", prefix='1 2 3')"
            )
        return
    for table, rule in FORMER_RULES.items():
        op.execute(f"CREATE TABLE {table} (number bigint PRIMARY KEY, terms tsvector NOT NULL)")
        op.execute(f"CREATE INDEX ix_{table}_terms ON {table} USING gin (terms)")
        protect(op, "registry", table, rule)
