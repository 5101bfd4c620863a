"""Source records: which record became which trial, and the hash of its last form."""

from sqlalchemy import Column, ForeignKey, String, Table

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

source_records = Table(
    "source_records",
    METADATA,
    Column("source", String(40), primary_key=True),
    Column("source_id", String(100), primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("result", String(16), nullable=False),
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="SET NULL")),
    Column("read_at", UtcInstant, nullable=False),
)
