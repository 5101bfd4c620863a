"""What sources and people say of each trial is kept apart, and merged.

What is stored becomes a record of the source `legacy`, or `sample`, with the trial as it is. What people had changed in
a trial of the sample becomes a record of its own.
"""

import json
import zlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, protect, unprotect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

READS = granted("statement.read.all", "trial.write.all", "source.write.all")
WRITES = granted("trial.write.all", "source.write.all")
RULES = {
    "source_records": Rule(
        read=WRITES,
        insert=granted("source.write.all"),
        change=granted("source.write.all"),
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
    "trial_statements": Rule(
        read=READS,
        insert=granted("trial.write.all"),
        change=granted("trial.write.all"),
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
    "trial_conflicts": Rule(read=READS, insert=WRITES, change=WRITES, rights=("SELECT", "INSERT", "DELETE")),
}
BEFORE = Rule(
    read=granted("source.write.all"),
    insert=granted("source.write.all"),
    change=granted("source.write.all"),
    rights=("SELECT", "INSERT", "UPDATE"),
)
# As in `merge/fields.json` at that time.
PATHS = (
    "identifiers", "acronym", "titles.fr", "titles.en", "summary.fr", "summary.en", "conditions", "product", "phase",
    "study_type", "status", "source_status", "why_stopped", "countries", "sponsor", "collaborators", "enrolment",
    "dates.start", "dates.primary_completion", "dates.completion", "dates.last_update", "cohorts", "locations", "sites",
    "eligibility", "sample", "illustrative",
)  # fmt: skip
SITES: dict[str, sa.types.TypeEngine[Any]] = {
    "declared_status": sa.String(length=32),
    "source_status": sa.String(length=32),
    "declared_by": sa.String(length=200),
    "declared_at": UtcInstant(),
}
TOGETHER = 500


def upgrade() -> None:
    # Without copying tables: on SQLite the rows of others that refer to them would go with the copied ones.
    connection = op.get_bind()
    op.add_column("source_records", sa.Column("reading", sa.LargeBinary(), nullable=True))
    for name, kind in SITES.items():
        op.add_column("sites", sa.Column(name, kind, nullable=True))
    op.add_column("trials", sa.Column("provenance", sa.Text(), nullable=False, server_default="{}"))
    # What was confirmed was declared: sources never confirmed anything.
    op.execute("UPDATE sites SET declared_status = status, declared_at = confirmed_at WHERE confirmed_at IS NOT NULL")
    op.execute("UPDATE sites SET source_status = status WHERE confirmed_at IS NULL")
    op.create_table(
        "trial_statements",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("path", sa.String(length=100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("against", sa.Text(), nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", UtcInstant(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_trial_statements_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", "number", name=op.f("pk_trial_statements")),
    )
    op.create_table(
        "trial_conflicts",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=100), nullable=False),
        sa.Column("used", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("since", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_trial_conflicts_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", "key", name=op.f("pk_trial_conflicts")),
    )
    _keep_what_is_stored(connection)
    op.drop_column("trials", "curated")
    unprotect(op, "registry", "source_records")
    for name, rule in RULES.items():
        protect(op, "registry", name, rule)


def downgrade() -> None:
    for name in RULES:
        unprotect(op, "registry", name)
    protect(op, "registry", "source_records", BEFORE)
    # What a person has stated must not be overwritten by the earlier program.
    op.add_column("trials", sa.Column("curated", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE trials SET curated = true WHERE key IN (SELECT trial_key FROM trial_statements WHERE withdrawn_at IS NULL)"
        " OR key IN (SELECT trial_key FROM source_records"
        " WHERE source = 'sample' OR (source = 'legacy' AND source_id LIKE '%\\:curated'))"
    )
    op.drop_column("trials", "provenance")
    op.drop_table("trial_conflicts")
    op.drop_table("trial_statements")
    op.execute("DELETE FROM source_records WHERE source IN ('legacy', 'sample')")
    for column in SITES:
        op.drop_column("sites", column)
    op.drop_column("source_records", "reading")


def _keep_what_is_stored(connection: sa.Connection) -> None:
    """Write a record for each trial, with what it says, and name this record as the origin of all of it."""
    insert = sa.text(
        "INSERT INTO source_records"
        " (source, source_id, version, canonical_hash, rules, result, trial_key, read_at, reading)"
        " VALUES (:source, :source_id, 0, '', '', 'created', :key, :at, :reading)"
    )
    update = sa.text("UPDATE trials SET provenance = :provenance WHERE key = :key")
    for rows in _pages(connection):
        records, provenances = [], []
        for key, curated, text, at in rows:
            trial = json.loads(text)
            declared = set(
                connection.execute(
                    sa.text("SELECT centre FROM sites WHERE trial_key = :key AND declared_status IS NOT NULL"),
                    {"key": key},
                ).scalars()
            )
            said = _said(trial, declared)
            parts = {("legacy", f"{key}:curated" if curated else key): said}
            origin = trial["origin"]
            if origin["source"] == "sample" and origin["source_id"]:
                first = connection.execute(
                    sa.text("SELECT document FROM trial_versions WHERE trial_key = :key AND version = 1"), {"key": key}
                ).scalar_one_or_none()
                loaded = _said(json.loads(first or text), declared)
                edited = {path: said[path] for path in said if path != "sites" and said[path] != loaded.get(path)}
                parts = {("sample", origin["source_id"]): loaded}
                if edited:
                    parts["legacy", f"{key}:curated"] = edited
            provenance: dict[str, Any] = {}
            for (source, source_id), values in parts.items():
                reading = json.dumps([{path: [value, 1, None] for path, value in values.items()}, {}])
                records.append(
                    {"source": source, "source_id": source_id, "key": key, "at": at,
                     "reading": zlib.compress(reading.encode("ascii"), 6)}
                )  # fmt: skip
                provenance |= {path: [[source, source_id, None, None]] for path in values}
            provenances.append({"key": key, "provenance": json.dumps(dict(sorted(provenance.items())))})
        connection.execute(insert, records)
        connection.execute(update, provenances)


def _said(trial: dict[str, Any], declared: set[str]) -> dict[str, Any]:
    """Return what a stored trial says, by path. Sites that were declared are none of it."""
    said = {}
    for path in PATHS:
        name, _, member = path.partition(".")
        value = trial.get(name)
        value = value.get(member) if member and isinstance(value, dict) else value
        if path == "sites":
            value = [site for site in value or () if site["centre"] not in declared]
        if value not in (None, [], {}):
            said[path] = value
    return said


def _pages(connection: sa.Connection) -> Iterator[list[Any]]:
    """Yield (key, curated, document, time of the last version) of all trials in pages."""
    after = ""
    statement = sa.text(
        "SELECT trials.key, trials.curated, trials.document, trial_versions.at FROM trials"
        " JOIN trial_versions ON trial_versions.trial_key = trials.key AND trial_versions.version = trials.version"
        " WHERE trials.key > :after ORDER BY trials.key LIMIT :limit"
    )
    while rows := list(connection.execute(statement, {"after": after, "limit": TOGETHER}).all()):
        yield rows
        after = rows[-1].key
