"""Links in messages. A GET shows a button and changes nothing: programs that check mail follow every link."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.notifications.mail_links.pages import FORMS, HTML, JSON, show
from services.notifications.mail_links.schemas import Link, MailLink
from services.notifications.mail_links.service import MailLinkService
from services.notifications.runtime import Running
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts, produces
from shared.idempotency import repeatable

router = APIRouter(prefix="/notifications/v1", route_class=ApiRoute, tags=["mail"])

Visitor = Annotated[Access, Depends(allow("mail_link", "read"))]
Recipient = Annotated[Access, Depends(allow("mail_link", "write"))]
BODY_BYTES = 1024
PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {HTML: {"schema": {"type": "string", "maxLength": 4096}, "example": "<!doctype html>…"}}}
}


@router.api_route(
    "/confirm/{link}",
    methods=["GET", "HEAD"],
    response_model=MailLink,
    responses=PAGE,
    summary="Show what a confirmation link does",
)
@produces(HTML, JSON)
async def show_confirmation(request: Request, access: Visitor, runtime: Running, link: Link) -> Response:
    """Ask whether the address agrees to receive messages."""
    # Here and below as the service: the token was sent to the address, and its holder is no caller of the API.
    async with runtime.database.read(as_service=True) as connection:
        done = await MailLinkService(connection, runtime.mail_tokens).is_done("confirm", link)
    return show(MailLink(act="confirm", done=done), request.headers)


@router.post("/confirm/{link}", response_model=MailLink, responses=PAGE, summary="Confirm an e-mail subscription")
@repeatable("again it changes nothing")
@accepts(*FORMS, body_bytes=BODY_BYTES)
@produces(HTML, JSON)
async def confirm_address(request: Request, access: Recipient, runtime: Running, link: Link) -> Response:
    """Agree to receive messages. The link is valid for seven days."""
    async with runtime.database.transaction(as_service=True) as connection:
        await MailLinkService(connection, runtime.mail_tokens).confirm(link)
    return show(MailLink(act="confirm", done=True), request.headers)


@router.api_route(
    "/unsubscribe/{link}",
    methods=["GET", "HEAD"],
    response_model=MailLink,
    responses=PAGE,
    summary="Show what an unsubscription link does",
)
@produces(HTML, JSON)
async def show_unsubscription(request: Request, access: Visitor, runtime: Running, link: Link) -> Response:
    """Ask whether to stop the messages."""
    async with runtime.database.read(as_service=True) as connection:
        done = await MailLinkService(connection, runtime.mail_tokens).is_done("unsubscribe", link)
    return show(MailLink(act="unsubscribe", done=done), request.headers)


@router.post("/unsubscribe/{link}", response_model=MailLink, responses=PAGE, summary="Unsubscribe an address")
@repeatable("again it changes nothing")
@accepts(*FORMS, body_bytes=BODY_BYTES)
@produces(HTML, JSON)
async def unsubscribe_address(request: Request, access: Recipient, runtime: Running, link: Link) -> Response:
    """Stop the messages at once, in one click (RFC 8058): the subscription is deleted with its address."""
    async with runtime.database.transaction(as_service=True) as connection:
        await MailLinkService(connection, runtime.mail_tokens).unsubscribe(link)
    return show(MailLink(act="unsubscribe", done=True), request.headers)
