"""Statements of people on trials, and open conflicts. Values are JSON."""

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

# Statements are never deleted, only withdrawn.
trial_statements = Table(
    "trial_statements",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    # In the order of reception, from 1.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("path", String(100), nullable=False),
    Column("value", Text, nullable=False),
    # What the sources said at that time.
    Column("against", Text, nullable=False),
    Column("at", UtcInstant, nullable=False),
    Column("author", String(200), nullable=False),
    Column("reason", Text),
    Column("withdrawn_at", UtcInstant),
    Column("withdrawn_by", String(200)),
)

# Rows go when the conflict is gone.
trial_conflicts = Table(
    "trial_conflicts",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    # `Conflict.key`
    Column("key", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("path", String(100), nullable=False),
    Column("used", Text, nullable=False),
    Column("other", Text, nullable=False),
    Column("source", String(40), nullable=False),
    Column("since", UtcInstant, nullable=False),
)
