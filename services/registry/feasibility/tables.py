"""Tables of feasibility. Steps are only added, and no row is ever deleted."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from services.registry.schema import METADATA
from services.registry.steps.tables import step_table
from shared.persistence import UtcInstant

# One row for each dossier and centre that is asked.
feasibility_requests = Table(
    "feasibility_requests",
    METADATA,
    Column("reference", String(40), primary_key=True),
    Column("submission", String(40), ForeignKey("submissions.reference", ondelete="CASCADE"), nullable=False),
    Column("centre", String(64), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("state", String(40), nullable=False),
    Column("requested_at", UtcInstant, nullable=False),
    # Whether the sponsor may know what this centre answers: row-level security follows it.
    Column("named", Boolean, nullable=False),
    Column("deadline", Date),
    Column("reminder_due", Date, index=True),
    UniqueConstraint("submission", "centre", name="uq_feasibility_requests_submission"),
)

feasibility_steps = step_table(METADATA, "feasibility_steps", "feasibility_requests.reference")

feasibility_answers = Table(
    "feasibility_answers",
    METADATA,
    Column("subject", String(40), ForeignKey("feasibility_requests.reference", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, nullable=False),
    # Lists of {question, condition, value}.
    Column("draft", Text, nullable=False),
    Column("submitted", Text, nullable=False),
    Column("may_be_named", Boolean, nullable=False),
    Column("submitted_on", Date),
)

# What the sponsor shows of a dossier before the gate; no row: nothing beyond what every centre sees.
feasibility_dossiers = Table(
    "feasibility_dossiers",
    METADATA,
    Column("submission", String(40), ForeignKey("submissions.reference", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("visible", Text, nullable=False),
)

confidentiality_agreements = Table(
    "confidentiality_agreements",
    METADATA,
    Column("submission", String(40), ForeignKey("submissions.reference", ondelete="CASCADE"), primary_key=True),
    Column("finess_ej", String(9), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("signed_by", Text, nullable=False),
    Column("signed_on", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("author", String(200), nullable=False),
    Column("at", UtcInstant, nullable=False),
)

# The legal entity that signs for a centre.
legal_entities = Table(
    "legal_entities",
    METADATA,
    Column("centre", String(64), primary_key=True),
    Column("finess_ej", String(9), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
)
