"""The only SQL about clients and members together."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.identity.clients.tables import clients
from services.registry.identity.members.tables import members
from services.registry.identity.organisations.tables import organisations


@dataclass(frozen=True, slots=True)
class CredentialRepository:
    """Holders in one transaction; each by its id and the version of its rights."""

    connection: AsyncConnection

    async def end_tokens(self, organisation: str, at: datetime) -> list[tuple[str, int]]:
        """End what the organisation's active ones hold; their new versions."""
        ended: list[tuple[str, int]] = []
        for table in (clients, members):
            statement = (
                update(table)
                .where(table.c.organisation == organisation, table.c.status == "active")
                .values(tokens_ended_at=at, version=table.c.version + 1)
                .returning(table.c.id, table.c.version)
            )
            ended += sorted((row.id, row.version) for row in await self.connection.execute(statement))
        return ended

    async def ended_since(self, since: datetime) -> list[tuple[str, int]]:
        """Whose tokens were ended, and the versions from which on their rights are others."""
        ended: list[tuple[str, int]] = []
        for table in (clients, members):
            statement = select(table.c.id, table.c.version).where(table.c.tokens_ended_at >= since)
            ended += [(row.id, row.version) for row in await self.connection.execute(statement)]
        return ended

    async def callers(self) -> dict[str, tuple[str, str]]:
        """All that there ever were, by id: a name for the operator, and what tells the present rights and keys; empty: none."""
        found = {}
        for kind, table, rights in (
            ("client", clients, ("key_digest", "jwks", "jwks_url", "scopes", "roles")),
            ("member", members, ("roles",)),
        ):
            usable = ((organisations.c.status == "active") & (table.c.status == "active")).label("usable")
            for row in await self.connection.execute(
                select(table, usable).join(organisations, organisations.c.id == table.c.organisation)
            ):
                told = repr([getattr(row, name) for name in rights]) if row.usable else ""
                found[row.id] = (f"{kind} {row.id} of {row.organisation}", told)
        return found
