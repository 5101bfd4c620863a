"""Claims of items of the review queue."""

from sqlalchemy import Column, String, Table

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

review_claims = Table(
    "review_claims",
    METADATA,
    Column("item", String(200), primary_key=True),
    Column("claimed_by", String(200), nullable=False),
    Column("at", UtcInstant, nullable=False),
)
