"""Sites have versions of their own: a declaration changes no trial any more.

The documents of trials keep what the sources say of their sites; what is declared is joined when they are read.
"""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, own, protect, unprotect

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SEES_TRIALS = granted("trial.read.all", "trial.write.all", "source.write.all", "site.write.all")
WRITES = (
    f"{granted('trial.write.all', 'source.write.all', 'site.write.all')}"
    f" OR {own('centre', 'site.write.own', of='centre')}"
)
OF_TRIAL = "EXISTS (SELECT FROM trials WHERE trials.key = site_versions.trial_key)"
OF_FACILITY = "EXISTS (SELECT FROM trials WHERE trials.key = trial_facilities.trial_key)"
MERGES = granted("trial.write.all", "source.write.all")
ASSIGNS = granted("place.write.all")
RULES = {
    "site_versions": Rule(
        read=f"{OF_TRIAL} AND (published OR {SEES_TRIALS})",
        insert=WRITES,
        public=f"{OF_TRIAL} AND published",
        rights=("SELECT", "INSERT"),
    ),
    "trial_facilities": Rule(
        read=OF_FACILITY, insert=MERGES, change=MERGES, public=OF_FACILITY, rights=("SELECT", "INSERT", "UPDATE")
    ),
    "place_assignments": Rule(
        read=granted("place.read.all", "place.write.all", "trial.write.all", "source.write.all"),
        insert=ASSIGNS,
        change=ASSIGNS,
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
    # The merges themselves are made by the service.
    "place_merges": Rule(read=ASSIGNS, insert=ASSIGNS, change=ASSIGNS, rights=("SELECT", "INSERT", "UPDATE")),
}
# In a JSON text this is the member itself: inside of values quotes are escaped.
MEMBER = '"sites":['
STALE_AFTER = timedelta(days=30)
TOGETHER = 500


def upgrade() -> None:
    op.add_column("sites", sa.Column("stale_due", UtcInstant(), nullable=True))
    op.create_index("ix_sites_stale_due", "sites", ["stale_due"])
    op.create_table(
        "site_versions",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("centre", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_site_versions_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", "centre", "version", name=op.f("pk_site_versions")),
    )
    _create_tables_of_places()
    connection = op.get_bind()
    _begin_histories(connection)
    _rewrite(connection, lambda site: site.source_status)
    for name, rule in RULES.items():
        protect(op, "registry", name, rule)


def downgrade() -> None:
    for name in RULES:
        unprotect(op, "registry", name)
    _rewrite(op.get_bind(), lambda site: site.declared_status or site.source_status)
    for name in RULES:
        op.drop_table(name)
    op.drop_index("ix_sites_stale_due", "sites")
    op.drop_column("sites", "stale_due")


def _create_tables_of_places() -> None:
    op.create_table(
        "trial_facilities",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("facility_key", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("facility", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("source_status", sa.String(length=32), nullable=True),
        sa.Column("centre", sa.String(length=64), nullable=True),
        sa.Column("finess", sa.String(length=9), nullable=True),
        sa.Column("changed_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_trial_facilities_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", "facility_key", name=op.f("pk_trial_facilities")),
    )
    op.create_index("ix_trial_facilities_facility_key", "trial_facilities", ["facility_key"])
    op.create_table(
        "place_assignments",
        sa.Column("facility_key", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("facility", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("withdrawn_at", UtcInstant(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("facility_key", "number", name=op.f("pk_place_assignments")),
    )
    op.create_table(
        "place_merges",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("merges", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_place_merges_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", name=op.f("pk_place_merges")),
    )
    # The facilities of what is stored are found in the background.
    op.execute("INSERT INTO place_merges (trial_key, merges) SELECT key, false FROM trials")


def _begin_histories(connection: sa.Connection) -> None:
    """Write the present version of each site, and when what is declared becomes stale: 30 days after."""
    insert = sa.text(
        "INSERT INTO site_versions (trial_key, centre, version, at, kind, author, state, published)"
        " VALUES (:key, :centre, :version, :at, 'earlier', :author, :state, :published)"
    )
    due = sa.text("UPDATE sites SET stale_due = :due WHERE trial_key = :key AND centre = :centre")
    for sites in _pages(connection, "true"):
        connection.execute(insert, [_version(site) for site in sites])
        declared = [one for one in sites if one.declared_status and one.confirmed_at]
        if declared:
            connection.execute(
                due, [{"key": one.trial_key, "centre": one.centre, "due": _later(one.confirmed_at)} for one in declared]
            )


def _version(site: sa.Row[Any]) -> dict[str, object]:
    state = {
        "status": site.status,
        "declared_status": site.declared_status,
        "source_status": site.source_status,
        "confirmed_at": site.confirmed_at and f"{site.confirmed_at[:23]}Z",
        "slots": json.loads(site.slots),
        "cohorts": [],
    }
    return {
        "key": site.trial_key, "centre": site.centre, "version": site.version, "author": site.declared_by,
        "at": max(filter(None, (site.declared_at, site.confirmed_at, site.made))), "state": json.dumps(state),
        "published": site.published,
    }  # fmt: skip


def _later(confirmed: str) -> str:
    moment = UtcInstant().process_result_value(confirmed, None)
    assert moment is not None
    later = UtcInstant().process_bind_param(moment + STALE_AFTER, None)
    assert later is not None
    return later


def _rewrite(connection: sa.Connection, status_of: Callable[[sa.Row[Any]], str | None]) -> None:
    """Write into the documents of trials with declared sites what they say of these now."""
    update = sa.text("UPDATE trials SET document = :document WHERE key = :key")
    declared = "trials.key IN (SELECT trial_key FROM sites WHERE declared_status IS NOT NULL)"
    documents: dict[str, tuple[str, list[str]]] = {}
    for sites in _pages(connection, declared):
        for site in sites:
            _, said = documents.setdefault(site.trial_key, (site.document, []))
            if status := status_of(site):
                said.append(f'{{"centre":"{site.centre}","status":"{status}"}}')
        # The last trial of a page may go on in the next one.
        for key in list(documents)[:-1]:
            _write(connection, update, key, *documents.pop(key))
    for key, found in documents.items():
        _write(connection, update, key, *found)


def _write(connection: sa.Connection, update: sa.TextClause, key: str, document: str, said: list[str]) -> None:
    if MEMBER not in document:
        document = json.dumps(json.loads(document), ensure_ascii=False, separators=(",", ":"))
    before, member, rest = document.partition(MEMBER)
    _, _, after = rest.partition("]")
    connection.execute(update, {"key": key, "document": f"{before}{member}{','.join(said)}]{after}"})


def _pages(connection: sa.Connection, condition: str) -> Iterator[list[sa.Row[Any]]]:
    """Yield sites with document, visibility and first time of their trials in pages, by trial and centre."""
    key = centre = ""
    statement = sa.text(
        "SELECT sites.*, trials.document, trials.published, trial_versions.at AS made FROM sites"  # noqa: S608
        " JOIN trials ON trials.key = sites.trial_key"
        " JOIN trial_versions ON trial_versions.trial_key = trials.key AND trial_versions.version = 1"
        f" WHERE (sites.trial_key > :key OR (sites.trial_key = :key AND sites.centre > :centre)) AND {condition}"
        " ORDER BY sites.trial_key, sites.centre LIMIT :limit"
    )
    while rows := list(connection.execute(statement, {"key": key, "centre": centre, "limit": TOGETHER}).all()):
        yield rows
        key, centre = rows[-1].trial_key, rows[-1].centre
