"""Request and response bodies about subscriptions."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field, StringConstraints

from shared.values.wire import ApiModel, Code, Instant
from shared.vocabulary.events import AgeBand, AtmpClass, EventType
from shared.vocabulary.geography import Departement
from shared.vocabulary.identifiers import CentreId

SubscriptionId = Annotated[str, Path(max_length=36)]
SubscriptionStatus = Literal["active", "disabled"]
DisabledReason = Literal["owner", "gone"]

Url = Annotated[str, StringConstraints(min_length=8, max_length=2048)]
TrialId = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class WebhookChannel(ApiModel):
    """Signed POST requests to ``url`` (https), as specified by Standard Webhooks."""

    type: Literal["webhook"]
    url: Url


class SubscriptionFilter(ApiModel):
    """Properties that the event's subject must have: one value of each non-empty list.

    A condition includes its descendants.
    """

    condition: list[Code] = Field(default=[], max_length=50)
    age_band: list[AgeBand] = Field(default=[], max_length=2)
    departement: list[Departement] = Field(default=[], max_length=110)
    atmp_class: list[AtmpClass] = Field(default=[], max_length=3)
    centre: list[CentreId] = Field(default=[], max_length=100)
    trial: list[TrialId] = Field(default=[], max_length=100)


class SubscriptionInput(ApiModel):
    """A subscription to create. An empty ``types`` means all types."""

    channel: WebhookChannel
    types: list[EventType] = Field(default=[], max_length=50)
    filter: SubscriptionFilter = SubscriptionFilter()


class SubscriptionUpdate(SubscriptionInput):
    """The new content of a subscription. Set to ``active`` again, it sends the deliveries that waited."""

    status: SubscriptionStatus = "active"


class Subscription(ApiModel):
    """A subscription. ``disabled_reason``: `owner`, or `gone` if the receiver answered 410."""

    id: str
    version: int
    status: SubscriptionStatus
    disabled_reason: DisabledReason | None
    channel: WebhookChannel
    types: list[str]
    filter: SubscriptionFilter
    last_number: int
    created_at: Instant
    updated_at: Instant


class NewSubscription(Subscription):
    """The only answer that shows the signing secret (``whsec_…``).

    A repetition with the same `Idempotency-Key` omits it: if the first answer was lost, delete this subscription and
    create another.
    """

    secret: str | None = None


class SubscriptionPage(ApiModel):
    items: list[Subscription]
    next: str | None


class SubscriptionSummary(ApiModel):
    """The status of a subscription, without its URL and filter. ``last_number``: number of its last delivery."""

    id: str
    organisation: str
    status: SubscriptionStatus
    disabled_reason: DisabledReason | None
    last_number: int
    created_at: Instant
    updated_at: Instant


class SubscriptionSummaryPage(ApiModel):
    items: list[SubscriptionSummary]
    next: str | None
