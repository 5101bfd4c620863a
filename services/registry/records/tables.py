"""Source records: the trial and the last result of each, and every form in which it came."""

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Index, Integer, LargeBinary, String, Table

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

source_records = Table(
    "source_records",
    METADATA,
    Column("source", String(40), primary_key=True),
    Column("source_id", String(100), primary_key=True),
    # The newest of `source_versions`; 0: the record came before records were kept.
    Column("version", Integer, nullable=False),
    # The canonical hash of that version, and the hash of the rules by which it was read last; empty: not known.
    Column("canonical_hash", String(64), nullable=False),
    Column("rules", String(64), nullable=False),
    Column("result", String(32), nullable=False),
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="SET NULL")),
    Column("read_at", UtcInstant, nullable=False),
    # Since when it waits for a person (`WAITING`); null: it does not.
    Column("waiting_since", UtcInstant),
    # What its forms say together (`Record.dump`, compressed); null: not read since sources are merged.
    Column("reading", LargeBinary),
    # Since when a complete list of its source does not have it; null: it has, or no such list came.
    Column("missing_since", UtcInstant),
)
Index("ix_source_records_trial_key", source_records.c.trial_key)

# A form of a record that differs from the one before. Rows are never changed.
source_versions = Table(
    "source_versions",
    METADATA,
    Column("source", String(40), primary_key=True),
    Column("source_id", String(100), primary_key=True),
    # In the order of reception.
    Column("version", Integer, primary_key=True),
    Column("received_at", UtcInstant, nullable=False),
    Column("dated", String(10)),
    Column("bytes_hash", String(64), nullable=False),
    Column("canonical_hash", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["source", "source_id"], ["source_records.source", "source_records.source_id"], ondelete="CASCADE"
    ),
)
