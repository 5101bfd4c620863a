"""Trials have a state and an owner, versions a source and an author; people decide on records that are no trials.

The state of a stored trial follows from its scope: until now nothing else decided.
"""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, protect, unprotect

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# In a JSON text these signs stand for the members themselves: inside of values quotes are escaped.
STATES = {"in_scope": "published", "scope_unclear": "in_review", "out_of_scope": "withdrawn"}
PUBLISHED = '"published":'
READS = granted("statement.read.all", "trial.write.all", "source.write.all")
DECIDES = granted("trial.write.all")
IMPORTS = granted("source.write.all")
# Who takes a record from the queue as a trial assigns it.
ASSIGNS = granted("source.write.all", "trial.write.all")
WRITTEN = ("SELECT", "INSERT", "UPDATE")
RULES = {
    "source_records": Rule(read=READS, insert=IMPORTS, change=ASSIGNS, rights=WRITTEN),
    "record_decisions": Rule(read=READS, insert=DECIDES, change=DECIDES, rights=WRITTEN),
}
RECORDS_BEFORE = Rule(read=READS, insert=IMPORTS, change=IMPORTS, rights=WRITTEN)


def upgrade() -> None:
    op.add_column("trials", sa.Column("owner", sa.String(length=64), nullable=True))
    op.add_column("trials", sa.Column("rules", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("source_records", sa.Column("waiting_since", UtcInstant(), nullable=True))
    op.execute("UPDATE source_records SET waiting_since = read_at WHERE result = 'possible_duplicate'")
    _create_decisions()
    unprotect(op, "registry", "source_records")
    for name, rule in RULES.items():
        protect(op, "registry", name, rule)
    op.add_column("trial_versions", sa.Column("source", sa.String(length=40), nullable=True))
    op.add_column("trial_versions", sa.Column("author", sa.String(length=200), nullable=True))
    for table in ("trials", "trial_versions"):
        for answer, state in STATES.items():
            op.get_bind().execute(
                sa.text(
                    f"UPDATE {table} SET document = replace(document, :old, :new)"  # noqa: S608 - names of our own
                    " WHERE document LIKE :sign"
                ),
                {"old": PUBLISHED, "new": f'"state":"{state}",{PUBLISHED}', "sign": f'%"answer":"{answer}"%'},
            )


def downgrade() -> None:
    for table in ("trials", "trial_versions"):
        for state in ("published", "in_review", "withdrawn", "draft", "archived"):
            op.get_bind().execute(
                sa.text(f"UPDATE {table} SET document = replace(document, :new, :old)"),  # noqa: S608 - names of our own
                {"old": PUBLISHED, "new": f'"state":"{state}",{PUBLISHED}'},
            )
    for name in RULES:
        unprotect(op, "registry", name)
    op.drop_table("record_decisions")
    protect(op, "registry", "source_records", RECORDS_BEFORE)
    op.execute("UPDATE source_records SET result = 'refused' WHERE result = 'quarantined'")
    op.drop_column("source_records", "waiting_since")
    op.drop_column("trials", "rules")
    op.drop_column("trial_versions", "author")
    op.drop_column("trial_versions", "source")
    op.drop_column("trials", "owner")


def _create_decisions() -> None:
    op.create_table(
        "record_decisions",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("answer", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("withdrawn_at", UtcInstant(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["source", "source_id"],
            ["source_records.source", "source_records.source_id"],
            name=op.f("fk_record_decisions_source_source_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source", "source_id", "number", name=op.f("pk_record_decisions")),
    )
