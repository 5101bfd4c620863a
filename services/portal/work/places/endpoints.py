"""The pages of places."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from services.portal.clients.api import segment
from services.portal.clients.problems import ApiError, faults_by_field
from services.portal.pages.access import Reader, Sender
from services.portal.pages.forms import FORM, Form, SubmittedForm
from services.portal.pages.rendering import HTML, redirect
from services.portal.pages.visitors import Visitor
from services.portal.work.pages import check_correctable, work_page
from services.portal.work.places.reading import number_of, places_of, places_of_all, send
from services.portal.work.places.view import FIELDS, sets_staggering
from services.portal.work.workers import Worker, may_edit
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])
Trial = Annotated[str, Path(max_length=100, description="Any number of the trial.")]


@router.api_route("/workspace/places", methods=["GET", "HEAD"], summary="Places of your trials")
@produces(HTML)
async def list_places(request: Request, access: Reader, visitor: Worker, trial: str = "") -> Response:
    """List the places of the visitor's trials, or go to the trial of a number."""
    found = await number_of(visitor.api, trial.strip()) if trial.strip() else None
    if found is not None:
        return redirect(visitor, f"/workspace/places/{found}")
    places, trials = await places_of_all(visitor.api)
    return await work_page(request, visitor, "work/places.html", places=places, trials=trials, asked=trial.strip())


@router.api_route("/workspace/places/{trial}", methods=["GET", "HEAD"], summary="Places of a trial")
@produces(HTML)
async def show_places(request: Request, access: Reader, visitor: Worker, trial: Trial, done: str = "") -> Response:
    """Show what is offered in each cohort, who waits in the suggested order, and who has a place."""
    return await _page(request, visitor, trial, done=done)


@router.post("/workspace/places/{trial}", summary="Decide on places of a trial")
@accepts(FORM)
@produces(HTML)
async def change_places(
    request: Request, access: Sender, visitor: Worker, trial: Trial, form: SubmittedForm
) -> Response:
    """Assign a place, decide on one, release a cohort, or declare what is offered."""
    try:
        await send(visitor, trial, form)
    except ApiError as error:
        if error.status != 403:
            check_correctable(error)
        return await _page(request, visitor, trial, error=error, form=form)
    return redirect(visitor, f"/workspace/places/{segment(trial)}", done=form.one("action"))


async def _page(
    request: Request,
    visitor: Visitor,
    trial: str,
    *,
    done: str = "",
    error: ApiError | None = None,
    form: Form | None = None,
) -> Response:
    by_field, others = faults_by_field(error.faults if error else (), FIELDS)
    return await work_page(
        request,
        visitor,
        "work/places_of_trial.html",
        error=error,
        form=form,
        found=await places_of(visitor, trial),
        done=done,
        wrong=by_field,
        others=others,
        may_write=may_edit(visitor),
        sets_staggering=sets_staggering(visitor.me or {"kind": ""}),
    )
