"""Subscriptions over HTTP."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from services.notifications.deliveries.repository import DeliveryRepository
from services.notifications.subscriptions.problems import refused_url
from services.notifications.subscriptions.repository import NewRow, SubscriptionRepository
from services.notifications.subscriptions.schemas import (
    NewSubscription,
    Subscription,
    SubscriptionInput,
    SubscriptionPage,
    SubscriptionSummary,
    SubscriptionSummaryPage,
    SubscriptionUpdate,
)
from services.notifications.subscriptions.secrets import new_secret, write_secret
from shared.access.policy import Access
from shared.access.views import view_of
from shared.clients.outbound import OutboundClient, OutboundError
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import etag, required_version, unchanged
from shared.idempotency import idempotent
from shared.persistence import Database, Reading, Writing
from shared.values.encryption import Seal
from shared.values.problems import NotFoundError, StaleVersionError

router = APIRouter(prefix="/notifications/v1", route_class=ApiRoute, tags=["subscriptions"])

Reader = Annotated[Access, Depends(allow("subscription", "read"))]
Writer = Annotated[Access, Depends(allow("subscription", "write"))]
Overseer = Annotated[Access, Depends(allow("subscription_summary", "read"))]
SubscriptionId = Annotated[str, Path(max_length=36)]

BODY_BYTES = 64 * 1024
# Fictitious trials are for demonstrations: they are never sent to anybody.
NOT_SENT = frozenset({"demo"})


def owner_of(access: Access) -> str:
    """The organisation whose subscriptions a caller may touch."""
    return access.principal.organisation or access.principal.kind


async def held_subscription(connection: Any, access: Access, subscription: str) -> Subscription:
    """:raises NotFoundError: unknown, or somebody else's."""
    held = await SubscriptionRepository(connection).get(owner_of(access), subscription)
    if held is None:
        raise NotFoundError
    return held


async def _checked(request: Request, asked: SubscriptionInput) -> SubscriptionInput:
    await _check_url(request, asked)
    return asked


# Declared before the transaction: a look-up may take seconds.
Checked = Annotated[SubscriptionInput, Depends(_checked)]


@router.post("/subscriptions", response_model=NewSubscription, status_code=201)
@idempotent(shown_once=["secret"])
@accepts(body_bytes=BODY_BYTES)
async def create_subscription(request: Request, access: Writer, asked: Checked, connection: Writing) -> Response:
    """Subscribe. The answer shows the signing secret, once: it is never shown again, also not when the same key comes again."""
    now, new_id, secret = datetime.now(UTC), str(uuid.uuid4()), new_secret()
    seal: Seal = request.app.state.seal
    # What its maker may read in the feed, and no more: the right to subscribe is not the right to read what is not published.
    row = NewRow(
        new_id, owner_of(access), sorted(view_of(access.principal).audiences - NOT_SENT), seal.seal(new_id, secret), now
    )
    await SubscriptionRepository(connection).add(row, asked)
    made = await held_subscription(connection, access, new_id)
    shown = NewSubscription(**dict(made), secret=write_secret(secret))
    headers = {
        "ETag": etag(made.version),
        "Location": f"/notifications/v1/subscriptions/{new_id}",
        "Cache-Control": "no-store",
    }
    return Response(shown.model_dump_json(), 201, headers, "application/json")


@router.api_route("/subscriptions", methods=["GET", "HEAD"])
async def list_subscriptions(
    request: Request, response: Response, connection: Reading, access: Reader, limit: Limit = 50, cursor: Cursor = None
) -> SubscriptionPage:
    """The caller's subscriptions, oldest first."""
    rows = await SubscriptionRepository(connection).page(owner_of(access), _after(request, cursor), limit + 1)
    return SubscriptionPage(items=rows[:limit], next=close_page(request, response, _last(rows, limit)))


@router.api_route("/subscription-summaries", methods=["GET", "HEAD"])
async def list_summaries(
    request: Request, response: Response, access: Overseer, limit: Limit = 50, cursor: Cursor = None
) -> SubscriptionSummaryPage:
    """Every organisation's subscriptions, oldest first: whose, in which state; neither address nor filter."""
    database: Database = request.app.state.database
    # The second wall knows subscriptions as their owners' alone.
    async with database.read(as_service=True) as connection:
        rows = await SubscriptionRepository(connection).summaries(_after(request, cursor), limit + 1)
    return SubscriptionSummaryPage(items=rows[:limit], next=close_page(request, response, _last(rows, limit)))


@router.api_route("/subscriptions/{subscription}", methods=["GET", "HEAD"], response_model=Subscription)
async def read_subscription(
    request: Request, connection: Reading, access: Reader, subscription: SubscriptionId
) -> Response:
    """One subscription."""
    held = await held_subscription(connection, access, subscription)
    return unchanged(request, held.version) or _answer(held)


@router.put("/subscriptions/{subscription}", response_model=Subscription)
@accepts(body_bytes=BODY_BYTES)
async def replace_subscription(
    request: Request, asked: SubscriptionUpdate, access: Writer, subscription: SubscriptionId
) -> Response:
    """Replace a version of a subscription (`If-Match`). Disabled, it holds its deliveries back; active again, it sends them."""
    expected = required_version(request)
    await _check_url(request, asked)
    database: Database = request.app.state.database
    now = datetime.now(UTC)
    async with database.transaction() as connection:
        held = await held_subscription(connection, access, subscription)
        _check_version(expected, held)
        if not await SubscriptionRepository(connection).replace(held, asked, asked.status, now):
            raise StaleVersionError
        if held.status != "active" and asked.status == "active":
            await DeliveryRepository(connection).hurry(subscription, now)
        made = await held_subscription(connection, access, subscription)
    request.app.state.dispatcher.wake()
    return _answer(made)


@router.delete("/subscriptions/{subscription}", status_code=204)
async def delete_subscription(
    request: Request, connection: Writing, access: Writer, subscription: SubscriptionId
) -> None:
    """End a subscription (`If-Match`); its log goes with it."""
    expected = required_version(request)
    held = await held_subscription(connection, access, subscription)
    _check_version(expected, held)
    if not await SubscriptionRepository(connection).remove(held):
        raise StaleVersionError


def _after(request: Request, cursor: str | None) -> tuple[datetime, str] | None:
    after = open_page(request, cursor)
    return (datetime.fromisoformat(after[0]), after[1]) if after else None


def _last(rows: Sequence[Subscription | SubscriptionSummary], limit: int) -> list[str] | None:
    """Where the next page begins; None: there is none."""
    return [rows[limit - 1].created_at.isoformat(), rows[limit - 1].id] if len(rows) > limit else None


def _check_version(expected: int | None, held: Subscription) -> None:
    if expected not in {None, held.version}:
        raise StaleVersionError


async def _check_url(request: Request, asked: SubscriptionInput) -> None:
    client: OutboundClient = request.app.state.outbound
    try:
        await client.check(asked.channel.url)
    except OutboundError as error:
        raise refused_url(error) from None


def _answer(subscription: Subscription) -> Response:
    return Response(subscription.model_dump_json(), 200, {"ETag": etag(subscription.version)}, "application/json")
