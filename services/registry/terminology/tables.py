"""Releases that an operator has loaded, and the versions of the terminology that were published."""

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

terminology_releases = Table(
    "terminology_releases",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("codes", Integer, nullable=False),
    Column("loaded_at", UtcInstant, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
terminology_versions = Table(
    "terminology_versions",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("version", String(16), nullable=False),
    Column("published_at", UtcInstant, nullable=False),
)
