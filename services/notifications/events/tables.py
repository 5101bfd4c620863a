"""Where events wait to be delivered, and how far each feed was read."""

from sqlalchemy import Column, Index, String, Table, Text

from services.notifications.schema import METADATA
from shared.persistence import UtcInstant

tails = Table(
    "tails",
    METADATA,
    Column("feed", String(32), primary_key=True),
    Column("following", Text, nullable=False),
)

# Every event read is kept by its id, so that none is taken twice; its text only where somebody is told.
events = Table(
    "events",
    METADATA,
    Column("source", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("at", UtcInstant, nullable=False),
    Column("body", Text),
    Column("tombstone", Text),
)
Index("ix_events_at", events.c.at)
