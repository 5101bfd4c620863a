"""The delivery log and the test button over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notifications.deliveries.repository import DeliveryRepository
from services.notifications.deliveries.schemas import DeliveryPage, LoggedState, SentTest
from services.notifications.events.service import send_test
from services.notifications.subscriptions.endpoints import SubscriptionId, held_subscription
from services.notifications.subscriptions.problems import SubscriptionDisabledError
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.idempotency import repeatable
from shared.persistence import Database, Reading
from shared.values.problems import NotFoundError

router = APIRouter(prefix="/notifications/v1", route_class=ApiRoute, tags=["deliveries"])

Reader = Annotated[Access, Depends(allow("subscription", "read"))]
Writer = Annotated[Access, Depends(allow("subscription", "write"))]


@router.api_route("/subscriptions/{subscription}/deliveries", methods=["GET", "HEAD"])
async def list_deliveries(
    request: Request,
    response: Response,
    connection: Reading,
    access: Reader,
    subscription: SubscriptionId,
    state: Annotated[
        LoggedState | None, Query(description="Only those in this state; `dead` lists what was given up.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DeliveryPage:
    """A subscription's deliveries with their attempts, newest first."""
    await held_subscription(connection, access, subscription)
    before = open_page(request, cursor)
    rows = await DeliveryRepository(connection).page(subscription, state, before[0] if before else None, limit + 1)
    page = rows[:limit]
    return DeliveryPage(
        items=page, next=close_page(request, response, [page[-1].number] if len(rows) > limit else None)
    )


@router.post("/subscriptions/{subscription}/test", status_code=202)
@repeatable("a second test is one more event to the same receiver, who tells the two apart by their ids")
@accepts(body_bytes=1024)
async def test_subscription(request: Request, access: Writer, subscription: SubscriptionId) -> SentTest:
    """Send a `subscription.test` event through the ledger, as any other."""
    database: Database = request.app.state.database
    async with database.transaction() as connection:
        held = await held_subscription(connection, access, subscription)
        if held.status != "active":
            raise SubscriptionDisabledError
        delivery = await send_test(connection, subscription, datetime.now(UTC))
        if delivery is None:
            raise NotFoundError
    request.app.state.dispatcher.wake()
    return SentTest(id=delivery.id, number=delivery.number)
