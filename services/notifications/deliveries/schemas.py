"""Response bodies of the delivery log. It never contains the body of an event."""

from typing import Literal

from shared.values.wire import ApiModel, Instant

# `held`: the subscription is disabled; sent once it is active again.
LoggedState = Literal["pending", "sending", "held", "delivered", "dead"]


class DeliveryAttempt(ApiModel):
    """One attempt: the receiver's HTTP status, or an error code if there was none; its duration in milliseconds."""

    at: Instant
    status: int | None
    error: str | None
    ms: int


class DeliveredEvent(ApiModel):
    """The event of a delivery."""

    source: str
    id: str
    type: str
    subject: str
    time: Instant


class Delivery(ApiModel):
    """A delivery. ``number`` counts a subscription's deliveries without gaps; ``due_at``: time of the next attempt."""

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
    """The delivery of the test event."""

    id: str
    number: int
