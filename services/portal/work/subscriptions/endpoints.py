"""The page of subscriptions."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from services.portal.clients.problems import ApiError
from services.portal.pages.access import Reader, Sender
from services.portal.pages.formats import Formats
from services.portal.pages.forms import FORM, Form, SubmittedForm
from services.portal.pages.rendering import HTML, redirect
from services.portal.pages.visitors import Visitor
from services.portal.work.pages import check_correctable, work_page
from services.portal.work.subscriptions.reading import act_on, departements_of, subscriptions_of, write
from services.portal.work.subscriptions.view import FREQUENCIES, OVERLAP_HOURS, families
from services.portal.work.workers import Worker
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])


@router.api_route("/workspace/subscriptions", methods=["GET", "HEAD"], summary="Subscriptions")
@produces(HTML)
async def show_subscriptions(request: Request, access: Reader, visitor: Worker, done: str = "") -> Response:
    """Show the subscriptions of the visitor's organisation and how their deliveries went."""
    return await _page(request, visitor, done=done)


@router.post("/workspace/subscriptions", summary="Create a subscription")
@accepts(FORM)
@produces(HTML)
async def create_subscription(request: Request, access: Sender, visitor: Worker, form: SubmittedForm) -> Response:
    """Create a subscription and show the secret of a webhook, this once."""
    try:
        made = await write(visitor.api, form, Formats(visitor.language))
    except ApiError as error:
        check_correctable(error)
        return await _page(request, visitor, error=error, form=form)
    if made.get("secret") is None:
        return redirect(visitor, "/workspace/subscriptions", done="asked")
    return await _page(request, visitor, made=made)


@router.post("/workspace/subscriptions/{subscription}", summary="Change, test or delete a subscription")
@accepts(FORM)
@produces(HTML)
async def act_on_subscription(
    request: Request, access: Sender, visitor: Worker, subscription: str, form: SubmittedForm
) -> Response:
    """Edit, pause, resume, test, delete or rotate the secret, then show the list again."""
    try:
        rotated = await act_on(visitor.api, subscription, form, Formats(visitor.language))
    except ApiError as error:
        check_correctable(error)
        return await _page(request, visitor, error=error, form=form, wrong=subscription)
    if rotated is not None and rotated.get("secret"):
        return await _page(request, visitor, made=rotated)
    return redirect(visitor, "/workspace/subscriptions", done=form.one("action"))


async def _page(
    request: Request,
    visitor: Visitor,
    *,
    done: str = "",
    made: Any = None,
    error: ApiError | None = None,
    form: Form | None = None,
    wrong: str = "",
) -> Response:
    found, departements = await asyncio.gather(
        subscriptions_of(visitor.api, Formats(visitor.language)), departements_of(visitor.api)
    )
    return await work_page(
        request,
        visitor,
        "work/subscriptions.html",
        error=error,
        form=form,
        found=found,
        departements=departements,
        families=families(),
        frequencies=FREQUENCIES,
        overlap_hours=OVERLAP_HOURS,
        now=datetime.now(UTC).isoformat(),
        wrong=wrong,
        done=done,
        made=made,
    )
