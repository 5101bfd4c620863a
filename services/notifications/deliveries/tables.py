"""The delivery ledger."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    literal_column,
)

from services.notifications.schema import METADATA
from shared.persistence import UtcInstant

deliveries = Table(
    "deliveries",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("subscription_id", String(36), ForeignKey("subscriptions.id", ondelete="CASCADE"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("event_source", String(64), nullable=False),
    Column("event_id", String(64), nullable=False),
    Column("tombstone", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("failures", Integer, nullable=False),
    # Each claim raises the fence: only the claim that holds the current one may write an outcome.
    Column("fence", Integer, nullable=False),
    Column("due_at", UtcInstant, nullable=False),
    Column("lease_until", UtcInstant),
    Column("created_at", UtcInstant, nullable=False),
    Column("finished_at", UtcInstant),
    UniqueConstraint("subscription_id", "number"),
    UniqueConstraint("subscription_id", "event_source", "event_id"),
    ForeignKeyConstraint(["event_source", "event_id"], ["events.source", "events.id"]),
)
# Written out, never bound: a database uses a partial index only for a condition it can read.
PENDING = deliveries.c.state == literal_column("'pending'")
SENDING = deliveries.c.state == literal_column("'sending'")
Index(
    "ix_deliveries_pending",
    deliveries.c.subscription_id,
    deliveries.c.due_at,
    deliveries.c.number,
    sqlite_where=PENDING,
    postgresql_where=PENDING,
)
Index("ix_deliveries_sending", deliveries.c.lease_until, sqlite_where=SENDING, postgresql_where=SENDING)

attempts = Table(
    "attempts",
    METADATA,
    Column("delivery_id", String(36), ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("fence", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcInstant, nullable=False),
    Column("status", Integer),
    Column("error", String(32)),
    Column("ms", Integer, nullable=False),
)
