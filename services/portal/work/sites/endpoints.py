"""The page of a centre's sites."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from services.portal.clients.problems import ApiError
from services.portal.pages.access import Reader, Sender
from services.portal.pages.forms import FORM, Form, SubmittedForm
from services.portal.pages.rendering import HTML, redirect
from services.portal.pages.visitors import Visitor
from services.portal.work.pages import work_page
from services.portal.work.sites.reading import STATUSES, Confirmation, confirm, declare, sites_of, undo
from services.portal.work.workers import Worker, centre_of
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])


@router.api_route("/workspace/sites", methods=["GET", "HEAD"], summary="The sites of your centre")
@produces(HTML)
async def show_sites(request: Request, access: Reader, visitor: Worker, done: str = "") -> Response:
    """Show the sites of the visitor's centre, those to confirm first."""
    return await _page(request, visitor, done=done)


@router.post("/workspace/sites", summary="Confirm sites, or undo that")
@accepts(FORM)
@produces(HTML)
async def confirm_sites(request: Request, access: Sender, visitor: Worker, form: SubmittedForm) -> Response:
    """Confirm sites as the visitor saw them, then show the list with a form that undoes it."""
    centre = centre_of(visitor)
    if form.one("action") == "undo":
        changed = await undo(visitor.api, centre, form.every("undo"))
        return await _page(request, visitor, done="undone", changed=changed)
    confirmed, changed = await confirm(visitor.api, centre, form.every("seen"))
    return await _page(request, visitor, confirmed=confirmed, changed=changed)


@router.post("/workspace/sites/{trial}", summary="Confirm or change a site")
@accepts(FORM)
@produces(HTML)
async def declare_site(request: Request, access: Sender, visitor: Worker, trial: str, form: SubmittedForm) -> Response:
    """Declare a site as of now, then show the list again."""
    try:
        await declare(visitor.api, trial, centre_of(visitor), form)
    except ApiError as error:
        if error.status not in {412, 422}:
            raise
        return await _page(request, visitor, error=error, wrong=trial, form=form)
    return redirect(visitor, "/workspace/sites", done=trial)


async def _page(
    request: Request,
    visitor: Visitor,
    *,
    done: str = "",
    error: ApiError | None = None,
    wrong: str = "",
    form: Form | None = None,
    confirmed: Sequence[Confirmation] = (),
    changed: Sequence[str] = (),
) -> Response:
    return await work_page(
        request,
        visitor,
        "work/sites.html",
        sites=await sites_of(visitor.api, centre_of(visitor)),
        statuses=STATUSES,
        done=done,
        confirmed=confirmed,
        changed=changed,
        error=error,
        form=form,
        wrong=wrong,
    )
