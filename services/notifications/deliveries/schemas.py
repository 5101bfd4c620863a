"""The delivery log on the wire: what was tried and what came of it, never a body."""

from typing import Literal

from shared.values.wire import ApiModel, Instant

# `held`: the subscription is disabled; set to active it goes on.
LoggedState = Literal["pending", "sending", "held", "delivered", "dead"]


class DeliveryAttempt(ApiModel):
    """One attempt: the receiver's status, or the class of the error that kept it from one; how long it took in milliseconds."""

    at: Instant
    status: int | None
    error: str | None
    ms: int


class DeliveredEvent(ApiModel):
    """Which event a delivery tells."""

    source: str
    id: str
    type: str
    subject: str
    time: Instant


class Delivery(ApiModel):
    """One line of the ledger. ``number`` counts a subscription's deliveries without gaps; ``due_at`` is the next attempt's time."""

    id: str
    number: int
    state: LoggedState
    event: DeliveredEvent
    attempts: list[DeliveryAttempt]
    due_at: Instant | None
    created_at: Instant
    finished_at: Instant | None


class DeliveryPage(ApiModel):
    items: list[Delivery]
    next: str | None


class SentTest(ApiModel):
    """The delivery that carries the test event."""

    id: str
    number: int
