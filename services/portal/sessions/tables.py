"""The table of sessions."""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from services.portal.schema import METADATA
from shared.persistence import UtcInstant

sessions = Table(
    "sessions",
    METADATA,
    # SHA-256 of the id in the cookie: who reads the database cannot use a session.
    Column("digest", String(64), primary_key=True),
    Column("created_at", UtcInstant, nullable=False),
    Column("seen_at", UtcInstant, nullable=False),
    Column("ends_at", UtcInstant, nullable=False),
    Column("version", Integer, nullable=False),
    # Tokens, rights and the token of forms, encrypted.
    Column("sealed", LargeBinary, nullable=False),
)
Index("ix_sessions_ends_at", sessions.c.ends_at)
Index("ix_sessions_seen_at", sessions.c.seen_at)
