"""Where members live."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

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
# A person acts for one organisation: which one is never a choice of the caller.
Index(
    "uq_members_active",
    members.c.issuer,
    members.c.subject,
    unique=True,
    sqlite_where=members.c.status == "active",
    postgresql_where=members.c.status == "active",
)
