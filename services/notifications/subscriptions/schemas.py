"""Request and response bodies about subscriptions."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field, StringConstraints

from shared.values.wire import ApiModel, Code, Instant
from shared.vocabulary.events import AgeBand, AtmpClass, EventType
from shared.vocabulary.geography import Departement
from shared.vocabulary.identifiers import CentreId

SubscriptionId = Annotated[str, Path(max_length=36, description="The id of the subscription.")]
SubscriptionStatus = Literal["active", "disabled"]
DisabledReason = Literal["owner", "gone"]

Url = Annotated[str, StringConstraints(min_length=8, max_length=2048)]
TrialName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class WebhookChannel(ApiModel):
    """Signed POST requests, as specified by Standard Webhooks."""

    type: Literal["webhook"] = Field(description="The kind of channel.")
    url: Url = Field(description="The https URL that receives the events.")


class SubscriptionFilter(ApiModel):
    """Properties that the event's subject must have: one value of each non-empty list."""

    condition: list[Code] = Field(default=[], max_length=50, description="Codes of diseases; descendants are included.")
    age_band: list[AgeBand] = Field(default=[], max_length=2, description="Age bands.")
    departement: list[Departement] = Field(
        default=[], max_length=110, description="French départements or territories of sites and centres."
    )
    atmp_class: list[AtmpClass] = Field(default=[], max_length=3, description="Classes of products.")
    centre: list[CentreId] = Field(default=[], max_length=100, description="Ids of centres.")
    trial: list[TrialName] = Field(
        default=[], max_length=100, description="Trials: their ids or any of their numbers, in any spelling."
    )


class SubscriptionInput(ApiModel):
    """A subscription to create."""

    channel: WebhookChannel = Field(description="Where events are sent.")
    types: list[EventType] = Field(default=[], max_length=50, description="The types of events; empty: all.")
    filter: SubscriptionFilter = Field(default=SubscriptionFilter(), description="Which events are sent; empty: all.")


class SubscriptionUpdate(SubscriptionInput):
    """The new content of a subscription."""

    status: SubscriptionStatus = Field(
        default="active", description="`disabled`: deliveries wait until it is `active` again."
    )


class Subscription(ApiModel):
    """A subscription."""

    id: str = Field(description="The id.")
    version: int = Field(description="The version, as in the `ETag`; each change raises it by one.")
    status: SubscriptionStatus = Field(description="Whether events are sent.")
    disabled_reason: DisabledReason | None = Field(
        description="Why it is disabled: by its `owner`, or because the receiver answered 410 (`gone`); null: it is "
        "active."
    )
    channel: WebhookChannel = Field(description="Where events are sent.")
    types: list[str] = Field(description="The types of events; empty: all.")
    filter: SubscriptionFilter = Field(description="Which events are sent; empty: all.")
    two_signatures_until: Instant | None = Field(
        description="Until when deliveries are signed twice, also with the former secret; null, or over: once."
    )
    last_number: int = Field(description="The number of its last delivery.")
    created_at: Instant = Field(description="When it was created.")
    updated_at: Instant = Field(description="When it was last changed.")


class NewSubscription(Subscription):
    """The only answer that shows the signing secret.

    A repetition with the same `Idempotency-Key` omits it: if the first answer was lost, delete this subscription and
    create another.
    """

    secret: str | None = Field(default=None, description="The signing secret (`whsec_…`), shown only here.")


class SecretRotation(ApiModel):
    """How to replace a signing secret."""

    overlap_hours: int = Field(
        default=24, ge=0, le=168, description="How many hours the former secret signs too; 0 if it is in wrong hands."
    )


class RotatedSubscription(Subscription):
    """The only answer that shows the new signing secret.

    A repetition with the same `Idempotency-Key` omits it: if the first answer was lost, rotate again.
    """

    secret: str | None = Field(default=None, description="The new signing secret (`whsec_…`), shown only here.")


class SubscriptionPage(ApiModel):
    """A page of subscriptions."""

    items: list[Subscription] = Field(description="The subscriptions of this page.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


class SubscriptionSummary(ApiModel):
    """The status of a subscription, without its URL and filter."""

    id: str = Field(description="The id.")
    organisation: str = Field(description="The id of its organisation.")
    status: SubscriptionStatus = Field(description="Whether events are sent.")
    disabled_reason: DisabledReason | None = Field(description="Why it is disabled; null: it is active.")
    last_number: int = Field(description="The number of its last delivery.")
    created_at: Instant = Field(description="When it was created.")
    updated_at: Instant = Field(description="When it was last changed.")


class SubscriptionSummaryPage(ApiModel):
    """A page of summaries."""

    items: list[SubscriptionSummary] = Field(description="The summaries of this page.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")
