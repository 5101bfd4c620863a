"""The delivery log and the test button of a subscription."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notifications.deliveries.schemas import DeliveryPage, LoggedState, SentTest
from services.notifications.deliveries.service import DeliveryService
from services.notifications.runtime import Running
from services.notifications.subscriptions.schemas import SubscriptionId
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.idempotency import repeatable
from shared.persistence import Reading

router = APIRouter(prefix="/notifications/v1", route_class=ApiRoute, tags=["deliveries"])

Reader = Annotated[Access, Depends(allow("subscription", "read"))]
Writer = Annotated[Access, Depends(allow("subscription", "write"))]
State = Annotated[
    LoggedState | None, Query(description="Only deliveries in this state; `dead`: given up after the last attempt.")
]


@router.api_route("/subscriptions/{subscription}/deliveries", methods=["GET", "HEAD"], summary="List deliveries")
async def list_deliveries(
    request: Request,
    response: Response,
    connection: Reading,
    access: Reader,
    subscription: SubscriptionId,
    state: State = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DeliveryPage:
    """List a subscription's deliveries with their attempts, newest first."""
    before = open_page(request, cursor)
    service = DeliveryService(connection, access)
    rows = await service.page(subscription, state, before[0] if before else None, limit + 1)
    page = [row.from_installation(request.app.state.settings.event_source) for row in rows[:limit]]
    following = close_page(request, response, [page[-1].number] if len(rows) > limit else None)
    return DeliveryPage(items=page, next=following)


@router.post("/subscriptions/{subscription}/test", status_code=202, summary="Send a test event")
@repeatable("a second test is one more event, with another id")
@accepts(body_bytes=1024)
async def test_subscription(
    request: Request, access: Writer, runtime: Running, subscription: SubscriptionId
) -> SentTest:
    """Send a `subscription.test` event, like any other event."""
    async with runtime.database.transaction() as connection:
        delivery = await DeliveryService(connection, access).send_test(
            subscription, request.app.state.settings.event_source
        )
    runtime.wake_dispatcher()
    return SentTest(id=delivery.id, number=delivery.number)
