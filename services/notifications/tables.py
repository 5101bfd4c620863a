"""Tables of the notifications service. One module, because the delivery ledger joins them in most queries."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    literal_column,
    text,
)

from services.notifications.schema import METADATA
from shared.persistence import UtcInstant

# How far each feed was read: the path of its next page.
feed_positions = Table(
    "tails",
    METADATA,
    Column("feed", String(32), primary_key=True),
    Column("following", Text, nullable=False),
)

# The id of every event read is stored, so that none is processed twice; its text only if it is sent to a subscriber.
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

subscriptions = Table(
    "subscriptions",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("audiences", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("disabled_reason", String(16)),
    # `webhook` or `email`.
    Column("channel", String(16), nullable=False, server_default="webhook"),
    # Of an e-mail subscription: `mailto:` and the address.
    Column("url", Text, nullable=False),
    Column("types", Text, nullable=False),
    Column("filter", Text, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    # After a rotation: signs beside the present secret until then.
    Column("former_secret", LargeBinary),
    Column("former_until", UtcInstant),
    Column("last_number", BigInteger, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("updated_at", UtcInstant, nullable=False),
    # Of e-mail subscriptions only. `refusals`: messages refused for good since the last one that was accepted.
    Column("language", String(2)),
    Column("frequency", String(16)),
    Column("confirmed_at", UtcInstant),
    Column("refusals", Integer, nullable=False, server_default=text("0")),
    # Its address had too many requests for consent: it gets none, and nothing else.
    Column("silent", Boolean, nullable=False, server_default=false()),
)
IS_WEBHOOK = subscriptions.c.channel == "webhook"
IS_EMAIL = subscriptions.c.channel == "email"
# Requests for consent within a day of the first (``since``), by a keyed hash of what they count for.
consent_requests = Table(
    "consent_requests",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("since", UtcInstant, nullable=False),
    Column("requests", Integer, nullable=False),
)

Index("ix_subscriptions_owner_created_at_id", subscriptions.c.owner, subscriptions.c.created_at, subscriptions.c.id)

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
    # Fencing token: each claim raises it, and only the claim with the current value may write an outcome.
    Column("fence", Integer, nullable=False),
    Column("due_at", UtcInstant, nullable=False),
    Column("lease_until", UtcInstant),
    Column("created_at", UtcInstant, nullable=False),
    Column("finished_at", UtcInstant),
    UniqueConstraint("subscription_id", "number"),
    UniqueConstraint("subscription_id", "event_source", "event_id"),
    ForeignKeyConstraint(["event_source", "event_id"], ["events.source", "events.id"]),
)
# Literals, not bound parameters: a planner uses a partial index only if it can read the condition.
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
