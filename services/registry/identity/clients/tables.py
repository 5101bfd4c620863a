"""Where clients live. Of a key only its digest is kept."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

clients = Table(
    "clients",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("organisation", String(64), ForeignKey("organisations.id"), nullable=False, index=True),
    Column("name", String(100), nullable=False),
    Column("method", String(16), nullable=False),
    Column("audience", String(16), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("jwks", Text),
    Column("jwks_url", Text),
    Column("key_digest", LargeBinary),
    # The key before a rotation, until the overlap is over.
    Column("former_digest", LargeBinary),
    Column("former_until", UtcInstant),
    Column("expires_at", UtcInstant),
    Column("status", String(16), nullable=False),
    # What was issued until then is refused.
    Column("tokens_ended_at", UtcInstant, index=True),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("updated_at", UtcInstant, nullable=False),
)
