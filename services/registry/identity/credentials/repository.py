"""SQL that treats clients and members alike."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.identity.tables import clients, members, organisations


@dataclass(frozen=True, slots=True)
class CredentialRepository:
    """Clients and members in one transaction, each as (id, version)."""

    connection: AsyncConnection

    async def end_tokens(self, organisation: str, at: datetime) -> list[tuple[str, int]]:
        """End the tokens of the organisation's active clients and members; return them with their new versions."""
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
        """Return clients and members whose tokens ended since then, with their current versions."""
        ended: list[tuple[str, int]] = []
        for table in (clients, members):
            statement = select(table.c.id, table.c.version).where(table.c.tokens_ended_at >= since)
            ended += [(row.id, row.version) for row in await self.connection.execute(statement)]
        return ended

    async def callers(self) -> dict[str, tuple[str, str]]:
        """Return every client and member by id, as (name for the operator, text that identifies its rights and keys).

        The second text is empty for those that cannot call.
        """
        found = {}
        for kind, table, columns in (
            ("client", clients, ("key_digest", "jwks", "jwks_url", "scopes", "roles")),
            ("member", members, ("roles",)),
        ):
            usable = ((organisations.c.status == "active") & (table.c.status == "active")).label("usable")
            for row in await self.connection.execute(
                select(table, usable).join(organisations, organisations.c.id == table.c.organisation)
            ):
                rights = repr([getattr(row, name) for name in columns]) if row.usable else ""
                found[row.id] = (f"{kind} {row.id} of {row.organisation}", rights)
        return found
