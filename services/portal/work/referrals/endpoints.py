"""The pages of referrals."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response

from services.portal.clients.api import segment
from services.portal.clients.names import centres_of, trials_of
from services.portal.clients.pages_of_lists import every
from services.portal.clients.problems import ApiError
from services.portal.pages.access import Reader, Sender
from services.portal.pages.codes import WORDS
from services.portal.pages.days import today
from services.portal.pages.forms import FORM, Form, SubmittedForm
from services.portal.pages.rendering import HTML, redirect
from services.portal.pages.visitors import Visitor
from services.portal.work.pages import act, check_correctable, work_page
from services.portal.work.referrals.view import REASONS, Possible, groups_of, step_of
from services.portal.work.workers import Worker
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])
_REFERRALS = "/registry/v1/referrals"


@router.api_route("/workspace/referrals", methods=["GET", "HEAD"], summary="Referrals")
@produces(HTML)
async def list_referrals(request: Request, access: Reader, visitor: Worker, centre: str = "") -> Response:
    """List the referrals that the visitor's organisation sent or received, by phase."""
    found, centres = await asyncio.gather(every(visitor.api, _REFERRALS, centre=centre), centres_of(visitor.api))
    return await work_page(
        request,
        visitor,
        "work/referrals.html",
        parties=[one["hospital"] for one in found],
        groups=groups_of(found),
        centres=centres,
        trials=await trials_of(visitor.api, [one["trial_id"] for one in found]),
    )


@router.api_route("/workspace/referrals/{reference}", methods=["GET", "HEAD"], summary="A referral")
@produces(HTML)
async def show_referral(request: Request, access: Reader, visitor: Worker, reference: str, done: str = "") -> Response:
    """Show a referral: its steps, what can be recorded now, and where the file goes."""
    return await _page(request, visitor, reference, done=done)


@router.post("/workspace/referrals/{reference}", summary="Record a step of a referral")
@accepts(FORM)
@produces(HTML)
async def record_step(
    request: Request, access: Sender, visitor: Worker, reference: str, form: SubmittedForm
) -> Response:
    """Record a step, then show the referral again."""
    try:
        await act(visitor, f"{_REFERRALS}/{segment(reference)}/steps", form, step_of(form))
    except ApiError as error:
        check_correctable(error)
        return await _page(request, visitor, reference, error=error, form=form)
    return redirect(visitor, f"/workspace/referrals/{reference}", done=form.one("action"))


async def _page(
    request: Request,
    visitor: Visitor,
    reference: str,
    *,
    done: str = "",
    error: ApiError | None = None,
    form: Form | None = None,
) -> Response:
    found, centres = await asyncio.gather(
        visitor.api.get(f"{_REFERRALS}/{segment(reference)}"), centres_of(visitor.api)
    )
    trial: Any = await visitor.api.find(f"/registry/v1/trials/{segment(found['trial_id'])}")
    return await work_page(
        request,
        visitor,
        "work/referral.html",
        error=error,
        form=form,
        parties=[found["hospital"]],
        referral=found,
        trial=trial,
        centre=centres.get(found["centre"]),
        possible=Possible.of(found["possible"]),
        reasons=REASONS,
        words=WORDS,
        today=today().isoformat(),
        done=done,
    )
