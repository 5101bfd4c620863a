"""Clients over HTTP."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from services.registry.identity.clients.keys import new_key
from services.registry.identity.clients.problems import ClientRevokedError, NoKeyError, refused_url
from services.registry.identity.clients.repository import ClientRepository
from services.registry.identity.clients.schemas import (
    Client,
    ClientInput,
    ClientPage,
    ClientUpdate,
    NewClient,
    Rotation,
)
from services.registry.identity.clients.service import check_own, check_scopes, check_source, revocations
from services.registry.identity.organisations.endpoints import OrganisationPath, check_active, found_organisation
from services.registry.identity.organisations.schemas import Organisation
from services.registry.schema import FEED
from shared.access.policy import Access
from shared.clients.outbound import OutboundClient, OutboundError
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import etag, required_version, unchanged
from shared.idempotency import idempotent
from shared.persistence import Reading, Writing
from shared.values.problems import NotFoundError, StaleVersionError

router = APIRouter(prefix="/registry/v1/organisations/{organisation}", route_class=ApiRoute, tags=["clients"])

Reader = Annotated[Access, Depends(allow("client", "read"))]
Writer = Annotated[Access, Depends(allow("client", "write"))]
ClientPath = Annotated[str, Path(max_length=36)]
BODY_BYTES = 64 * 1024
KEY_DAYS = 365


async def _found(connection: Any, access: Access, organisation: str, client: str) -> Client:
    await found_organisation(connection, access, organisation)
    found = await ClientRepository(connection).get(organisation, client)
    if found is None:
        raise NotFoundError
    return found


def _required(request: Request, held: Client) -> None:
    if required_version(request) not in {None, held.version}:
        raise StaleVersionError
    if held.status == "revoked":
        raise ClientRevokedError


async def _taken(
    request: Request, connection: Any, access: Access, organisation: str, client: str
) -> tuple[Organisation, Client]:
    """A client to be changed, with its organisation: the caller's own."""
    owner = await found_organisation(connection, access, organisation)
    held = await _found(connection, access, organisation, client)
    check_own(owner, access)
    _required(request, held)
    return owner, held


async def _check_url(request: Request, given: ClientUpdate) -> None:
    if given.jwks_url is None:
        return
    outbound: OutboundClient = request.app.state.outbound
    try:
        await outbound.check(given.jwks_url)
    except OutboundError as error:
        raise refused_url(error) from None


async def _checked(request: Request, given: ClientInput) -> ClientInput:
    check_source(given, given.method)
    await _check_url(request, given)
    return given


async def _checked_update(request: Request, given: ClientUpdate) -> ClientUpdate:
    await _check_url(request, given)
    return given


# Declared before the transaction: a look-up may take seconds.
Checked = Annotated[ClientInput, Depends(_checked)]
CheckedUpdate = Annotated[ClientUpdate, Depends(_checked_update)]


@router.post("/clients", response_model=NewClient, status_code=201)
@idempotent(shown_once=["key"])
@accepts(body_bytes=BODY_BYTES)
async def create_client(
    access: Writer, given: Checked, connection: Writing, organisation: OrganisationPath
) -> Response:
    """Register a client. The answer shows an API key once: it is never shown again."""
    owner = await found_organisation(connection, access, organisation)
    check_scopes(given.scopes, owner, access)
    now, identifier = datetime.now(UTC), str(uuid.uuid4())
    key, digest = new_key(identifier) if given.method == "api_key" else (None, None)
    kept = {name: value for name, value in given if name != "expires_in_days"}
    expires_at = now + timedelta(days=given.expires_in_days or KEY_DAYS) if key else None
    made = Client(
        id=identifier,
        version=1,
        organisation=organisation,
        status="active",
        expires_at=expires_at,
        created_at=now,
        updated_at=now,
        **kept,
    )
    await ClientRepository(connection).add(made, digest)
    await check_active(connection, access, organisation)
    return _shown(made, key, 201)


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
    """The organisation's clients, revoked ones too."""
    await found_organisation(connection, access, organisation)
    after = open_page(request, cursor)
    rows = await ClientRepository(connection).page(organisation, after[0] if after else None, limit + 1)
    page = rows[:limit]
    return ClientPage(items=page, next=close_page(request, response, [page[-1].id] if len(rows) > limit else None))


@router.api_route("/clients/{client}", methods=["GET", "HEAD"], response_model=Client)
async def read_client(
    request: Request, connection: Reading, access: Reader, organisation: OrganisationPath, client: ClientPath
) -> Response:
    """One client; never its key."""
    found = await _found(connection, access, organisation, client)
    return unchanged(request, found.version) or _answer(found)


@router.put("/clients/{client}", response_model=Client)
@accepts(body_bytes=BODY_BYTES)
async def replace_client(
    request: Request,
    access: Writer,
    given: CheckedUpdate,
    connection: Writing,
    organisation: OrganisationPath,
    client: ClientPath,
) -> Response:
    """Replace a version of a client (`If-Match`). Tokens that it holds end at once: it asks for one with its new rights."""
    owner, held = await _taken(request, connection, access, organisation, client)
    check_source(given, held.method)
    check_scopes(given.scopes, owner, access)
    return _answer(await _changed(connection, held, dict(given)))


@router.post("/clients/{client}/rotate", response_model=NewClient)
@idempotent(shown_once=["key"])
@accepts(body_bytes=BODY_BYTES)
async def rotate_key(
    request: Request,
    given: Rotation,
    connection: Writing,
    access: Writer,
    organisation: OrganisationPath,
    client: ClientPath,
) -> Response:
    """A new API key for a client (`If-Match`), shown once; the former one serves until the overlap is over."""
    owner, held = await _taken(request, connection, access, organisation, client)
    # Whoever is shown the key has the client's rights.
    check_scopes(held.scopes, owner, access)
    if held.method != "api_key" or held.expires_at is None:
        raise NoKeyError
    now, repository = datetime.now(UTC), ClientRepository(connection)
    key, digest = new_key(client)
    # One overlap at a time: who still calls with the key before the present one is put out by this.
    ends = not given.overlap_hours or await repository.overlaps(client, now)
    following = held.model_copy(
        update={"version": held.version + 1, "updated_at": now, "expires_at": now + timedelta(days=KEY_DAYS)}
    )
    until = min(now + timedelta(hours=given.overlap_hours), held.expires_at)
    if not await repository.rotate(following, held.version, digest, until, now if ends else None):
        raise StaleVersionError
    if ends:
        FEED.record(connection, *revocations(organisation, [(client, following.version)]))
    return _shown(following, key, 200)


@router.delete("/clients/{client}", status_code=204)
async def revoke_client(
    request: Request, connection: Writing, access: Writer, organisation: OrganisationPath, client: ClientPath
) -> None:
    """Revoke a client (`If-Match`): it gets no tokens any more, and those that it holds end within seconds."""
    held = await _found(connection, access, organisation, client)
    _required(request, held)
    await _changed(connection, held, {"status": "revoked"})


async def _changed(connection: Any, held: Client, update: dict[str, Any]) -> Client:
    now = datetime.now(UTC)
    following = held.model_copy(update={**update, "version": held.version + 1, "updated_at": now})
    if not await ClientRepository(connection).replace(following, held.version, now):
        raise StaleVersionError
    FEED.record(connection, *revocations(held.organisation, [(held.id, following.version)]))
    return following


def _answer(client: Client) -> Response:
    return Response(client.model_dump_json(), 200, {"ETag": etag(client.version)}, "application/json")


def _shown(client: Client, key: str | None, status: int) -> Response:
    shown = NewClient(**dict(client), key=key)
    headers = {"ETag": etag(client.version), "Cache-Control": "no-store"}
    if status == 201:
        headers["Location"] = f"/registry/v1/organisations/{client.organisation}/clients/{client.id}"
    return Response(shown.model_dump_json(), status, headers, "application/json")
