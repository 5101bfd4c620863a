"""Organisations over HTTP."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.identity.clients.service import revocations
from services.registry.identity.credentials.repository import CredentialRepository
from services.registry.identity.organisations.problems import KindFixedError, OwnOrganisationError, SuspendedError
from services.registry.identity.organisations.repository import OrganisationRepository
from services.registry.identity.organisations.schemas import Organisation, OrganisationInput, OrganisationPage
from services.registry.schema import FEED
from services.registry.trials.problems import UnknownCentreError
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import etag, required_version, unchanged
from shared.persistence import Reading, Writing
from shared.values.problems import AlreadyExistsError, Fault, NotFoundError, StaleVersionError

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["organisations"])

Reader = Annotated[Access, Depends(allow("organisation", "read"))]
Writer = Annotated[Access, Depends(allow("organisation", "write"))]
OrganisationPath = Annotated[str, Path(pattern="^[a-z][a-z0-9-]{1,62}$", max_length=64)]
BODY_BYTES = 16 * 1024


async def found_organisation(connection: Any, access: Access, organisation: str) -> Organisation:
    """:raises NotFoundError: unknown, or not the caller's to see."""
    mine = access.rows == "all" or access.principal.organisation == organisation
    found = await OrganisationRepository(connection).get(organisation) if mine else None
    if found is None:
        raise NotFoundError
    return found


async def check_active(connection: Any, access: Access, organisation: str) -> None:
    """Asked after something was added to it: that has waited for a suspension under way, which ends the tokens of all but what was added.

    :raises SuspendedError: 409.
    """
    if (await found_organisation(connection, access, organisation)).status != "active":
        raise SuspendedError


@router.api_route("/organisations", methods=["GET", "HEAD"])
async def list_organisations(
    request: Request, response: Response, connection: Reading, access: Reader, limit: Limit = 50, cursor: Cursor = None
) -> OrganisationPage:
    """The organisations that the caller may see, in the order of their ids."""
    after = open_page(request, cursor)
    only = None if access.rows == "all" else access.principal.organisation
    rows = await OrganisationRepository(connection).page(only, after[0] if after else None, limit + 1)
    page = rows[:limit]
    return OrganisationPage(
        items=page, next=close_page(request, response, [page[-1].id] if len(rows) > limit else None)
    )


@router.api_route("/organisations/{organisation}", methods=["GET", "HEAD"], response_model=Organisation)
async def read_organisation(
    request: Request, connection: Reading, access: Reader, organisation: OrganisationPath
) -> Response:
    """One organisation."""
    found = await found_organisation(connection, access, organisation)
    return unchanged(request, found.version) or _answer(found)


@router.put("/organisations/{organisation}", response_model=Organisation, responses={201: {"model": Organisation}})
@accepts(body_bytes=BODY_BYTES)
async def write_organisation(
    request: Request, given: OrganisationInput, connection: Writing, access: Writer, organisation: OrganisationPath
) -> Response:
    """Create an organisation (`If-None-Match: *`) or replace a version of one (`If-Match`). Suspending one revokes what its clients hold."""
    repository, now = OrganisationRepository(connection), datetime.now(UTC)
    held = await repository.get(organisation, alone=True)
    await _check_centre(connection, given)
    if request.headers.get("if-none-match", "").strip() == "*":
        if held is not None:
            raise AlreadyExistsError
        made = Organisation(id=organisation, version=1, created_at=now, updated_at=now, **dict(given))
        await repository.add(made)
        return _answer(made, 201)
    expected = required_version(request)
    if held is None:
        raise NotFoundError
    if expected not in {None, held.version}:
        raise StaleVersionError
    if given.kind != held.kind:
        raise KindFixedError
    if given.status == "suspended" and access.principal.organisation == organisation:
        raise OwnOrganisationError
    following = held.model_copy(update={**dict(given), "version": held.version + 1, "updated_at": now})
    if not await repository.replace(following, held.version):
        raise StaleVersionError
    # What its tokens say of it has changed, or it is out: they end now, and are made anew.
    if (held.status, held.centre) != (following.status, following.centre) and held.status == "active":
        holders = await CredentialRepository(connection).end_tokens(organisation, now)
        FEED.record(connection, *revocations(organisation, holders))
    return _answer(following)


async def _check_centre(connection: Any, given: OrganisationInput) -> None:
    if given.centre is not None and await CentreRepository(connection).get(given.centre) is None:
        raise UnknownCentreError(
            errors=[Fault(pointer="/centre", code="unknown_centre", detail=UnknownCentreError.title)]
        )


def _answer(organisation: Organisation, status: int = 200) -> Response:
    return Response(organisation.model_dump_json(), status, {"ETag": etag(organisation.version)}, "application/json")
