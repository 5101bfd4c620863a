"""Claims of items of the review queue, and decisions on records that are no trials."""

from sqlalchemy import Column, ForeignKeyConstraint, Integer, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

review_claims = Table(
    "review_claims",
    METADATA,
    Column("item", String(200), primary_key=True),
    Column("claimed_by", String(200), nullable=False),
    Column("at", UtcInstant, nullable=False),
)

# Decisions are never deleted, only withdrawn.
record_decisions = Table(
    "record_decisions",
    METADATA,
    Column("source", String(40), primary_key=True),
    Column("source_id", String(100), primary_key=True),
    # In the order of reception, from 1.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("answer", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", String(200), nullable=False),
    Column("at", UtcInstant, nullable=False),
    Column("withdrawn_at", UtcInstant),
    Column("withdrawn_by", String(200)),
    ForeignKeyConstraint(
        ["source", "source_id"], ["source_records.source", "source_records.source_id"], ondelete="CASCADE"
    ),
)
