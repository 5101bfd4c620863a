"""The internal routes over HTTP."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.registry.identity.clients.endpoints import KEY_DAYS
from services.registry.identity.clients.keys import new_key
from services.registry.identity.clients.repository import ClientRepository
from services.registry.identity.clients.schemas import Client, NewClient
from services.registry.identity.organisations.repository import OrganisationRepository
from services.registry.identity.organisations.schemas import Organisation
from services.registry.identity.tokens.directory import LocalDirectory
from services.registry.identity.tokens.schemas import (
    AdministratorInput,
    CredentialInput,
    EndedRights,
    IdentityState,
    Introspection,
)
from shared.access.directory import BASE, REVOKED
from shared.access.policy import Access, scopes_for
from shared.endpoints.feed import seal_position
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.idempotency import repeatable
from shared.persistence import Writing
from shared.values.problems import IdentityUnavailableError

router = APIRouter(route_class=ApiRoute, tags=["internal"])

Sibling = Annotated[Access, Depends(allow("identity", "read"))]
Installer = Annotated[Access, Depends(allow("administrator", "write"))]
COORDINATION = "coordination"


@router.get(BASE)
async def read_state(request: Request, access: Sibling) -> IdentityState:
    """The issuer's keys and the recent revocations; the position in the feed was taken before both."""
    directory: LocalDirectory = request.app.state.callers.directory
    state, position = await directory.state()
    return IdentityState(
        keys=[dict(key) for key in state.keys],
        revocations=[EndedRights(client=one.client, version=one.version) for one in state.revocations],
        following=f"/registry/v1/feed?types={REVOKED}&cursor={seal_position(request.app.state.cursors, 'registry', position)}",
    )


@router.post(f"{BASE}/introspect")
@accepts(body_bytes=32 * 1024)
async def introspect(request: Request, given: CredentialInput, access: Sibling) -> Introspection:
    """What an API key or a token of the OpenID provider stands for."""
    directory: LocalDirectory = request.app.state.callers.directory
    try:
        found = await directory.ask(given.credential)
    except OSError:
        raise IdentityUnavailableError from None
    return Introspection(credential=found.write() if found else None)


@router.post("/registry/v1/internal/administrators", status_code=201, response_model=NewClient)
@repeatable("a second administrator is seen in the list of clients, and revoked there")
@accepts(body_bytes=4 * 1024)
async def create_administrator(given: AdministratorInput, connection: Writing, access: Installer) -> Response:
    """An administrator of the coordination, with a key that is shown once."""
    now, identifier = datetime.now(UTC), str(uuid.uuid4())
    if await OrganisationRepository(connection).get(COORDINATION) is None:
        await OrganisationRepository(connection).add(
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
    made = Client(
        id=identifier,
        version=1,
        organisation=COORDINATION,
        name=given.name,
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
    await ClientRepository(connection).add(made, digest)
    return Response(
        NewClient(**dict(made), key=key).model_dump_json(), 201, {"Cache-Control": "no-store"}, "application/json"
    )
