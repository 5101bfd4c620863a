"""SQL for API clients."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.identity.clients.schemas import Client
from services.registry.identity.tables import clients, organisations
from shared.access.principal import OrganisationKind

_LISTS = ("scopes", "roles")


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """Digests of a client's API key and of its previous key; None where there is none."""

    digest: bytes | None
    former: bytes | None = None
    former_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A client with what authentication needs.

    ``usable``: neither the client is revoked nor its organisation suspended.
    """

    client: Client
    keys: ClientKeys
    kind: OrganisationKind
    centre: str | None
    usable: bool


@dataclass(frozen=True, slots=True)
class ClientRepository:
    """Clients in one transaction."""

    connection: AsyncConnection

    async def get(self, organisation: str, client: str) -> Client | None:
        """Return one client of the organisation."""
        statement = select(clients).where(clients.c.id == client, clients.c.organisation == organisation)
        row = (await self.connection.execute(statement)).first()
        return _client(row) if row else None

    async def publishing_at(self, jwks_url: str) -> RegisteredClient | None:
        """Return the only client whose keys are at this address; None where there is none, or more than one."""
        rows = await self.connection.execute(select(clients.c.id).where(clients.c.jwks_url == jwks_url).limit(2))
        found = [row.id for row in rows]
        return await self.registered(found[0]) if len(found) == 1 else None

    async def registered(self, client: str) -> RegisteredClient | None:
        """Return the client with this id, of whichever organisation."""
        statement = (
            select(
                clients,
                organisations.c.kind,
                organisations.c.centre,
                organisations.c.status.label("organisation_status"),
            )
            .join(organisations, organisations.c.id == clients.c.organisation)
            .where(clients.c.id == client)
        )
        row = (await self.connection.execute(statement)).first()
        if row is None:
            return None
        return RegisteredClient(
            _client(row),
            ClientKeys(row.key_digest, row.former_digest, row.former_until),
            row.kind,
            row.centre,
            row.status == "active" and row.organisation_status == "active",
        )

    async def page(self, organisation: str, after: str | None, limit: int) -> list[Client]:
        """Return the organisation's clients by id, those after ``after``."""
        statement = select(clients).where(clients.c.organisation == organisation).order_by(clients.c.id).limit(limit)
        if after is not None:
            statement = statement.where(clients.c.id > after)
        return [_client(row) for row in await self.connection.execute(statement)]

    async def add(self, client: Client, digest: bytes | None) -> None:
        await self.connection.execute(insert(clients).values(**_values(client), key_digest=digest))

    async def replace(self, client: Client, version: int, ended_at: datetime) -> bool:
        """Store the successor of ``version`` and end tokens issued up to ``ended_at``.

        Return False if another change came first.
        """
        values = {
            name: value for name, value in _values(client).items() if name not in {"id", "organisation", "created_at"}
        }
        return await self._write(client.id, version, {**values, "tokens_ended_at": ended_at})

    async def overlaps(self, client: str, now: datetime) -> bool:
        """Return whether the previous key is still valid."""
        statement = select(clients.c.former_until).where(clients.c.id == client)
        until = (await self.connection.execute(statement)).scalar_one()
        return until is not None and until > now

    async def rotate(
        self, client: Client, version: int, digest: bytes, former_until: datetime, ended_at: datetime | None
    ) -> bool:
        """Store a new key; the current one stays valid until ``former_until``.

        ``ended_at`` and the return value are as in `replace`; None ends no token.
        """
        values: dict[str, Any] = {
            "key_digest": digest,
            "former_digest": clients.c.key_digest,
            "former_until": former_until,
            "version": client.version,
            "updated_at": client.updated_at,
            "expires_at": client.expires_at,
            **({} if ended_at is None else {"tokens_ended_at": ended_at}),
        }
        return await self._write(client.id, version, values)

    async def _write(self, client: str, version: int, values: dict[str, Any]) -> bool:
        written = await self.connection.execute(
            update(clients).where(clients.c.id == client, clients.c.version == version).values(**values)
        )
        return bool(written.rowcount == 1)


def _values(client: Client) -> dict[str, Any]:
    values = dict(client)
    return {
        **values,
        **{name: json.dumps(values[name]) for name in _LISTS},
        "jwks": json.dumps(client.jwks) if client.jwks else None,
    }


def _client(row: Row[Any]) -> Client:
    values = {name: getattr(row, name) for name in Client.model_fields}
    return Client(
        **{
            **values,
            **{name: json.loads(values[name]) for name in _LISTS},
            "jwks": json.loads(row.jwks) if row.jwks else None,
        }
    )
