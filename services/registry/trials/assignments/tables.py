"""The log of assignments and merges. Rows are never changed: replayed in their order, they give what is stored."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

trial_assignments = Table(
    "trial_assignments",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcInstant, nullable=False),
    Column("action", String(16), nullable=False),
    # The record that was assigned or released; null: two trials were merged or separated.
    Column("source", String(40)),
    Column("source_id", String(100)),
    # The trial to which the record was assigned, from which it was released, or that was merged or separated.
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), nullable=False, index=True),
    # Where the record was before; or the trial into which the other one was merged.
    Column("other_key", String(36), index=True),
    # Null: by rule.
    Column("author", String(200)),
    Column("reason", Text),
    # JSON: the shared numbers that proposed it.
    Column("numbers", Text, nullable=False),
    # JSON: the result of the record before, the trials whose numbers went with it, and whether its trial is new.
    Column("before", Text, nullable=False),
    # The number of the first entry of the same act of a person, and that of the act which this one undoes.
    Column("act", BigInteger, nullable=False),
    Column("undoes", BigInteger),
)
Index("ix_trial_assignments_record", trial_assignments.c.source, trial_assignments.c.source_id)
