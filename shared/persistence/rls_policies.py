"""What migrations say of the second wall (`shared.persistence.rls_sessions`): roles, rights and policies. On SQLite all of it is nothing.

A condition is SQL about one row. What it asks of the caller is asked once a statement, not once a row: that is what the inner SELECTs are for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

# Between the words of a setting: no organisation has it in its name.
SEPARATOR = "\x1f"
_SEPARATOR = "chr(31)"


def may_take(role: str) -> str:
    """SQL: this login may work as the role. Since PostgreSQL 16 a member may be one that only grants it on."""
    return f"pg_has_role(current_user, {role}, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)"


def callers_role(service: str) -> str:
    """The role of requests whose caller has a name."""
    return f"cleio_{service}_callers"


def public_role(service: str) -> str:
    """The role of what anybody may read."""
    return f"cleio_{service}_public"


def granted(*grants: str) -> str:
    """The caller holds one of these rows of the policy: ``trial.read.all``."""
    return f"(SELECT {_holds(grants)})"


def named() -> str:
    """Some caller was named."""
    return "(SELECT current_setting('cleio.organisation', true) <> '')"


def own(column: str, *grants: str, of: Literal["organisation", "centre"] = "organisation") -> str:
    """The row is of the caller's own organisation, or centre, and the caller holds one of these grants. An index on the column serves."""
    return f"{column} = (SELECT CASE WHEN {_holds(grants)} THEN nullif(current_setting('cleio.{of}', true), '') END)"


def own_row(column: str) -> str:
    """The row is of whom the caller speaks for, whatever it may do."""
    return f"{column} = (SELECT nullif(current_setting('cleio.organisation', true), ''))"


def _holds(grants: Sequence[str]) -> str:
    held = "current_setting('cleio.grants', true)"
    return " OR ".join(f"strpos({held}, {_SEPARATOR} || '{grant}' || {_SEPARATOR}) > 0" for grant in grants)


def for_audience(side: str) -> str:
    """The caller belongs to an audience of this side of a feed's entry."""
    audiences = f"(SELECT string_to_array(current_setting('cleio.audiences', true), {_SEPARATOR}))"
    return f"jsonb_exists_any(CAST({side} AS jsonb) -> 'audience', {audiences})"


@dataclass(frozen=True)
class Rule:
    """Who sees and changes which rows of a table. ``read``, ``insert``, ``change`` (update and delete) are conditions on a named caller's rows, and
    ``public`` on everybody's; None: nobody. ``rights``: what SQL lets named callers do at all.
    """

    read: str | None = None
    insert: str | None = None
    change: str | None = None
    public: str | None = None
    rights: tuple[str, ...] = field(default=("SELECT",))


def create_row_level_security(op: Any, service: str, rules: Mapping[str, Rule]) -> None:
    """Make the roles where they are not there yet, and put every table behind its rule. ``op`` is Alembic's."""
    if op.get_bind().dialect.name == "sqlite":
        return
    _make_roles(op, service)
    for table, rule in rules.items():
        protect(op, service, table, rule)


def protect(op: Any, service: str, table: str, rule: Rule) -> None:
    """Put one table behind its rule."""
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
            f"CREATE POLICY callers_update ON {table} FOR UPDATE TO {callers} USING ({rule.change}) WITH CHECK ({rule.change})"
        )
        op.execute(f"CREATE POLICY callers_delete ON {table} FOR DELETE TO {callers} USING ({rule.change})")
    if rule.public is not None:
        op.execute(f"GRANT SELECT ON {table} TO {public}")
        op.execute(f"CREATE POLICY public_read ON {table} FOR SELECT TO {public} USING ({rule.public})")


def unprotect(op: Any, service: str, table: str) -> None:
    """Take a table's rule away. The roles stay: they are the server's, and other databases may use them."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for policy in ("callers_read", "callers_insert", "callers_update", "callers_delete", "public_read"):
        op.execute(f"DROP POLICY IF EXISTS {policy} ON {table}")
    op.execute(f"REVOKE ALL ON {table} FROM {callers_role(service)}, {public_role(service)}")
    op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def _make_roles(op: Any, service: str) -> None:
    callers, public = callers_role(service), public_role(service)
    for name in (callers, public):
        # Roles are the server's: another database, or its administrator, may have made them.
        op.execute(
            f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
                    BEGIN
                        CREATE ROLE {name} NOLOGIN;
                    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
                    END;
                END IF;
                IF NOT {may_take(f"'{name}'")} THEN
                    GRANT {name} TO CURRENT_USER;
                END IF;
                IF NOT has_schema_privilege('{name}', current_schema(), 'USAGE') THEN
                    EXECUTE format('GRANT USAGE ON SCHEMA %I TO {name}', current_schema());
                END IF;
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE insufficient_privilege USING MESSAGE = 'this login may not make roles. Say as an administrator of the database server '
                    || coalesce((SELECT string_agg('CREATE ROLE ' || name || ' NOLOGIN; ', '' ORDER BY name)
                        FROM unnest(ARRAY['{callers}', '{public}']) AS name WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)), '')
                    || 'GRANT {callers}, {public} TO ' || quote_ident(current_user);
            END $$
            """
        )
