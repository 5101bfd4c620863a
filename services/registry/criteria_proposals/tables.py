"""Table of proposed criteria. Rows are never deleted."""

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

criteria_proposals = Table(
    "criteria_proposals",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    # In the order of reception, from 1.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    # JSON
    Column("draft", Text, nullable=False),
    # The version of the criteria that it was made from; null: there were none.
    Column("base", Integer),
    Column("written_from", String(64)),
    Column("author", String(200), nullable=False),
    Column("at", UtcInstant, nullable=False),
    # Null: it waits for a second person.
    Column("outcome", String(16)),
    Column("ended_at", UtcInstant),
    Column("ended_by", String(200)),
)
