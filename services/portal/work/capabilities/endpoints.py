"""The page of a centre's capabilities."""

from fastapi import APIRouter, Request, Response

from services.portal.clients.problems import ApiError
from services.portal.pages.access import Reader, Sender
from services.portal.pages.forms import FORM, Form, SubmittedForm
from services.portal.pages.rendering import HTML, redirect
from services.portal.pages.visitors import Visitor
from services.portal.work.capabilities.reading import capabilities_of, state
from services.portal.work.pages import work_page
from services.portal.work.workers import Worker, centre_of
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])


@router.api_route("/workspace/capabilities", methods=["GET", "HEAD"], summary="What your centre can do")
@produces(HTML)
async def show_capabilities(request: Request, access: Reader, visitor: Worker, done: str = "") -> Response:
    """Show what the visitor's centre stated: what expires first comes first."""
    return await _page(request, visitor, done=done)


@router.post("/workspace/capabilities", summary="State or renew a capability")
@accepts(FORM)
@produces(HTML)
async def state_capability(request: Request, access: Sender, visitor: Worker, form: SubmittedForm) -> Response:
    """State a capability of the visitor's centre, then show the list again."""
    try:
        await state(visitor.api, centre_of(visitor), form.one("code"), form)
    except ApiError as error:
        if error.status not in {404, 412, 422}:
            raise
        return await _page(request, visitor, error=error, form=form)
    return redirect(visitor, "/workspace/capabilities", done=form.one("code"))


async def _page(
    request: Request, visitor: Visitor, *, done: str = "", error: ApiError | None = None, form: Form | None = None
) -> Response:
    return await work_page(
        request,
        visitor,
        "work/capabilities.html",
        found=await capabilities_of(visitor.api, centre_of(visitor)),
        done=done,
        error=error,
        form=form,
    )
