"""Row-level security in migrations: roles, privileges and policies. Nothing happens on SQLite.

A condition is SQL about one row. Its inner SELECTs read the caller's settings once a statement instead of once a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

# Separates the values of a setting; no name of an organisation contains it.
SEPARATOR = "\x1f"
_SEPARATOR = "chr(31)"


def can_use(role: str) -> str:
    """SQL: whether this login can use the role. Since PostgreSQL 16 membership alone is not enough."""
    kind = "CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END"
    return f"pg_has_role(current_user, {role}, {kind})"


def callers_role(service: str) -> str:
    """The role of requests with an identified caller."""
    return f"cleio_{service}_callers"


def public_role(service: str) -> str:
    """The role of reads that anyone may make."""
    return f"cleio_{service}_public"


def granted(*grants: str) -> str:
    """SQL: the caller has one of these grants, such as ``trial.read.all``."""
    return f"(SELECT {_holds(grants)})"


def named() -> str:
    """SQL: the caller is identified."""
    return "(SELECT current_setting('cleio.organisation', true) <> '')"


def own(column: str, *grants: str, of: Literal["organisation", "centre"] = "organisation") -> str:
    """SQL: the row belongs to the caller's organisation or centre, and the caller has one of these grants."""
    return f"{column} = (SELECT CASE WHEN {_holds(grants)} THEN nullif(current_setting('cleio.{of}', true), '') END)"


def own_row(column: str) -> str:
    """SQL: the row belongs to the caller's organisation."""
    return f"{column} = (SELECT nullif(current_setting('cleio.organisation', true), ''))"


def _holds(grants: Sequence[str]) -> str:
    setting = "current_setting('cleio.grants', true)"
    return " OR ".join(f"strpos({setting}, {_SEPARATOR} || '{grant}' || {_SEPARATOR}) > 0" for grant in grants)


def in_audience(audience: str) -> str:
    """SQL: the caller belongs to this audience."""
    return (
        f"(SELECT '{audience}' = ANY (string_to_array(coalesce(current_setting('cleio.audiences', true), ''),"
        f" {_SEPARATOR})))"
    )


def for_audience(side: str) -> str:
    """SQL: the caller belongs to an audience of this column (``before`` or ``after``) of a feed entry."""
    audiences = f"(SELECT string_to_array(current_setting('cleio.audiences', true), {_SEPARATOR}))"
    return f"jsonb_exists_any(CAST({side} AS jsonb) -> 'audience', {audiences})"


@dataclass(frozen=True)
class Rule:
    """Which rows of a table callers may read and change.

    ``read``, ``insert`` and ``change`` (update, delete) are conditions for identified callers, ``public`` for anyone;
    None allows nothing. ``rights`` are the SQL privileges of identified callers.
    """

    read: str | None = None
    insert: str | None = None
    change: str | None = None
    public: str | None = None
    rights: tuple[str, ...] = field(default=("SELECT",))


def create_row_level_security(op: Any, service: str, rules: Mapping[str, Rule]) -> None:
    """Create missing roles and protect every table by its rule. ``op`` is Alembic's."""
    if op.get_bind().dialect.name == "sqlite":
        return
    _make_roles(op, service)
    for table, rule in rules.items():
        protect(op, service, table, rule)


def protect(op: Any, service: str, table: str, rule: Rule) -> None:
    """Protect one table by its rule."""
    if op.get_bind().dialect.name == "sqlite":
        return
    callers, public = callers_role(service), public_role(service)
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    if rule.rights:
        op.execute(f"GRANT {', '.join(rule.rights)} ON {table} TO {callers}")
    if rule.read is not None:
        op.execute(f"CREATE POLICY callers_read ON {table} FOR SELECT TO {callers} USING ({rule.read})")
    if rule.insert is not None:
        op.execute(f"CREATE POLICY callers_insert ON {table} FOR INSERT TO {callers} WITH CHECK ({rule.insert})")
    if rule.change is not None:
        op.execute(
            f"CREATE POLICY callers_update ON {table} FOR UPDATE TO {callers}"
            f" USING ({rule.change}) WITH CHECK ({rule.change})"
        )
        op.execute(f"CREATE POLICY callers_delete ON {table} FOR DELETE TO {callers} USING ({rule.change})")
    if rule.public is not None:
        op.execute(f"GRANT SELECT ON {table} TO {public}")
        op.execute(f"CREATE POLICY public_read ON {table} FOR SELECT TO {public} USING ({rule.public})")


def unprotect(op: Any, service: str, table: str) -> None:
    """Remove a table's rule. The roles stay: other databases of the server may use them."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for policy in ("callers_read", "callers_insert", "callers_update", "callers_delete", "public_read"):
        op.execute(f"DROP POLICY IF EXISTS {policy} ON {table}")
    op.execute(f"REVOKE ALL ON {table} FROM {callers_role(service)}, {public_role(service)}")
    op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def _make_roles(op: Any, service: str) -> None:
    callers, public = callers_role(service), public_role(service)
    for name in (callers, public):
        # Roles belong to the server: another database, or its administrator, may have created them.
        op.execute(
            f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
                    BEGIN
                        CREATE ROLE {name} NOLOGIN;
                    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
                    END;
                END IF;
                IF NOT {can_use(f"'{name}'")} THEN
                    GRANT {name} TO CURRENT_USER;
                END IF;
                IF NOT has_schema_privilege('{name}', current_schema(), 'USAGE') THEN
                    EXECUTE format('GRANT USAGE ON SCHEMA %I TO {name}', current_schema());
                END IF;
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE insufficient_privilege USING MESSAGE =
                    'this login cannot create roles. Run as an administrator of the database server: '
                    || coalesce((SELECT string_agg('CREATE ROLE ' || name || ' NOLOGIN; ', '' ORDER BY name)
                        FROM unnest(ARRAY['{callers}', '{public}']) AS name
                        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)), '')
                    || 'GRANT {callers}, {public} TO ' || quote_ident(current_user);
            END $$
            """  # noqa: S608 - names of our own
        )
