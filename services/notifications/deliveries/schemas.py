"""Response bodies of the delivery log. It never contains the body of an event."""

from typing import Literal, Self

from pydantic import Field

from shared.values.wire import ApiModel, Instant

# `held`: the subscription is disabled; sent once it is active again.
LoggedState = Literal["pending", "sending", "held", "delivered", "dead"]


class DeliveryAttempt(ApiModel):
    """One attempt to deliver an event."""

    at: Instant = Field(description="When it was made.")
    status: int | None = Field(description="The HTTP status of the receiver; null: there was no answer.")
    error: str | None = Field(
        description="A stable code of the failure, such as `timed_out`; null: there was an answer."
    )
    ms: int = Field(description="How long it took, in milliseconds.")


class DeliveredEvent(ApiModel):
    """The event of a delivery."""

    source: str = Field(description="The `source` of the event.")
    id: str = Field(description="The `id` of the event: equal events have the same source and id.")
    type: str = Field(description="The type of the event.")
    subject: str = Field(description="What the event is about, such as `trial/CL00000012`.")
    time: Instant = Field(description="When the change was made.")


class Delivery(ApiModel):
    """An event for one subscription."""

    id: str = Field(description="The id, also the header `webhook-id`.")
    number: int = Field(description="The number of the delivery in its subscription; there are no gaps.")
    state: LoggedState = Field(
        description="`held`: the subscription is disabled; it is sent once the subscription is active again. `dead`: "
        "given up after the last attempt."
    )
    event: DeliveredEvent = Field(description="The event.")
    attempts: list[DeliveryAttempt] = Field(description="The attempts so far.")
    due_at: Instant | None = Field(description="When the next attempt is due; null: none.")
    created_at: Instant = Field(description="When it was created.")
    finished_at: Instant | None = Field(description="When it was delivered or given up; null: neither yet.")

    def from_installation(self, installation: str) -> Self:
        """Name the event's source as in the event itself: with the installation."""
        event = self.event.model_copy(update={"source": f"{installation}{self.event.source}"})
        return self.model_copy(update={"event": event})


class DeliveryPage(ApiModel):
    """A page of deliveries."""

    items: list[Delivery] = Field(description="The deliveries of this page, newest first.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


class SentTest(ApiModel):
    """The delivery of the test event."""

    id: str = Field(description="The id of the delivery.")
    number: int = Field(description="The number of the delivery in its subscription.")
