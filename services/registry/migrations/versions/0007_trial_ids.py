"""An id of our own for each trial, and the names by which trials are found.

The id is made from the number of the trial. It becomes the key of all tables, the subject of the feed, and a field of
the stored documents. Consumers of the feed load the export again.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.persistence.rls_policies import Rule, granted, protect, unprotect
from shared.vocabulary.identifiers import alias_of, is_trial_id, trial_id

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WRITES_TRIALS = granted("trial.write.all", "source.write.all", "site.write.all", "site.write.own")
OF_TRIAL = "EXISTS (SELECT FROM trials WHERE trials.key = trial_aliases.trial_key)"
RULES = {
    "trial_aliases": Rule(
        read=OF_TRIAL,
        insert=WRITES_TRIALS,
        change=WRITES_TRIALS,
        public=OF_TRIAL,
        rights=("SELECT", "INSERT", "DELETE"),
    )
}
DROPPED = ("trial_identifiers",)
# Tables that refer to trials, and what happens to their rows with the trial.
CHILDREN = {
    "criteria_versions": "CASCADE",
    "sites": "CASCADE",
    "trial_versions": "CASCADE",
    "source_records": "SET NULL",
}
TOGETHER = 500
GENERATION_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    connection = op.get_bind()
    unprotect(op, "registry", "trial_identifiers")
    op.create_table(
        "trial_aliases",
        sa.Column("alias", sa.String(length=300), nullable=False),
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("former", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_trial_aliases_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("alias", "trial_key", name=op.f("pk_trial_aliases")),
    )
    op.create_index(op.f("ix_trial_aliases_trial_key"), "trial_aliases", ["trial_key"])
    op.create_index(
        "uq_trial_aliases_public",
        "trial_aliases",
        ["alias"],
        unique=True,
        sqlite_where=sa.text("is_public"),
        postgresql_where=sa.text("is_public"),
    )
    known = _names(connection)
    op.drop_table("trial_identifiers")
    keys = _rekey(connection)
    aliases = _save_aliases(connection, keys, known)
    _rewrite_trials(connection, aliases)
    _rewrite_versions(connection)
    _rewrite_feed(connection, keys, known, aliases)
    for table, rule in RULES.items():
        protect(op, "registry", table, rule)


def downgrade() -> None:
    # The former ids are gone: only the tables are restored, for an empty registry.
    unprotect(op, "registry", "trial_aliases")
    op.drop_table("trial_aliases")
    op.create_table(
        "trial_identifiers",
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=100), nullable=False),
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_trial_identifiers_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("type", "value", "trial_key", name=op.f("pk_trial_identifiers")),
    )


def _names(connection: sa.Connection) -> dict[str, dict[str, tuple[bool, bool]]]:
    """Return the names of each trial by its old key: alias → (is public, is a former one)."""
    found: dict[str, dict[str, tuple[bool, bool]]] = {}
    rows = connection.execute(sa.text("SELECT trial_key, type, value FROM trial_identifiers ORDER BY trial_key"))
    for key, kind, value in rows:
        _add(found.setdefault(key, {}), kind, value, former=False)
    taken = {alias for names in found.values() for alias, (is_public, _) in names.items() if is_public}
    for key, _, document in _pages(connection, "trial_versions", ("trial_key", "version"), "document"):
        names = found.setdefault(key, {})
        for one in json.loads(document)["identifiers"]:
            # A number that another trial has now, or had before, stays there.
            alias = alias_of(one["value"])
            if alias not in names and (one["type"] == "sponsor" or alias not in taken):
                _add(names, one["type"], one["value"], former=True)
                taken |= {alias} if one["type"] != "sponsor" else set()
    return found


def _add(names: dict[str, tuple[bool, bool]], kind: str, value: str, *, former: bool) -> None:
    alias, is_public = alias_of(value), kind != "sponsor"
    if is_public or (not is_trial_id(alias) and alias not in names):
        names[alias] = (is_public, former)


def _rekey(connection: sa.Connection) -> dict[str, str]:
    """Replace the keys of trials by their ids; return the ids by old key."""
    rows = connection.execute(sa.text("SELECT key, number FROM trials")).all()
    keys = {row.key: trial_id(row.number) for row in rows}
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        # Until the commit rows may refer to keys that are not there.
        op.execute("PRAGMA defer_foreign_keys = ON")
    else:
        for table in CHILDREN:
            op.drop_constraint(f"fk_{table}_trial_key", table, type_="foreignkey")
        op.drop_constraint("fk_trial_aliases_trial_key", "trial_aliases", type_="foreignkey")
    for table, name in (*((table, "trial_key") for table in CHILDREN), ("trials", "key")):
        column: sa.ColumnClause[str] = sa.column(name)
        rewritten = sa.table(table, column)
        statement = sa.update(rewritten).where(column == sa.bindparam("old")).values({name: sa.bindparam("new")})
        _execute_all(connection, statement, [{"old": old, "new": new} for old, new in keys.items()])
    if not is_sqlite:
        for table, deletion in (*CHILDREN.items(), ("trial_aliases", "CASCADE")):
            op.create_foreign_key(f"fk_{table}_trial_key", table, "trials", ["trial_key"], ["key"], ondelete=deletion)
    return keys


def _save_aliases(
    connection: sa.Connection, keys: dict[str, str], known: dict[str, dict[str, tuple[bool, bool]]]
) -> dict[str, list[str]]:
    """Store the names of the trials; return them by id, sorted."""
    rows, found = [], {}
    for old, new in keys.items():
        names = {**known.get(old, {}), new: (True, False)}
        rows += [
            {"alias": alias, "key": new, "is_public": is_public, "former": former}
            for alias, (is_public, former) in names.items()
        ]
        found[new] = sorted(names)
    statement = sa.text(
        "INSERT INTO trial_aliases (alias, trial_key, is_public, former) VALUES (:alias, :key, :is_public, :former)"
    )
    _execute_all(connection, statement, rows)
    return found


def _rewrite_trials(connection: sa.Connection, aliases: dict[str, list[str]]) -> None:
    statement = sa.text("UPDATE trials SET document = :document, side = :side WHERE key = :key")
    rows = []
    for key, document, side in _pages(connection, "trials", ("key",), "document", "side"):
        routing = json.loads(side)
        routing["facets"]["trial"] = aliases[key]
        rows.append({"key": key, "document": _with_id(key, document), "side": json.dumps(routing)})
        rows = _flush(connection, statement, rows)
    _flush(connection, statement, rows, at=1)


def _rewrite_versions(connection: sa.Connection) -> None:
    statement = sa.text("UPDATE trial_versions SET document = :document WHERE trial_key = :key AND version = :version")
    rows = []
    for key, version, document in _pages(connection, "trial_versions", ("trial_key", "version"), "document"):
        rows.append({"key": key, "version": version, "document": _with_id(key, document)})
        rows = _flush(connection, statement, rows)
    _flush(connection, statement, rows, at=1)


def _with_id(key: str, document: str) -> str:
    """Return a stored trial with its id; what was its id is its preferred public number."""
    trial: dict[str, Any] = json.loads(document)
    rest = {name: value for name, value in trial.items() if name not in {"id", "identifier"}}
    renamed = {"id": key, "identifier": trial["id"], **rest}
    return json.dumps(renamed, ensure_ascii=False, separators=(",", ":"))


def _rewrite_feed(
    connection: sa.Connection,
    keys: dict[str, str],
    known: dict[str, dict[str, tuple[bool, bool]]],
    aliases: dict[str, list[str]],
) -> None:
    """Name trials and sites in the feed by their ids, and begin a new history."""
    # A former number of two trials names the one that has it now.
    named = {alias: keys[old] for old, names in known.items() if old in keys for alias in names}
    statement = sa.text(
        "UPDATE feed_entries SET subject = :subject, extra = :extra, before = :before, after = :after WHERE seq = :seq"
    )
    rows = []
    for seq, subject, extra, before, after in _pages(
        connection, "feed_entries", ("seq",), "subject", "extra", "before", "after"
    ):
        kind, _, rest = subject.partition("/")
        number, _, centre = rest.rpartition("/") if kind == "site" else (rest, "", "")
        key = named.get(alias_of(number)) if kind in {"trial", "site"} else None
        if key is None:
            continue
        more = json.loads(extra)
        if kind == "trial":
            more.pop("into", None)
            more["identifier"] = number
        else:
            more |= {"trial": number, "trial_id": key}
        rows.append(
            {
                "seq": seq,
                "subject": f"site/{key}/{centre}" if kind == "site" else f"trial/{key}",
                "extra": _compact(more),
                "before": _with_facet(before, aliases[key]),
                "after": _with_facet(after, aliases[key]),
            }
        )
        rows = _flush(connection, statement, rows)
    _flush(connection, statement, rows, at=1)
    if keys:
        seconds = int((datetime.now(UTC) - GENERATION_EPOCH).total_seconds())
        connection.execute(
            sa.text("UPDATE feed_head SET generation = CASE WHEN generation > :at THEN generation ELSE :at END + 1"),
            {"at": seconds},
        )


def _with_facet(side: str, aliases: list[str]) -> str:
    routing: dict[str, Any] = json.loads(side)
    if routing["audience"]:
        routing["facets"]["trial"] = aliases
    return _compact(routing)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _pages(connection: sa.Connection, table: str, order: Sequence[str], *columns: str) -> Iterator[Any]:
    """Yield the rows of a table in pages: the columns of ``order``, its primary key, and then ``columns``."""
    rows = sa.table(table, *map(sa.column, (*order, *columns)))
    place = sa.tuple_(*(rows.c[name] for name in order))
    statement = sa.select(rows).order_by(*(rows.c[name] for name in order)).limit(TOGETHER)
    page = connection.execute(statement).all()
    while page:
        yield from page
        page = connection.execute(statement.where(place > tuple(page[-1][: len(order)]))).all()


def _flush(connection: sa.Connection, statement: Any, rows: list[dict[str, Any]], at: int = TOGETHER) -> list[Any]:
    """Execute a statement for these rows once there are ``at`` of them; return the rows that are left."""
    if len(rows) < at:
        return rows
    connection.execute(statement, rows)
    return []


def _execute_all(connection: sa.Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    for first in range(0, len(rows), TOGETHER):
        connection.execute(statement, rows[first : first + TOGETHER])
