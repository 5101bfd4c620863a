"""Tables of capabilities. Everyone may read the first one; the evidence is in the second one."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Integer, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

capabilities = Table(
    "capabilities",
    METADATA,
    Column("centre", String(64), ForeignKey("centres.id", ondelete="CASCADE"), primary_key=True),
    Column("code", String(40), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("scope", String(16), nullable=False),
    Column("scope_note", Text),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("planned_from", Date),
    # A row is never deleted, so that its versions go on.
    Column("removed", Boolean, nullable=False),
    # When the next event `capability.expiring` is due; null: none is.
    Column("alarm_on", Date, index=True),
)

# Versions are only added.
capability_versions = Table(
    "capability_versions",
    METADATA,
    Column("centre", String(64), ForeignKey("centres.id", ondelete="CASCADE"), primary_key=True),
    Column("code", String(40), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcInstant, nullable=False),
    Column("author", String(200), nullable=False),
    # The statement as JSON, with its evidence.
    Column("document", Text, nullable=False),
)
