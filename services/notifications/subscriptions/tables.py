"""Where subscriptions live."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from services.notifications.schema import METADATA
from shared.persistence import UtcInstant

subscriptions = Table(
    "subscriptions",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("audiences", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("disabled_reason", String(16)),
    Column("url", Text, nullable=False),
    Column("types", Text, nullable=False),
    Column("filter", Text, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("last_number", BigInteger, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("updated_at", UtcInstant, nullable=False),
)
Index("ix_subscriptions_owner_created_at_id", subscriptions.c.owner, subscriptions.c.created_at, subscriptions.c.id)
