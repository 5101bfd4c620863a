"""Organisations that take part in the network."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.registry.identity.organisations.schemas import (
    Organisation,
    OrganisationInput,
    OrganisationNames,
    OrganisationPage,
    OrganisationPath,
)
from services.registry.identity.organisations.service import OrganisationService
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, IfNoneMatch, etag
from shared.persistence import Reading, Writing

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["organisations"])

Reader = Annotated[Access, Depends(allow("organisation", "read"))]
NameReader = Annotated[Access, Depends(allow("organisation_name", "read"))]
Writer = Annotated[Access, Depends(allow("organisation", "write"))]
BODY_BYTES = 16 * 1024


@router.api_route("/organisations", methods=["GET", "HEAD"], summary="List organisations")
async def list_organisations(
    request: Request, response: Response, connection: Reading, access: Reader, limit: Limit = 50, cursor: Cursor = None
) -> OrganisationPage:
    """List the organisations that the caller may see, by id."""
    after = open_page(request, cursor)
    rows = await OrganisationService(connection, access).page(after[0] if after else None, limit + 1)
    page = rows[:limit]
    following = close_page(request, response, [page[-1].id] if len(rows) > limit else None)
    return OrganisationPage(items=page, next=following)


@router.api_route(
    "/organisations/{organisation}",
    methods=["GET", "HEAD"],
    response_model=Organisation,
    summary="Read an organisation",
)
async def read_organisation(
    cached: IfNoneMatch, connection: Reading, access: Reader, organisation: OrganisationPath
) -> Response:
    """Read one organisation."""
    found = await OrganisationService(connection, access).get(organisation)
    return cached.unchanged(found.version) or _answer(found)


@router.get("/organisation-names", summary="Name organisations")
async def name_organisations(
    connection: Reading,
    access: NameReader,
    ids: Annotated[str, Query(min_length=2, max_length=6_400, description="Ids, separated by commas.")],
) -> OrganisationNames:
    """Return the names of organisations by their ids, as dossiers, referrals and their steps state them."""
    return OrganisationNames(items=await OrganisationService(connection, access).names(set(ids.split(","))))


@router.put(
    "/organisations/{organisation}",
    response_model=Organisation,
    responses={201: {"model": Organisation}},
    summary="Create or replace an organisation",
)
@accepts(body_bytes=BODY_BYTES)
async def write_organisation(
    if_match: IfMatch, given: OrganisationInput, connection: Writing, access: Writer, organisation: OrganisationPath
) -> Response:
    """Create an organisation (`If-None-Match: *`) or replace a version of one (`If-Match`).

    Suspending an organisation ends the tokens of its clients and members within seconds.
    """
    service = OrganisationService(connection, access)
    if if_match.creates:
        return _answer(await service.create(organisation, given), 201)
    return _answer(await service.replace(organisation, given, if_match.required_version()))


def _answer(organisation: Organisation, status: int = 200) -> Response:
    return Response(organisation.model_dump_json(), status, {"ETag": etag(organisation.version)}, "application/json")
