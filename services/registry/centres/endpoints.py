"""Centres over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.centres.schemas import Centre, CentreInput
from services.registry.schema import FEED
from shared.access.policy import Access
from shared.feed.changes import NOT_VISIBLE, Change, Routing
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import etag, required_version, unchanged
from shared.persistence import Reading, Writing
from shared.values.problems import ForbiddenError, NotFoundError, StaleVersionError
from shared.values.wire import ApiModel
from shared.vocabulary.identifiers import CentreId

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["centres"])

Reader = Annotated[Access, Depends(allow("centre", "read"))]
Writer = Annotated[Access, Depends(allow("centre", "write"))]
CentrePath = Annotated[CentreId, Path()]


class CentrePage(ApiModel):
    items: list[Centre]
    next: str | None


@router.api_route("/centres", methods=["GET", "HEAD"])
async def list_centres(
    request: Request, response: Response, connection: Reading, access: Reader, limit: Limit = 50, cursor: Cursor = None
) -> CentrePage:
    """The network's centres. Those with `illustrative: true` stand in for members that are not known here."""
    after = open_page(request, cursor)
    rows = await CentreRepository(connection).page(after[0] if after else None, limit + 1)
    page = rows[:limit]
    return CentrePage(items=page, next=close_page(request, response, [page[-1].id] if len(rows) > limit else None))


@router.api_route("/centres/{centre}", methods=["GET", "HEAD"], response_model=Centre)
async def read_centre(request: Request, connection: Reading, access: Reader, centre: CentrePath) -> Response:
    """One centre."""
    found = await CentreRepository(connection).get(centre)
    if found is None:
        raise NotFoundError
    return unchanged(request, found.version) or _answer(found)


@router.put("/centres/{centre}", response_model=Centre, responses={201: {"model": Centre}})
@accepts()
async def write_centre(
    request: Request, given: CentreInput, connection: Writing, access: Writer, centre: CentrePath
) -> Response:
    """Create a centre (`If-None-Match: *`) or replace a version of one (`If-Match`): a centre its own, the coordination any."""
    if access.rows == "own" and centre != access.principal.centre:
        raise ForbiddenError
    repository = CentreRepository(connection)
    held = await repository.get(centre)
    creates = request.headers.get("if-none-match", "").strip() == "*"
    expected = None if creates else required_version(request)
    if held is None and not creates:
        raise NotFoundError
    if held is not None and (creates or expected not in {None, held.version}):
        raise StaleVersionError
    following = Centre(id=centre, version=held.version + 1 if held else 1, updated_at=datetime.now(UTC), **dict(given))
    if not await repository.save(following, held.version if held else None):
        raise StaleVersionError
    FEED.record(connection, change_of_centre(held, following))
    return _answer(following, 200 if held else 201)


def change_of_centre(held: Centre | None, following: Centre) -> Change:
    """The feed entry of a centre's new version."""
    changed = tuple(
        name for name in CentreInput.model_fields if held is None or getattr(held, name) != getattr(following, name)
    )
    return Change(
        "centre.updated",
        f"centre/{following.id}",
        following.version,
        NOT_VISIBLE if held is None else _side(held),
        _side(following),
        changed,
    )


def _side(centre: Centre) -> Routing:
    return Routing(
        frozenset({"public"}), {"centre": frozenset({centre.id}), "departement": frozenset({centre.departement})}
    )


def _answer(centre: Centre, status: int = 200) -> Response:
    return Response(centre.model_dump_json(), status, {"ETag": etag(centre.version)}, "application/json")
