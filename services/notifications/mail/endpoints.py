"""Subscriptions of an organisation to events, sent by e-mail."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notifications.deliveries.schemas import DeliveryPage, LoggedState, SentTest
from services.notifications.mail.limits import counts_of
from services.notifications.mail.schemas import (
    MailSubscription,
    MailSubscriptionId,
    MailSubscriptionInput,
    MailSubscriptionPage,
    MailSubscriptionUpdate,
)
from services.notifications.mail.service import MailService
from services.notifications.runtime import Running
from shared.access.address import address_of
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, IfNoneMatch, etag
from shared.idempotency import idempotent, repeatable
from shared.persistence import Reading, Writing

router = APIRouter(prefix="/notifications/v1", route_class=ApiRoute, tags=["mail"])

Reader = Annotated[Access, Depends(allow("subscription", "read"))]
Writer = Annotated[Access, Depends(allow("subscription", "write"))]
State = Annotated[LoggedState | None, Query(description="Only deliveries in this state.")]
BODY_BYTES = 64 * 1024


@router.post(
    "/mail-subscriptions", response_model=MailSubscription, status_code=201, summary="Create an e-mail subscription"
)
@idempotent()
@accepts(body_bytes=BODY_BYTES)
async def create_mail_subscription(
    request: Request, access: Writer, asked: MailSubscriptionInput, connection: Writing, runtime: Running
) -> Response:
    """Create an e-mail subscription. Its address gets a link to agree, and nothing else before it has."""
    settings = request.app.state.settings
    caller = address_of(request, settings.gateway_networks)
    created = await MailService(connection, access).create(
        asked,
        runtime.subscriptions_per_organisation,
        settings.event_source,
        counts_of(settings.sealing_key, asked.channel.address, caller),
        can_send=runtime.can_mail,
    )
    headers = {"ETag": etag(created.version), "Location": f"/notifications/v1/mail-subscriptions/{created.id}"}
    return Response(created.model_dump_json(), 201, headers, "application/json")


@router.api_route("/mail-subscriptions", methods=["GET", "HEAD"], summary="List e-mail subscriptions")
async def list_mail_subscriptions(
    request: Request, response: Response, connection: Reading, access: Reader, limit: Limit = 50, cursor: Cursor = None
) -> MailSubscriptionPage:
    """List the caller's e-mail subscriptions, oldest first."""
    after = open_page(request, cursor)
    since = (datetime.fromisoformat(after[0]), after[1]) if after else None
    rows = await MailService(connection, access).page(since, limit + 1)
    last = [rows[limit - 1].created_at.isoformat(), rows[limit - 1].id] if len(rows) > limit else None
    return MailSubscriptionPage(items=rows[:limit], next=close_page(request, response, last))


@router.api_route(
    "/mail-subscriptions/{mail_subscription}",
    methods=["GET", "HEAD"],
    response_model=MailSubscription,
    summary="Read an e-mail subscription",
)
async def read_mail_subscription(
    cached: IfNoneMatch, connection: Reading, access: Reader, mail_subscription: MailSubscriptionId
) -> Response:
    """Read one e-mail subscription."""
    found = await MailService(connection, access).get(mail_subscription)
    return cached.unchanged(found.version) or _answer(found)


@router.put(
    "/mail-subscriptions/{mail_subscription}",
    response_model=MailSubscription,
    summary="Replace an e-mail subscription",
)
@accepts(body_bytes=BODY_BYTES)
async def replace_mail_subscription(
    if_match: IfMatch,
    asked: MailSubscriptionUpdate,
    access: Writer,
    connection: Writing,
    mail_subscription: MailSubscriptionId,
) -> Response:
    """Replace a version of an e-mail subscription (`If-Match`), except its address."""
    expected = if_match.required_version()
    return _answer(await MailService(connection, access).replace(mail_subscription, asked, expected))


@router.delete("/mail-subscriptions/{mail_subscription}", status_code=204, summary="Delete an e-mail subscription")
async def delete_mail_subscription(
    if_match: IfMatch, connection: Writing, access: Writer, mail_subscription: MailSubscriptionId
) -> None:
    """Delete an e-mail subscription (`If-Match`) with its address and its delivery log."""
    await MailService(connection, access).delete(mail_subscription, if_match.required_version())


@router.api_route(
    "/mail-subscriptions/{mail_subscription}/deliveries", methods=["GET", "HEAD"], summary="List deliveries by e-mail"
)
async def list_mail_deliveries(
    request: Request,
    response: Response,
    connection: Reading,
    access: Reader,
    mail_subscription: MailSubscriptionId,
    state: State = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DeliveryPage:
    """List the deliveries of an e-mail subscription, newest first. `status` of an attempt: the SMTP reply."""
    before = open_page(request, cursor)
    service = MailService(connection, access)
    rows = await service.deliveries(mail_subscription, state, before[0] if before else None, limit + 1)
    page = [row.from_installation(request.app.state.settings.event_source) for row in rows[:limit]]
    following = close_page(request, response, [page[-1].number] if len(rows) > limit else None)
    return DeliveryPage(items=page, next=following)


@router.post("/mail-subscriptions/{mail_subscription}/test", status_code=202, summary="Send a test event by e-mail")
@repeatable("a second test is one more event, with another id")
@accepts(body_bytes=1024)
async def test_mail_subscription(
    request: Request, access: Writer, connection: Writing, mail_subscription: MailSubscriptionId
) -> SentTest:
    """Send a `subscription.test` event, like any other event."""
    installation = request.app.state.settings.event_source
    delivery = await MailService(connection, access).send_test(mail_subscription, installation)
    return SentTest(id=delivery.id, number=delivery.number)


def _answer(subscription: MailSubscription) -> Response:
    return Response(subscription.model_dump_json(), 200, {"ETag": etag(subscription.version)}, "application/json")
