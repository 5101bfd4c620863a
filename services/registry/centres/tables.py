"""Table of centres."""

from sqlalchemy import Column, Integer, String, Table, Text

from services.registry.schema import METADATA

centres = Table(
    "centres",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("departement", String(3), nullable=False),
    Column("document", Text, nullable=False),
)
