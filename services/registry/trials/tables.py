"""Tables of trials. ``document`` is the trial as readers get it; the other columns serve to find it."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, false, text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

trials = Table(
    "trials",
    METADATA,
    # The id of the trial, made from its number, and its preferred public number.
    Column("key", String(36), primary_key=True),
    Column("public_id", String(100), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("published", Boolean, nullable=False),
    Column("demo", Boolean, nullable=False),
    Column("status", String(32), nullable=False),
    Column("document", Text, nullable=False),
    Column("side", Text, nullable=False),
    # Immutable: the order of lists. Demonstration trials come last.
    Column("number", BigInteger, nullable=False, server_default=text("0")),
    # The organisation that is responsible for it; null: the coordination.
    Column("owner", String(64)),
    # `TrialRules.version` by which it was merged last; empty: not known.
    Column("rules", String(64), nullable=False, server_default=""),
    # Where each part of the document comes from (`services.registry.trials.statements.model.dump_origins`).
    Column("provenance", Text, nullable=False, server_default="{}"),
    # The trial that answers in its place, since people merged it into that. Its own id: it has no record any more.
    Column("merged_into", String(36)),
)
Index("uq_trials_number", trials.c.number, unique=True)

# The names by which a trial is found: its id, its public numbers, also former ones, and the codes of its sponsor, each
# in the form of `shared.vocabulary.identifiers.alias_of`.
trial_aliases = Table(
    "trial_aliases",
    METADATA,
    Column("alias", String(300), primary_key=True),
    # Two sponsors may use the same code: only public numbers are unique.
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True, index=True),
    Column("is_public", Boolean, nullable=False),
    Column("former", Boolean, nullable=False),
    # The trial that answers to it: another one while its own is merged into that.
    Column("present_key", String(36), nullable=False, server_default="", index=True),
)
Index(
    "uq_trial_aliases_public",
    trial_aliases.c.alias,
    unique=True,
    sqlite_where=trial_aliases.c.is_public.is_(True),
    postgresql_where=trial_aliases.c.is_public.is_(True),
)

trial_versions = Table(
    "trial_versions",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", UtcInstant, nullable=False),
    Column("changed", Text, nullable=False),
    Column("document", Text, nullable=False),
    # Whether it was public, and the version of the criteria that was in force: other readers see no more of the past.
    Column("published", Boolean, nullable=False, server_default=false()),
    Column("criteria_version", Integer),
    # `Cause`; null: not known, as of earlier versions.
    Column("source", String(40)),
    Column("author", String(200)),
)

criteria_versions = Table(
    "criteria_versions",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("grade", String(16), nullable=False),
    Column("at", UtcInstant, nullable=False),
    Column("document", Text, nullable=False),
)

sites = Table(
    "sites",
    METADATA,
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    Column("centre", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    # The effective one: what was declared, else what the sources say.
    Column("status", String(32), nullable=False),
    Column("confirmed_at", UtcInstant),
    Column("slots", Text, nullable=False),
    # Null: nothing was declared, or no source names the site (any more).
    Column("declared_status", String(32)),
    Column("source_status", String(32)),
    Column("declared_by", String(200)),
    Column("declared_at", UtcInstant),
    # When the present declaration becomes stale; null: nothing is declared, or the event was sent.
    Column("stale_due", UtcInstant, index=True),
    # The trial for which it was declared, while that is merged into this one; null: for this trial.
    Column("declared_for", String(36)),
)
