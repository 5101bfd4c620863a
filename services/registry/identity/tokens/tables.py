"""Tables of the issuer: signing keys, encrypted, and used assertions."""

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

signing_keys = Table(
    "signing_keys",
    METADATA,
    Column("kid", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("public", Text, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("retired_at", UtcInstant),
)
# At most one active and one next key, however many processes create them.
Index(
    "uq_signing_keys_state",
    signing_keys.c.state,
    unique=True,
    sqlite_where=signing_keys.c.state != "retired",
    postgresql_where=signing_keys.c.state != "retired",
)

used_assertions = Table(
    "used_assertions",
    METADATA,
    Column("client", String(36), primary_key=True),
    Column("jti", String(128), primary_key=True),
    Column("forget_at", UtcInstant, nullable=False, index=True),
)
