"""The second wall, on PostgreSQL alone: a request reaches its database as a role that is shown what its caller may see, whatever a statement forgot.

Row-level security decides by what a transaction says of its caller (`RlsContext`). The roles can be given nothing by mistake: a transaction that says
nothing is shown nothing. Outside of requests the service works as itself. SQLite has no such thing: there the repositories are the only wall.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.persistence.rls_policies import SEPARATOR, callers_role, may_take, public_role


@dataclass(frozen=True, slots=True)
class RlsContext:
    """What a caller may see and change, as the database is told. ``grants`` are rows of the policy, ``resource.action.rows``.

    ``public``: its reads need to say nothing, because everybody's role is shown the same.
    """

    grants: frozenset[str] = frozenset()
    organisation: str | None = None
    centre: str | None = None
    audiences: frozenset[str] = frozenset()
    public: bool = False


# A request whose caller nobody has asked for yet.
NO_ACCESS = RlsContext()

_TELL = text(
    "SELECT set_config('cleio.grants', :grants, true), set_config('cleio.organisation', :organisation, true),"
    " set_config('cleio.centre', :centre, true), set_config('cleio.audiences', :audiences, true)"
)


class RowLevelSecurityError(RuntimeError):
    """The roles are not there, are too strong, or cannot be taken: the service does not start."""


@dataclass(frozen=True, slots=True)
class RlsEngines:
    """The connections of one service's callers. Each pool's connections have their role from the moment they are made, so none is ever left in
    another's; what a transaction says of its caller ends with it.
    """

    service: str
    callers: AsyncEngine
    public: AsyncEngine

    def engine_for(self, view: RlsContext, *, reading: bool) -> AsyncEngine:
        return self.public if view.public and reading else self.callers

    async def tell(self, connection: AsyncConnection, view: RlsContext, *, reading: bool) -> None:
        """Say who calls, for this transaction."""
        if view is NO_ACCESS or (view.public and reading):
            return
        await connection.execute(
            _TELL,
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


_ROLES = text(
    f"SELECT rolname, rolsuper OR rolbypassrls AS strong, {may_take('oid')} AS takes FROM pg_roles WHERE rolname IN (:callers, :public)"
)
_OPEN_TABLES = text(
    "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    " AND relname <> 'alembic_version' AND NOT relrowsecurity ORDER BY relname"
)


async def check_row_level_security(connection: AsyncConnection, service: str) -> None:
    """Called when a service starts.

    :raises RowLevelSecurityError: saying what is wrong with it.
    """
    names = {"callers": callers_role(service), "public": public_role(service)}
    found = {row.rolname: row for row in await connection.execute(_ROLES, names)}
    for name in names.values():
        if name not in found:
            raise RowLevelSecurityError(
                f"the database server has no role {name}: `cleio migrate` makes it, or its administrator"
            )
        if found[name].strong:
            raise RowLevelSecurityError(f"the role {name} may see everything (SUPERUSER or BYPASSRLS): it must not")
        if not found[name].takes:
            raise RowLevelSecurityError(f"this program's login may not take the role {name}: GRANT {name} TO it")
    if tables := [row.relname for row in await connection.execute(_OPEN_TABLES)]:
        raise RowLevelSecurityError(f"without row-level security: {', '.join(tables)}")
