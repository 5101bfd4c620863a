"""Facilities of trials, and the assignments of facility texts to places. Rows are never deleted."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

trial_facilities = Table(
    "trial_facilities",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    # `model.facility_key`
    Column("facility_key", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
    # As the record writes them; null: not given.
    Column("facility", Text),
    Column("city", Text),
    Column("country", String(2)),
    # Whether a record names it now, and the status that the record gives for it.
    Column("named", Boolean, nullable=False),
    Column("source_status", String(32)),
    # The member centre, or the hospital by its FINESS number, that it is; null: none.
    Column("centre", String(64)),
    Column("finess", String(9)),
    Column("changed_at", UtcInstant, nullable=False),
)
Index("ix_trial_facilities_facility_key", trial_facilities.c.facility_key)

place_assignments = Table(
    "place_assignments",
    METADATA,
    Column("facility_key", String(32), primary_key=True),
    # In the order of reception, from 1.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("facility", Text, nullable=False),
    Column("city", Text),
    Column("country", String(2)),
    # `centre` (its id), `hospital` (its FINESS number), `none`: none of ours.
    Column("kind", String(16), nullable=False),
    Column("place", String(64)),
    Column("reason", Text, nullable=False),
    Column("author", String(200), nullable=False),
    Column("at", UtcInstant, nullable=False),
    Column("withdrawn_at", UtcInstant),
    Column("withdrawn_by", String(200)),
)

# Trials that are looked at again in the background. Rows go when this is done.
place_merges = Table(
    "place_merges",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    # Whether a facility text has another place now, so that the trial is merged; if not, only its facilities are found.
    Column("merges", Boolean, nullable=False),
)
