"""Row-level security on PostgreSQL: defence in depth should a query omit its filter.

A request uses a database role that sees only rows allowed for its caller. The policies read the caller from settings of
the transaction (`RlsContext`); a transaction that sets nothing sees nothing. Outside of requests the service acts as
itself. SQLite has no row-level security: there the filters of the repositories are the only protection.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.persistence.rls_policies import SEPARATOR, callers_role, can_use, public_role


@dataclass(frozen=True, slots=True)
class RlsContext:
    """What a caller may see and change. ``grants`` are rows of the policy, such as ``trial.read.all``.

    ``public``: reads use the public role, which needs no settings.
    """

    grants: frozenset[str] = frozenset()
    organisation: str | None = None
    centre: str | None = None
    audiences: frozenset[str] = frozenset()
    public: bool = False


# A request whose caller is not known yet.
NO_ACCESS = RlsContext()

_SET_CONTEXT = text(
    "SELECT set_config('cleio.grants', :grants, true), set_config('cleio.organisation', :organisation, true),"
    " set_config('cleio.centre', :centre, true), set_config('cleio.audiences', :audiences, true)"
)


class RowLevelSecurityError(RuntimeError):
    """A role is missing, too powerful or not granted, or a table has no policy: the service does not start."""


@dataclass(frozen=True, slots=True)
class RlsEngines:
    """The connection pools for requests to one service.

    The connections of a pool keep their role; the settings of a caller end with the transaction.
    """

    service: str
    callers: AsyncEngine
    public: AsyncEngine

    def engine_for(self, view: RlsContext, *, reading: bool) -> AsyncEngine:
        return self.public if view.public and reading else self.callers

    async def set_context(self, connection: AsyncConnection, view: RlsContext, *, reading: bool) -> None:
        """Set the caller for this transaction."""
        if view is NO_ACCESS or (view.public and reading):
            return
        await connection.execute(
            _SET_CONTEXT,
            {
                "grants": SEPARATOR + "".join(f"{grant}{SEPARATOR}" for grant in sorted(view.grants)),
                "organisation": view.organisation or "",
                "centre": view.centre or "",
                "audiences": SEPARATOR.join(sorted(view.audiences)),
            },
        )

    async def close(self) -> None:
        await self.callers.dispose()
        await self.public.dispose()


_GRANTS = text("SELECT current_setting('cleio.grants', true)")
_SET_GRANTS = text("SELECT set_config('cleio.grants', :grants, true)")


@asynccontextmanager
async def with_grants(connection: AsyncConnection, *grants: str) -> AsyncIterator[None]:
    """Let the statements of a block use more grants than the caller has: a rule of the service decided that they may.

    Where the block fails, its transaction or savepoint is rolled back, and the grants with it.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    before = (await connection.execute(_GRANTS)).scalar_one() or SEPARATOR
    await connection.execute(_SET_GRANTS, {"grants": before + "".join(f"{grant}{SEPARATOR}" for grant in grants)})
    yield
    await connection.execute(_SET_GRANTS, {"grants": before})


_ROLES = text(
    f"SELECT rolname, rolsuper OR rolbypassrls AS bypasses, {can_use('oid')} AS usable"  # noqa: S608 - constants only
    " FROM pg_roles WHERE rolname IN (:callers, :public)"
)
_UNPROTECTED_TABLES = text(
    "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    " AND relname <> 'alembic_version' AND NOT relrowsecurity ORDER BY relname"
)


async def check_row_level_security(connection: AsyncConnection, service: str) -> None:
    """Check the roles and tables of a service at its start.

    :raises RowLevelSecurityError: says what is wrong.
    """
    names = {"callers": callers_role(service), "public": public_role(service)}
    found = {row.rolname: row for row in await connection.execute(_ROLES, names)}
    for name in names.values():
        if name not in found:
            raise RowLevelSecurityError(
                f"the database server has no role {name}: run `cleio migrate`, or let its administrator create it"
            )
        if found[name].bypasses:
            raise RowLevelSecurityError(
                f"the role {name} bypasses row-level security: remove its SUPERUSER and BYPASSRLS attributes"
            )
        if not found[name].usable:
            raise RowLevelSecurityError(f"the login of this program cannot use the role {name}: GRANT {name} to it")
    if tables := [row.relname for row in await connection.execute(_UNPROTECTED_TABLES)]:
        raise RowLevelSecurityError(f"without row-level security: {', '.join(tables)}")
