"""People merge trials and assign records; each assignment is in a log.

Records that have a trial now enter the log as assigned by rule when they were read last.
"""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, protect, unprotect

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

READS = granted("statement.read.all", "trial.write.all", "source.write.all")
WRITES = granted("trial.write.all", "source.write.all")
WRITES_TRIALS = granted("trial.write.all", "source.write.all", "site.write.all", "site.write.own")
HAS_TRIAL = "EXISTS (SELECT FROM trials WHERE trials.key = trial_aliases.{})"


def _aliases(column: str, *more: str) -> Rule:
    sees = HAS_TRIAL.format(column)
    return Rule(
        read=sees,
        insert=WRITES_TRIALS,
        change=WRITES_TRIALS,
        public=sees,
        rights=("SELECT", "INSERT", "DELETE", *more),
    )


# A name is seen with the trial that answers to it.
NAMES, NAMES_BEFORE = _aliases("present_key", "UPDATE"), _aliases("trial_key")
RULES = {
    "trial_aliases": NAMES,
    "trial_assignments": Rule(read=READS, insert=WRITES, rights=("SELECT", "INSERT")),
}


def upgrade() -> None:
    op.add_column("trials", sa.Column("merged_into", sa.String(length=36), nullable=True))
    op.add_column("sites", sa.Column("declared_for", sa.String(length=36), nullable=True))
    op.add_column("trial_aliases", sa.Column("present_key", sa.String(length=36), nullable=False, server_default=""))
    op.execute("UPDATE trial_aliases SET present_key = trial_key")
    op.create_index(op.f("ix_trial_aliases_present_key"), "trial_aliases", ["present_key"])
    op.create_table(
        "trial_assignments",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=True),
        sa.Column("source_id", sa.String(length=100), nullable=True),
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("other_key", sa.String(length=36), nullable=True),
        sa.Column("author", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("act", sa.BigInteger(), nullable=False),
        sa.Column("undoes", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_trial_assignments_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_trial_assignments")),
    )
    op.create_index(op.f("ix_trial_assignments_trial_key"), "trial_assignments", ["trial_key"])
    op.create_index(op.f("ix_trial_assignments_other_key"), "trial_assignments", ["other_key"])
    op.create_index("ix_trial_assignments_record", "trial_assignments", ["source", "source_id"])
    op.execute(
        "INSERT INTO trial_assignments (number, at, action, source, source_id, trial_key, numbers, before, act)"
        " SELECT number, read_at, 'assigned', source, source_id, trial_key, '[]', '[null, {}, false]', number FROM"
        " (SELECT row_number() OVER (ORDER BY read_at, source, source_id) AS number, read_at, source, source_id,"
        " trial_key FROM source_records WHERE trial_key IS NOT NULL) AS known"
    )
    unprotect(op, "registry", "trial_aliases")
    for table, rule in RULES.items():
        protect(op, "registry", table, rule)


def downgrade() -> None:
    unprotect(op, "registry", "trial_assignments")
    unprotect(op, "registry", "trial_aliases")
    protect(op, "registry", "trial_aliases", NAMES_BEFORE)
    op.drop_table("trial_assignments")
    op.drop_index(op.f("ix_trial_aliases_present_key"), "trial_aliases")
    op.drop_column("trial_aliases", "present_key")
    op.drop_column("sites", "declared_for")
    op.drop_column("trials", "merged_into")
