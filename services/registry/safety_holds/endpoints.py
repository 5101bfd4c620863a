"""Safety holds over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.safety_holds.schemas import HoldDocument, HoldInput, HoldList, HoldPage, LiftInput
from services.registry.safety_holds.service import HoldService
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import TrialService
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, etag
from shared.idempotency.marks import idempotent
from shared.persistence import Reading, Writing

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["safety holds"])


def _reading_service(request: Request, connection: Reading) -> HoldService:
    return HoldService(
        TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)
    )


def _writing_service(request: Request, connection: Writing) -> HoldService:
    state = request.app.state
    trials = TrialService(TrialRepository(connection), CentreRepository(connection), state.trial_rules)
    return HoldService(trials, state.hold_hooks)


Reads = Annotated[HoldService, Depends(_reading_service)]
Writes = Annotated[HoldService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("safety_hold", "read"))]
Writer = Annotated[Access, Depends(allow("safety_hold", "write"))]
Identifier = Annotated[str, Path(max_length=100, description="The `id` of the trial, or any of its numbers.")]
HoldId = Annotated[str, Path(max_length=40, description="The id of the hold, such as `HLD-7K2M-Q9XT-4HWD`.")]
Lifted = Annotated[bool, Query(description="Also those that are lifted; only the parties see them.")]


@router.get("/trials/{identifier}/holds", summary="List the safety holds on a trial")
async def list_trial_holds(service: Reads, access: Reader, identifier: Identifier, lifted: Lifted = False) -> HoldList:
    """List the holds that concern a trial, also those on its product that were imposed on another trial."""
    return HoldList(items=await service.of_trial(identifier, access, lifted=lifted and access.fields == "all"))


@router.post("/trials/{identifier}/holds", status_code=201, summary="Impose a safety hold")
@accepts()
@idempotent()
async def impose_hold(
    response: Response, service: Writes, access: Writer, identifier: Identifier, given: HoldInput
) -> HoldDocument:
    """Stop new requests, places and inclusions in a scope, at once. One person is enough.

    Nothing is cancelled: follow-up goes on, and so do patients who are collected, conditioned or dosed.
    """
    hold = await service.impose(identifier, given, access)
    response.headers["ETag"] = etag(hold.version)
    response.headers["Location"] = f"/registry/v1/holds/{hold.id}"
    return hold


@router.get("/holds", summary="List safety holds")
async def list_holds(
    request: Request,
    response: Response,
    service: Reads,
    access: Reader,
    lifted: Lifted = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> HoldPage:
    """List the holds in force, newest first."""
    place = open_page(request, cursor)
    after = (datetime.fromisoformat(place[0]), str(place[1])) if place else None
    found = await service.page(access, after, limit + 1, lifted=lifted)
    last = found[limit - 1] if len(found) > limit else None
    following = close_page(request, response, [last.since.isoformat(), last.id] if last else None)
    return HoldPage(items=found[:limit], next=following)


@router.get("/holds/{hold}", summary="Read a safety hold")
async def read_hold(response: Response, service: Reads, access: Reader, hold: HoldId) -> HoldDocument:
    """Return a hold, with who agreed to lift it."""
    found = await service.read(hold, access)
    response.headers["ETag"] = etag(found.version)
    return found


@router.post("/holds/{hold}/lift", summary="Agree to lift a safety hold")
@accepts()
@idempotent()
async def lift_hold(
    response: Response, if_match: IfMatch, service: Writes, access: Writer, hold: HoldId, given: LiftInput
) -> HoldDocument:
    """Agree to lift a hold (`If-Match`). It takes two people of two organisations, neither of whom imposed it.

    They are the owner of the trial and the coordination, who name the same reference; of a trial without owner, a
    centre of it and the coordination. The sites in its scope are then unconfirmed until their centre confirms them.
    """
    found = await service.lift(hold, given, access, if_match.required_version())
    response.headers["ETag"] = etag(found.version)
    return found
