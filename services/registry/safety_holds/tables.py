"""Tables of safety holds. They are never deleted."""

from sqlalchemy import Column, Date, ForeignKey, Integer, String, Table

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

safety_holds = Table(
    "safety_holds",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("scope", String(16), nullable=False),
    # A country, centre or cohort, or the name of a product; null: the whole trial.
    Column("target", String(600)),
    Column("kind", String(32), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("decided_on", Date),
    Column("reference", String(600)),
    Column("imposed_at", UtcInstant, nullable=False),
    Column("organisation", String(64), nullable=False),
    Column("author", String(200), nullable=False),
    # Null: it is in force.
    Column("lifted_at", UtcInstant, index=True),
)

# Who agrees to lift a hold: one row for each organisation.
safety_hold_agreements = Table(
    "safety_hold_agreements",
    METADATA,
    Column("hold", String(40), ForeignKey("safety_holds.id", ondelete="CASCADE"), primary_key=True),
    Column("organisation", String(64), primary_key=True),
    Column("party", String(16), nullable=False),
    Column("author", String(200), nullable=False),
    Column("at", UtcInstant, nullable=False),
    Column("basis", String(32), nullable=False),
    Column("reference", String(600), nullable=False),
    Column("decided_on", Date, nullable=False),
)
