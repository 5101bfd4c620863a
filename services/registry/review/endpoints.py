"""The review queue over HTTP."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.review.model import Narrowing, ReviewKind
from services.registry.review.repository import ReviewRepository
from services.registry.review.schemas import DecisionInput, Review, ReviewPage
from services.registry.review.service import ReviewService
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import TrialService, author_of
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.idempotency.marks import idempotent, repeatable
from shared.persistence import Reading, Writing

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["reviews"])


def _reading_service(request: Request, connection: Reading) -> ReviewService:
    trials = TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)
    return ReviewService(trials, ReviewRepository(connection))


def _writing_service(request: Request, connection: Writing) -> ReviewService:
    trials = TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)
    return ReviewService(trials, ReviewRepository(connection))


Reads = Annotated[ReviewService, Depends(_reading_service)]
Writes = Annotated[ReviewService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("statement", "read"))]
Decider = Annotated[Access, Depends(allow("trial", "write"))]
ReviewId = Annotated[
    str,
    Path(
        max_length=200,
        description="The id of the item, such as `scope:CL00000012`; in the place of the trial's `id` any of its "
        "numbers. `scope:` names every trial, also one that does not wait.",
    ),
]
Claimed = Annotated[
    Literal["yes", "no", "mine"] | None, Query(description="`yes`, `no`: by anyone; `mine`: by the caller.")
]


def _narrowing(
    access: Reader,
    kind: Annotated[ReviewKind | None, Query(description="Only this kind.")] = None,
    source: Annotated[
        str | None,
        Query(max_length=40, description="Only records of this source, and trials and conflicts in which it has part."),
    ] = None,
    claimed: Claimed = None,
    q: Annotated[str, Query(max_length=200, description="Words or the beginning of a number.")] = "",
) -> Narrowing:
    return Narrowing(
        kind,
        source,
        tuple(q.lower().split()),
        None if claimed is None else claimed != "no",
        author_of(access.principal).name if claimed == "mine" else None,
    )


@router.get("/reviews", summary="List what waits for a decision")
async def list_reviews(
    request: Request,
    response: Response,
    service: Reads,
    narrowing: Annotated[Narrowing, Depends(_narrowing)],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ReviewPage:
    """List trials, conflicts and records that wait for the decision of a person, oldest first."""
    place = open_page(request, cursor)
    after = (datetime.fromisoformat(place[0]), str(place[1])) if place else None
    found = await service.page(narrowing, after, limit + 1)
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    following = close_page(request, response, [last.since.isoformat(), last.id] if last and last.since else None)
    return ReviewPage(items=page, counts=await service.counts(narrowing), next=following)


@router.get("/reviews/{review}", summary="Read an item of the review queue")
async def read_review(service: Reads, access: Reader, review: ReviewId) -> Review:
    """Return an item with the decisions on it, also after the decision."""
    return await service.read(review, access.rows)


@router.post("/reviews/{review}/claim", summary="Claim an item")
@accepts()
@repeatable("an item that the caller has claimed stays claimed")
async def claim_review(service: Writes, access: Decider, review: ReviewId) -> Review:
    """Claim an item: no other person can decide on it, until it is released or decided."""
    return await service.claim(review, author_of(access.principal).name, access.rows)


@router.delete("/reviews/{review}/claim", status_code=204, summary="Release an item")
async def release_review(service: Writes, access: Decider, review: ReviewId) -> None:
    """Release an item for others, also one that another person has claimed and who may be away."""
    await service.release(review, access.rows)


@router.post("/reviews/{review}/decide", summary="Decide on an item")
@accepts()
@idempotent()
async def decide_review(service: Writes, access: Decider, review: ReviewId, given: DecisionInput) -> Review:
    """Decide with one of the `choices` of the item. The decision stays in force until it is undone.

    It takes effect at once; only to publish what the scope gate refuses, a second person must decide the same. When
    conditions or product of the trial change later and the gate does not say the same, the item comes back.
    """
    return await service.decide(review, given, access)


@router.post("/reviews/{review}/undo", summary="Undo the last decision on an item")
@accepts()
@idempotent()
async def undo_review(service: Writes, access: Decider, review: ReviewId) -> Review:
    """Undo the last decision on an item that is in force, also that of another person."""
    return await service.undo(review, author_of(access.principal).name, access.rows)
