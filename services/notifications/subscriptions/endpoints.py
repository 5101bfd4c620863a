"""Subscriptions of an organisation to events, sent by signed webhooks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.notifications.runtime import Running
from services.notifications.subscriptions.schemas import (
    NewSubscription,
    RotatedSubscription,
    SecretRotation,
    Subscription,
    SubscriptionId,
    SubscriptionInput,
    SubscriptionPage,
    SubscriptionSummary,
    SubscriptionSummaryPage,
    SubscriptionUpdate,
)
from services.notifications.subscriptions.service import SubscriptionService, check_url
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, IfNoneMatch, etag
from shared.idempotency import idempotent
from shared.persistence import Reading, Writing

router = APIRouter(prefix="/notifications/v1", route_class=ApiRoute, tags=["subscriptions"])

Reader = Annotated[Access, Depends(allow("subscription", "read"))]
Writer = Annotated[Access, Depends(allow("subscription", "write"))]
Overseer = Annotated[Access, Depends(allow("subscription_summary", "read"))]
BODY_BYTES = 64 * 1024


async def _checked(runtime: Running, asked: SubscriptionInput) -> SubscriptionInput:
    await check_url(asked, runtime.outbound)
    return asked


# Declared before the connection: resolving a host name may take seconds, and must not hold a transaction.
Checked = Annotated[SubscriptionInput, Depends(_checked)]


@router.post("/subscriptions", response_model=NewSubscription, status_code=201, summary="Create a subscription")
@idempotent(shown_once=["secret"])
@accepts(body_bytes=BODY_BYTES)
async def create_subscription(access: Writer, asked: Checked, connection: Writing, runtime: Running) -> Response:
    """Create a subscription. The answer is the only one that shows the signing secret."""
    service = SubscriptionService(connection, access)
    created = await service.create(asked, runtime.cipher, runtime.subscriptions_per_organisation)
    headers = {
        "ETag": etag(created.version),
        "Location": f"/notifications/v1/subscriptions/{created.id}",
        "Cache-Control": "no-store",
    }
    return Response(created.model_dump_json(), 201, headers, "application/json")


@router.api_route("/subscriptions", methods=["GET", "HEAD"], summary="List subscriptions")
async def list_subscriptions(
    request: Request, response: Response, connection: Reading, access: Reader, limit: Limit = 50, cursor: Cursor = None
) -> SubscriptionPage:
    """List the caller's subscriptions, oldest first."""
    rows = await SubscriptionService(connection, access).page(_after(request, cursor), limit + 1)
    return SubscriptionPage(items=rows[:limit], next=close_page(request, response, _last(rows, limit)))


@router.api_route("/subscription-summaries", methods=["GET", "HEAD"], summary="List the status of all subscriptions")
async def list_summaries(
    request: Request,
    response: Response,
    access: Overseer,
    runtime: Running,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SubscriptionSummaryPage:
    """List the status of every organisation's subscriptions, oldest first, without URLs and filters."""
    # As the service, because row-level security shows subscriptions to their owners only.
    async with runtime.database.read(as_service=True) as connection:
        rows = await SubscriptionService(connection, access).summaries(_after(request, cursor), limit + 1)
    return SubscriptionSummaryPage(items=rows[:limit], next=close_page(request, response, _last(rows, limit)))


@router.api_route(
    "/subscriptions/{subscription}", methods=["GET", "HEAD"], response_model=Subscription, summary="Read a subscription"
)
async def read_subscription(
    cached: IfNoneMatch, connection: Reading, access: Reader, subscription: SubscriptionId
) -> Response:
    """Read one subscription."""
    found = await SubscriptionService(connection, access).get(subscription)
    return cached.unchanged(found.version) or _answer(found)


@router.put("/subscriptions/{subscription}", response_model=Subscription, summary="Replace a subscription")
@accepts(body_bytes=BODY_BYTES)
async def replace_subscription(
    if_match: IfMatch, asked: SubscriptionUpdate, access: Writer, runtime: Running, subscription: SubscriptionId
) -> Response:
    """Replace a version of a subscription (`If-Match`). While it is disabled, its deliveries wait."""
    expected = if_match.required_version()
    await check_url(asked, runtime.outbound)
    async with runtime.database.transaction() as connection:
        updated = await SubscriptionService(connection, access).replace(subscription, asked, expected)
    runtime.wake_dispatcher()
    return _answer(updated)


@router.post(
    "/subscriptions/{subscription}/rotate", response_model=RotatedSubscription, summary="Rotate a signing secret"
)
@idempotent(shown_once=["secret"])
@accepts(body_bytes=BODY_BYTES)
async def rotate_secret(
    if_match: IfMatch,
    given: SecretRotation,
    access: Writer,
    connection: Writing,
    runtime: Running,
    subscription: SubscriptionId,
) -> Response:
    """Replace the signing secret (`If-Match`); the new one is shown once.

    During the overlap each delivery has two signatures in `webhook-signature`, so that no delivery is refused while
    the receiver changes its secret.
    """
    service = SubscriptionService(connection, access)
    overlap = timedelta(hours=given.overlap_hours)
    rotated = await service.rotate(subscription, overlap, runtime.cipher, if_match.required_version())
    headers = {"ETag": etag(rotated.version), "Cache-Control": "no-store"}
    return Response(rotated.model_dump_json(), 200, headers, "application/json")


@router.delete("/subscriptions/{subscription}", status_code=204, summary="Delete a subscription")
async def delete_subscription(
    if_match: IfMatch, connection: Writing, access: Writer, subscription: SubscriptionId
) -> None:
    """Delete a subscription (`If-Match`) with its delivery log."""
    await SubscriptionService(connection, access).delete(subscription, if_match.required_version())


def _after(request: Request, cursor: str | None) -> tuple[datetime, str] | None:
    after = open_page(request, cursor)
    return (datetime.fromisoformat(after[0]), after[1]) if after else None


def _last(rows: Sequence[Subscription | SubscriptionSummary], limit: int) -> list[str] | None:
    """Return the key of the page's last row; None if there is no next page."""
    return [rows[limit - 1].created_at.isoformat(), rows[limit - 1].id] if len(rows) > limit else None


def _answer(subscription: Subscription) -> Response:
    return Response(subscription.model_dump_json(), 200, {"ETag": etag(subscription.version)}, "application/json")
