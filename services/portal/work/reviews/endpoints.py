"""The pages of the review queue."""

from fastapi import APIRouter, Request, Response

from services.portal.clients.api import segment
from services.portal.clients.problems import ApiError
from services.portal.pages.access import Reader, Sender
from services.portal.pages.forms import FORM, Form, SubmittedForm
from services.portal.pages.rendering import HTML, redirect
from services.portal.pages.visitors import Visitor
from services.portal.work.pages import check_correctable, value_text, work_page
from services.portal.work.reviews.reading import REVIEWS, act_on, origins_of, parties_of
from services.portal.work.workers import Worker
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])


@router.api_route("/workspace/reviews", methods=["GET", "HEAD"], summary="The review queue")
@produces(HTML)
async def list_reviews(
    request: Request,
    access: Reader,
    visitor: Worker,
    kind: str = "",
    claimed: str = "",
    q: str = "",
    cursor: str = "",
) -> Response:
    """List what waits for a decision, oldest first."""
    chosen = {"kind": kind, "claimed": claimed, "q": q}
    found = await visitor.api.get(REVIEWS, **chosen, cursor=cursor, limit=25)
    parties = [one["claimed_by"] for one in found["items"]]
    return await work_page(request, visitor, "work/reviews.html", parties=parties, found=found, chosen=chosen)


@router.api_route("/workspace/reviews/{review}", methods=["GET", "HEAD"], summary="An item of the review queue")
@produces(HTML)
async def show_review(request: Request, access: Reader, visitor: Worker, review: str, done: str = "") -> Response:
    """Show an item: why a person should decide, the values side by side, what was decided."""
    return await _page(request, visitor, review, done=done)


@router.post("/workspace/reviews/{review}", summary="Act on an item of the review queue")
@accepts(FORM)
@produces(HTML)
async def act_on_review(
    request: Request, access: Sender, visitor: Worker, review: str, form: SubmittedForm
) -> Response:
    """Claim, release, decide or undo."""
    try:
        await act_on(visitor, review, form)
    except ApiError as error:
        check_correctable(error)
        return await _page(request, visitor, review, error=error, form=form)
    return redirect(visitor, f"/workspace/reviews/{review}", done=form.one("action"))


async def _page(
    request: Request,
    visitor: Visitor,
    review: str,
    *,
    done: str = "",
    error: ApiError | None = None,
    form: Form | None = None,
) -> Response:
    item = await visitor.api.get(f"{REVIEWS}/{segment(review)}")
    return await work_page(
        request,
        visitor,
        "work/review.html",
        parties=parties_of(item),
        error=error,
        form=form,
        item=item,
        origins=await origins_of(visitor.api, item),
        value_text=value_text,
        done=done,
    )
