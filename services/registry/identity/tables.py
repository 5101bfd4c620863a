"""Tables of organisations and of those who call for them. One module, because the three are joined in most queries."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

organisations = Table(
    "organisations",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("centre", String(64)),
    Column("status", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("updated_at", UtcInstant, nullable=False),
)

# Of an API key only the digest is stored.
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
    # The previous key, valid until the overlap of a rotation ends.
    Column("former_digest", LargeBinary),
    Column("former_until", UtcInstant),
    Column("expires_at", UtcInstant),
    Column("status", String(16), nullable=False),
    # Tokens issued up to this instant are refused.
    Column("tokens_ended_at", UtcInstant, index=True),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("updated_at", UtcInstant, nullable=False),
)

members = Table(
    "members",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("organisation", String(64), ForeignKey("organisations.id"), nullable=False, index=True),
    Column("issuer", String(300), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("roles", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("tokens_ended_at", UtcInstant, index=True),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("updated_at", UtcInstant, nullable=False),
)
# A person acts for one organisation only, so that no request has to choose one.
Index(
    "uq_members_active",
    members.c.issuer,
    members.c.subject,
    unique=True,
    sqlite_where=members.c.status == "active",
    postgresql_where=members.c.status == "active",
)
