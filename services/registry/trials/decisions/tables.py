"""Decisions of people on trials, and open reviews."""

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

# Decisions are never deleted, only withdrawn.
trial_decisions = Table(
    "trial_decisions",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    # In the order of reception, from 1.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    # Which conflict (the beginning of `Conflict.key`); empty where a trial has one item of the kind.
    Column("item", String(64), nullable=False),
    Column("answer", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", String(200), nullable=False),
    Column("at", UtcInstant, nullable=False),
    # Of a scope: the answer of the gate at that time, and `basis_of` the trial.
    Column("gate", String(32)),
    Column("basis", String(64)),
    # Of a conflict: the statement that was made or withdrawn.
    Column("statement", Integer),
    Column("withdrawn_at", UtcInstant),
    Column("withdrawn_by", String(200)),
)

# Rows go when nothing is to be decided any more, as those of `trial_conflicts`.
trial_reviews = Table(
    "trial_reviews",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("since", UtcInstant, nullable=False),
)
