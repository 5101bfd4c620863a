"""Feasibility: what centres are asked about dossiers, their answers, and the confidentiality agreements before them.

A centre reads its own requests, and no dossier; a sponsor reads the requests of centres that may be named, and no other.
What either gets beyond that is computed by the service.
"""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, own, protect, unprotect

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ALL = granted("feasibility.read.all", "feasibility.write.all")
WRITES_ALL = granted("feasibility.write.all")
READS_OWN = granted("feasibility.read.own")
WRITES_OWN = granted("feasibility.write.own")


def of_dossier(table: str) -> str:
    """SQL: the caller is a party to the dossier of the row."""
    return f"EXISTS (SELECT FROM submissions WHERE submissions.reference = {table}.submission)"


def of_request(table: str) -> str:
    """SQL: the caller sees the request of the row."""
    return f"EXISTS (SELECT FROM feasibility_requests WHERE feasibility_requests.reference = {table}.subject)"


OWN = own("centre", "feasibility.read.own", "feasibility.write.own", of="centre")
WRITES_OWN_CENTRE = own("centre", "feasibility.write.own", of="centre")
WRITES_CHILD = f"({WRITES_ALL} OR {WRITES_OWN})"
RULES = {
    "feasibility_requests": Rule(
        read=f"{ALL} OR {OWN} OR ({READS_OWN} AND named AND {of_dossier('feasibility_requests')})",
        # A sponsor asks centres about its own dossiers.
        insert=f"{WRITES_ALL} OR ({WRITES_OWN} AND {of_dossier('feasibility_requests')})",
        change=f"{WRITES_ALL} OR {WRITES_OWN_CENTRE} OR ({WRITES_OWN} AND named AND {of_dossier('feasibility_requests')})",
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
    "feasibility_steps": Rule(
        read=of_request("feasibility_steps"),
        # The first step of a request is written by a sponsor that does not see it.
        insert=WRITES_CHILD,
        rights=("SELECT", "INSERT"),
    ),
    "feasibility_answers": Rule(
        read=of_request("feasibility_answers"),
        insert=WRITES_ALL,
        change=f"{WRITES_ALL} OR ({WRITES_OWN} AND EXISTS (SELECT FROM feasibility_requests WHERE feasibility_requests.reference ="
        f" feasibility_answers.subject AND {own('feasibility_requests.centre', 'feasibility.write.own', of='centre')}))",
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
    "feasibility_dossiers": Rule(
        read=f"{ALL} OR ({READS_OWN} AND {of_dossier('feasibility_dossiers')})",
        insert=f"{WRITES_ALL} OR ({WRITES_OWN} AND {of_dossier('feasibility_dossiers')})",
        change=f"{WRITES_ALL} OR ({WRITES_OWN} AND {of_dossier('feasibility_dossiers')})",
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
    "confidentiality_agreements": Rule(
        read=f"{ALL} OR ({READS_OWN} AND {of_dossier('confidentiality_agreements')}) OR EXISTS (SELECT FROM legal_entities WHERE"
        " legal_entities.finess_ej = confidentiality_agreements.finess_ej AND"
        f" {own('legal_entities.centre', 'feasibility.read.own', of='centre')})",
        insert=WRITES_ALL,
        change=WRITES_ALL,
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
    "legal_entities": Rule(
        read=f"{ALL} OR {READS_OWN}",
        insert=WRITES_ALL,
        change=WRITES_ALL,
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
}


def upgrade() -> None:
    op.create_table(
        "feasibility_requests",
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("submission", sa.String(length=40), nullable=False),
        sa.Column("centre", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("requested_at", UtcInstant(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("reminder_due", sa.Date(), nullable=True),
        _of_dossier("feasibility_requests"),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_feasibility_requests")),
        sa.UniqueConstraint("submission", "centre", name="uq_feasibility_requests_submission"),
    )
    op.create_index("ix_feasibility_requests_centre", "feasibility_requests", ["centre"])
    op.create_index("ix_feasibility_requests_reminder_due", "feasibility_requests", ["reminder_due"])
    op.create_table(
        "feasibility_steps",
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("on", sa.Date(), nullable=True),
        sa.Column("organisation", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        _of_request("feasibility_steps"),
        sa.PrimaryKeyConstraint("subject", "number", name=op.f("pk_feasibility_steps")),
    )
    op.create_table(
        "feasibility_answers",
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("submitted", sa.Text(), nullable=False),
        sa.Column("may_be_named", sa.Boolean(), nullable=False),
        sa.Column("submitted_on", sa.Date(), nullable=True),
        _of_request("feasibility_answers"),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_feasibility_answers")),
    )
    _create_tables_of_the_gate()
    for table, rule in RULES.items():
        protect(op, "registry", table, rule)


def _create_tables_of_the_gate() -> None:
    op.create_table(
        "feasibility_dossiers",
        sa.Column("submission", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("visible", sa.Text(), nullable=False),
        _of_dossier("feasibility_dossiers"),
        sa.PrimaryKeyConstraint("submission", name=op.f("pk_feasibility_dossiers")),
    )
    op.create_table(
        "confidentiality_agreements",
        sa.Column("submission", sa.String(length=40), nullable=False),
        sa.Column("finess_ej", sa.String(length=9), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signed_by", sa.Text(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        _of_dossier("confidentiality_agreements"),
        sa.PrimaryKeyConstraint("submission", "finess_ej", name=op.f("pk_confidentiality_agreements")),
    )
    op.create_table(
        "legal_entities",
        sa.Column("centre", sa.String(length=64), nullable=False),
        sa.Column("finess_ej", sa.String(length=9), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("centre", name=op.f("pk_legal_entities")),
    )
    op.create_index("ix_legal_entities_finess_ej", "legal_entities", ["finess_ej"])


def _of_dossier(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_submission")
    return sa.ForeignKeyConstraint(["submission"], ["submissions.reference"], name=name, ondelete="CASCADE")


def _of_request(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_subject")
    return sa.ForeignKeyConstraint(["subject"], ["feasibility_requests.reference"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    for table in RULES:
        unprotect(op, "registry", table)
    for table in reversed(RULES):
        op.drop_table(table)
