"""The versions of what the parties of a trial state. They are only added: the last one is in force."""

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

preparation_versions = Table(
    "preparation_versions",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    # `services.registry.preparation.model.Part`.
    Column("part", String(16), primary_key=True),
    # Empty: of the whole trial.
    Column("centre", String(64), primary_key=True),
    # The step or item; empty: the part has one document.
    Column("item", String(40), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcInstant, nullable=False),
    Column("author", String(200), nullable=False),
    Column("document", Text, nullable=False),
)
