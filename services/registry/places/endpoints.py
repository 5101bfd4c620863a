"""The table of places, and the facilities of trials, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.places.schemas import (
    FacilityKey,
    Place,
    PlaceInput,
    PlacePage,
    TrialFacilities,
    UnmatchedPage,
)
from services.registry.places.service import PlaceService
from services.registry.trials.places.repository import PlaceRepository
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import TrialService, author_of
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, etag
from shared.idempotency.marks import idempotent
from shared.persistence import Reading, Writing
from shared.vocabulary.geography import Country

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["places"])


def _reading_service(connection: Reading) -> PlaceService:
    return PlaceService(PlaceRepository(connection), CentreRepository(connection))


def _writing_service(connection: Writing) -> PlaceService:
    return PlaceService(PlaceRepository(connection), CentreRepository(connection))


def _trials(request: Request, connection: Reading) -> TrialService:
    return TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)


Reads = Annotated[PlaceService, Depends(_reading_service)]
Writes = Annotated[PlaceService, Depends(_writing_service)]
Trials = Annotated[TrialService, Depends(_trials)]
Reader = Annotated[Access, Depends(allow("place", "read"))]
Writer = Annotated[Access, Depends(allow("place", "write"))]
TrialReader = Annotated[Access, Depends(allow("trial", "read"))]
Identifier = Annotated[str, Path(max_length=100, description="The `id` of the trial, or any of its numbers.")]
Key = Annotated[FacilityKey, Path(description="The key of the facility text.")]


@router.get("/places/unmatched", summary="List facility texts that are no place yet")
async def list_unmatched(
    request: Request,
    response: Response,
    places: Reads,
    access: Reader,
    country: Annotated[Country | None, Query(description="Only of this country.")] = None,
    q: Annotated[str, Query(max_length=200, description="Words of the name or the city.")] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> UnmatchedPage:
    """List facility texts that no rule recognises and nobody assigned: French ones first, then the most frequent."""
    after = open_page(request, cursor)
    offset = after[0] if after else 0
    found = await places.unmatched(country, q.lower().split(), offset, limit + 1)
    following = close_page(request, response, [offset + limit] if len(found) > limit else None)
    return UnmatchedPage(items=found[:limit], next=following)


@router.get("/places", summary="List which places facility texts are")
async def list_places(
    request: Request,
    response: Response,
    places: Reads,
    access: Reader,
    withdrawn: Annotated[bool, Query(description="Also what was withdrawn or replaced.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PlacePage:
    """List what people said which place a facility text is, with authors and reasons."""
    after = open_page(request, cursor) or ["", 0]
    found = await places.page((after[0], after[1]), limit + 1, withdrawn=withdrawn)
    last = found[limit - 1] if len(found) > limit else None
    following = close_page(request, response, [last.key, last.version] if last else None)
    return PlacePage(items=found[:limit], next=following)


@router.post("/places", status_code=201, summary="Say which place a facility text is")
@accepts()
@idempotent()
async def assign_place(
    request: Request, response: Response, places: Writes, access: Writer, given: PlaceInput
) -> Place:
    """Assign a facility text to a member centre, a hospital, or none of ours; what was said before is replaced.

    The trials that have it are merged again within seconds; records that come later follow it.
    """
    place = await places.assign(given, author_of(access.principal).name)
    response.headers["ETag"] = etag(place.version)
    request.app.state.place_merges.wake()
    return place


@router.delete("/places/{key}", summary="Withdraw what was said of a facility text")
async def withdraw_place(request: Request, if_match: IfMatch, places: Writes, access: Writer, key: Key) -> Place:
    """Withdraw an assignment (`If-Match`): the rules by name hold again for the trials that have the text."""
    place = await places.withdraw(key, if_match.required_version(), author_of(access.principal).name)
    request.app.state.place_merges.wake()
    return place


@router.get("/trials/{identifier}/facilities", summary="List the facilities of a trial")
async def read_facilities(
    trials: Trials, places: Reads, access: TrialReader, identifier: Identifier
) -> TrialFacilities:
    """List all facilities that records ever named for a trial, in every country, and which places they are."""
    stored = await trials.find(identifier, access.rows)
    return TrialFacilities(items=await places.of_trial(stored.key))
