"""The page of the opening of a site."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from services.portal.clients.api import segment
from services.portal.clients.problems import ApiError, faults_by_field
from services.portal.pages.access import Reader, Sender
from services.portal.pages.forms import FORM, Form, SubmittedForm
from services.portal.pages.rendering import HTML, redirect
from services.portal.pages.visitors import Visitor
from services.portal.work.opening.reading import FIELDS, opening_of, state_item
from services.portal.work.pages import check_correctable, work_page
from services.portal.work.workers import Worker, may_edit
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])
Trial = Annotated[str, Path(max_length=100, description="Any number of the trial.")]
Centre = Annotated[str, Path(max_length=64, description="The id of the centre.")]
_INVALID = 422


@router.api_route(
    "/workspace/places/{trial}/{centre}", methods=["GET", "HEAD"], summary="What is left before a site opens"
)
@produces(HTML)
async def show_opening(
    request: Request, access: Reader, visitor: Worker, trial: Trial, centre: Centre, done: str = ""
) -> Response:
    """Show the opening checklist of a site: whose task, until when, and what blocks the site."""
    return await _page(request, visitor, trial, centre, done=done)


@router.post("/workspace/places/{trial}/{centre}", summary="State an item of the opening of a site")
@accepts(FORM)
@produces(HTML)
async def change_opening(
    request: Request, access: Sender, visitor: Worker, trial: Trial, centre: Centre, form: SubmittedForm
) -> Response:
    """State when an item is due or was done, then show the checklist again."""
    try:
        await state_item(visitor.api, trial, centre, form)
    except ApiError as error:
        check_correctable(error)
        return await _page(request, visitor, trial, centre, error=error, form=form)
    return redirect(visitor, f"/workspace/places/{segment(trial)}/{segment(centre)}", done=form.one("item"))


async def _page(
    request: Request,
    visitor: Visitor,
    trial: str,
    centre: str,
    *,
    done: str = "",
    error: ApiError | None = None,
    form: Form | None = None,
) -> Response:
    # A green light that is too early names what is missing: that belongs to no field.
    by_field, others = faults_by_field(error.faults if error else (), FIELDS if _is_invalid(error) else {})
    return await work_page(
        request,
        visitor,
        "work/opening.html",
        error=error,
        form=form,
        found=await opening_of(visitor.api, trial, centre),
        done=done,
        wrong=by_field,
        others=others,
        may_write=may_edit(visitor),
    )


def _is_invalid(error: ApiError | None) -> bool:
    return error is not None and error.status == _INVALID
