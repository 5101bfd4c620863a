"""API clients of an organisation, their keys and their revocation."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from services.registry.identity.clients.schemas import (
    Client,
    ClientInput,
    ClientPage,
    ClientUpdate,
    NewClient,
    Rotation,
)
from services.registry.identity.clients.service import ClientService, check_source, check_url
from services.registry.identity.organisations.schemas import OrganisationPath
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, IfNoneMatch, etag
from shared.idempotency import idempotent
from shared.persistence import Reading, Writing

router = APIRouter(prefix="/registry/v1/organisations/{organisation}", route_class=ApiRoute, tags=["clients"])

Reader = Annotated[Access, Depends(allow("client", "read"))]
Writer = Annotated[Access, Depends(allow("client", "write"))]
ClientPath = Annotated[str, Path(max_length=36)]
BODY_BYTES = 64 * 1024


async def _checked(request: Request, given: ClientInput) -> ClientInput:
    check_source(given, given.method)
    await check_url(given, request.app.state.outbound)
    return given


async def _checked_update(request: Request, given: ClientUpdate) -> ClientUpdate:
    await check_url(given, request.app.state.outbound)
    return given


# Handlers declare these before the connection: resolving a host name may take seconds, and must not hold a transaction.
Checked = Annotated[ClientInput, Depends(_checked)]
CheckedUpdate = Annotated[ClientUpdate, Depends(_checked_update)]


@router.post("/clients", response_model=NewClient, status_code=201)
@idempotent(shown_once=["key"])
@accepts(body_bytes=BODY_BYTES)
async def create_client(
    access: Writer, given: Checked, connection: Writing, organisation: OrganisationPath
) -> Response:
    """Register a client. The answer is the only one that shows its API key."""
    return _show_key(await ClientService(connection, access).create(organisation, given), 201)


@router.api_route("/clients", methods=["GET", "HEAD"])
async def list_clients(
    request: Request,
    response: Response,
    connection: Reading,
    access: Reader,
    organisation: OrganisationPath,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ClientPage:
    """List the organisation's clients, including revoked ones."""
    after = open_page(request, cursor)
    rows = await ClientService(connection, access).page(organisation, after[0] if after else None, limit + 1)
    page = rows[:limit]
    return ClientPage(items=page, next=close_page(request, response, [page[-1].id] if len(rows) > limit else None))


@router.api_route("/clients/{client}", methods=["GET", "HEAD"], response_model=Client)
async def read_client(
    cached: IfNoneMatch, connection: Reading, access: Reader, organisation: OrganisationPath, client: ClientPath
) -> Response:
    """Read one client, without its key."""
    found = await ClientService(connection, access).get(organisation, client)
    return cached.unchanged(found.version) or _answer(found)


@router.put("/clients/{client}", response_model=Client)
@accepts(body_bytes=BODY_BYTES)
async def replace_client(
    if_match: IfMatch,
    access: Writer,
    given: CheckedUpdate,
    connection: Writing,
    organisation: OrganisationPath,
    client: ClientPath,
) -> Response:
    """Replace a version of a client (`If-Match`). Its tokens end at once; it requests new ones with its new rights."""
    service = ClientService(connection, access)
    return _answer(await service.replace(organisation, client, given, if_match.required_version()))


@router.post("/clients/{client}/rotate", response_model=NewClient)
@idempotent(shown_once=["key"])
@accepts(body_bytes=BODY_BYTES)
async def rotate_key(
    if_match: IfMatch,
    given: Rotation,
    connection: Writing,
    access: Writer,
    organisation: OrganisationPath,
    client: ClientPath,
) -> Response:
    """Create a new API key for a client (`If-Match`), shown once. The previous key stays valid during the overlap."""
    service = ClientService(connection, access)
    return _show_key(
        await service.rotate_key(organisation, client, given.overlap_hours, if_match.required_version()), 200
    )


@router.delete("/clients/{client}", status_code=204)
async def revoke_client(
    if_match: IfMatch, connection: Writing, access: Writer, organisation: OrganisationPath, client: ClientPath
) -> None:
    """Revoke a client (`If-Match`): it gets no new tokens, and its existing tokens end within seconds."""
    await ClientService(connection, access).revoke(organisation, client, if_match.required_version())


def _answer(client: Client) -> Response:
    return Response(client.model_dump_json(), 200, {"ETag": etag(client.version)}, "application/json")


def _show_key(client: NewClient, status: int) -> Response:
    headers = {"ETag": etag(client.version), "Cache-Control": "no-store"}
    if status == 201:
        headers["Location"] = f"/registry/v1/organisations/{client.organisation}/clients/{client.id}"
    return Response(client.model_dump_json(), status, headers, "application/json")
