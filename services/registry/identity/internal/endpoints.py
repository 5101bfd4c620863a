"""Internal routes for the other services and for the operator of the installation."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.registry.identity.clients.schemas import NewClient
from services.registry.identity.internal.schemas import (
    AdministratorInput,
    CredentialInput,
    EndedRights,
    IdentityState,
    Introspection,
)
from services.registry.identity.internal.service import AdministratorService
from services.registry.identity.tokens.issuer import TokenIssuer
from shared.access.directory import BASE, REVOKED
from shared.access.policy import Access
from shared.endpoints.feed import seal_position
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.idempotency import repeatable
from shared.persistence import Writing
from shared.values.problems import IdentityUnavailableError

router = APIRouter(route_class=ApiRoute, tags=["internal"])

InternalService = Annotated[Access, Depends(allow("identity", "read"))]
Installer = Annotated[Access, Depends(allow("administrator", "write"))]


@router.get(BASE, summary="Read keys and revocations")
async def read_state(request: Request, access: InternalService, issuer: TokenIssuer) -> IdentityState:
    """Read the issuer's keys and the recent revocations, with the feed position at which they were read."""
    state, position = await issuer.directory.state()
    cursor = seal_position(request.app.state.cursors, "registry", position)
    return IdentityState(
        keys=[dict(key) for key in state.keys],
        revocations=[EndedRights(client=one.client, version=one.version) for one in state.revocations],
        following=f"/registry/v1/feed?types={REVOKED}&cursor={cursor}",
    )


@router.post(f"{BASE}/introspect", summary="Check a credential")
@accepts(body_bytes=32 * 1024)
async def introspect(given: CredentialInput, access: InternalService, issuer: TokenIssuer) -> Introspection:
    """Return the rights of an API key, of a token of the OpenID provider, or of one that a client signed."""
    try:
        found = await issuer.directory.ask(given.credential, given.address)
    except OSError:
        raise IdentityUnavailableError from None
    return Introspection(credential=found.write() if found else None)


@router.post(
    "/registry/v1/internal/administrators", status_code=201, response_model=NewClient, summary="Create an administrator"
)
@repeatable("a second administrator appears in the list of clients, where it can be revoked")
@accepts(body_bytes=4 * 1024)
async def create_administrator(given: AdministratorInput, connection: Writing, access: Installer) -> Response:
    """Create an administrator of the coordination. The answer is the only one that shows its API key."""
    created = await AdministratorService(connection).create(given.name)
    return Response(created.model_dump_json(), 201, {"Cache-Control": "no-store"}, "application/json")
