"""Creation of the coordination's administrators."""

import uuid
from datetime import timedelta

from services.registry.identity.clients.keys import new_key
from services.registry.identity.clients.repository import ClientRepository
from services.registry.identity.clients.schemas import Client, NewClient
from services.registry.identity.clients.service import KEY_DAYS
from services.registry.identity.organisations.repository import OrganisationRepository
from services.registry.identity.organisations.schemas import Organisation
from shared.access.policy import scopes_for
from shared.persistence import Writing
from shared.values.clock import Clock, utc_now

COORDINATION = "coordination"


class AdministratorService:
    """Creates administrators for the operator of the installation, in one transaction."""

    def __init__(self, connection: Writing, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._organisations = OrganisationRepository(connection)
        self._clients = ClientRepository(connection)

    async def create(self, name: str) -> NewClient:
        """Create an administrator of the coordination with an API key, and the coordination if it does not exist."""
        now, identifier = self._clock(), str(uuid.uuid4())
        if await self._organisations.get(COORDINATION) is None:
            await self._organisations.add(
                Organisation(
                    id=COORDINATION,
                    version=1,
                    kind="coordination",
                    name="Coordination",
                    centre=None,
                    status="active",
                    created_at=now,
                    updated_at=now,
                )
            )
        key, digest = new_key(identifier)
        created = Client(
            id=identifier,
            version=1,
            organisation=COORDINATION,
            name=name,
            method="api_key",
            audience="issuer",
            scopes=sorted(scopes_for("coordination")),
            roles=["admin", "editor"],
            jwks=None,
            jwks_url=None,
            status="active",
            expires_at=now + timedelta(days=KEY_DAYS),
            created_at=now,
            updated_at=now,
        )
        await self._clients.add(created, digest)
        return NewClient(**dict(created), key=key)
