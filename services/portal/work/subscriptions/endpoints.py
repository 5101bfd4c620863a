"""The page of subscriptions."""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.portal.clients.problems import ApiError
from services.portal.pages.access import Reader, Sender
from services.portal.pages.forms import FORM, Form, SubmittedForm
from services.portal.pages.rendering import HTML, redirect
from services.portal.pages.visitors import Visitor
from services.portal.work.pages import check_correctable, work_page
from services.portal.work.subscriptions.reading import act_on, create, subscriptions_of
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
    """Create a subscription and show its secret, this once."""
    try:
        made = await create(visitor.api, form)
    except ApiError as error:
        check_correctable(error)
        return await _page(request, visitor, error=error, form=form)
    return await _page(request, visitor, made=made)


@router.post("/workspace/subscriptions/{subscription}", summary="Pause, resume or test a subscription")
@accepts(FORM)
@produces(HTML)
async def act_on_subscription(
    request: Request, access: Sender, visitor: Worker, subscription: str, form: SubmittedForm
) -> Response:
    """Pause, resume or test, then show the list again."""
    try:
        await act_on(visitor.api, subscription, form)
    except ApiError as error:
        check_correctable(error)
        return await _page(request, visitor, error=error, form=form)
    return redirect(visitor, "/workspace/subscriptions", done=form.one("action"))


async def _page(
    request: Request,
    visitor: Visitor,
    *,
    done: str = "",
    made: Any = None,
    error: ApiError | None = None,
    form: Form | None = None,
) -> Response:
    found = await subscriptions_of(visitor.api)
    return await work_page(
        request, visitor, "work/subscriptions.html", error=error, form=form, found=found, done=done, made=made
    )
