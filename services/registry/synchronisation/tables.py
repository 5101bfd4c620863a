"""Synchronised sources: the state of each, and the records that it listed."""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

source_syncs = Table(
    "source_syncs",
    METADATA,
    Column("source", String(40), primary_key=True),
    # What is fetched completely: a day (`2026-03-08`), or a path of the feed of another installation.
    Column("cursor", Text),
    # The beginning of the run that reached it, and of the last complete listing.
    Column("cursor_at", UtcInstant),
    Column("listed_at", UtcInstant),
    # When the next run is due; null: on request only.
    Column("due_at", UtcInstant),
    # JSON: what a person asked for, the run in progress (`Run`), the last run that ended (`RunSummary`).
    Column("requested", Text),
    Column("run", Text),
    Column("last_run", Text),
    Column("runs", Integer, nullable=False),
    # The replica that works on it, until when at the longest, and how often it was claimed.
    Column("claimed_until", UtcInstant),
    Column("fence", Integer, nullable=False),
    # Faults since the last page: how many, the last one, since when, and when to try again.
    Column("failures", Integer, nullable=False),
    Column("fault", String(40)),
    Column("fault_detail", Text),
    Column("failing_since", UtcInstant),
    Column("retry_at", UtcInstant),
)

source_listings = Table(
    "source_listings",
    METADATA,
    Column("source", String(40), primary_key=True),
    # The id of the record in its source; `unknown:…` where it cannot be read.
    Column("source_id", String(100), primary_key=True),
    # The number of the last run that listed it.
    Column("run", Integer, nullable=False),
    Column("seen_at", UtcInstant, nullable=False),
    # Since when a complete listing no longer has it.
    Column("missing_since", UtcInstant),
    # Quarantine: why it was not imported, since when, how often it was tried, and when to try again.
    Column("fault", String(40)),
    Column("fault_detail", Text),
    Column("faulty_since", UtcInstant),
    Column("attempts", Integer, nullable=False),
    Column("retry_at", UtcInstant),
)
Index("ix_source_listings_faulty_since", source_listings.c.source, source_listings.c.faulty_since)
Index("ix_source_listings_missing_since", source_listings.c.source, source_listings.c.missing_since)
