"""Files of a geography as they came, compressed. The newest of each kind is in use."""

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

geography_files = Table(
    "geography_files",
    METADATA,
    # The load: files that were loaded together have the same.
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(20), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("loaded_at", UtcInstant, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
