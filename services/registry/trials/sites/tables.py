"""Versions of sites. They are never deleted."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

site_versions = Table(
    "site_versions",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    Column("centre", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcInstant, nullable=False),
    # `declaration`, `source`, or `earlier`: what was there when the history began.
    Column("kind", String(16), nullable=False),
    Column("author", String(200)),
    # What was known of the site from then on (`services.registry.model.site.SiteState`).
    Column("state", Text, nullable=False),
    # Whether the trial was public: other readers see no more of the past.
    Column("published", Boolean, nullable=False),
)
