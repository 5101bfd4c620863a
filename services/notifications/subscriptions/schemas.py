"""Subscriptions on the wire."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.values.wire import ApiModel, Code, Instant
from shared.vocabulary.geography import Departement
from shared.vocabulary.identifiers import CentreId

EventType = Literal[
    "trial.published", "trial.updated", "trial.status_changed", "trial.withdrawn", "trial.merged", "trial.unmerged", "trial.safety_hold",
    "criteria.signed", "criteria.retracted", "site.opened", "site.slots_changed", "site.closed", "site.stale", "centre.updated",
    "submission.received", "submission.decided", "submission.withdrawn", "feasibility.requested", "feasibility.answered",
    "referral.sent", "referral.answered", "source.conflict", "source.synced", "terminology.updated", "client.revoked",
    "match.found", "match.changed", "match.lost",
]  # fmt: skip
SubscriptionStatus = Literal["active", "disabled"]
DisabledReason = Literal["owner", "gone"]

Url = Annotated[str, StringConstraints(min_length=8, max_length=2048)]
TrialId = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class WebhookChannel(ApiModel):
    """Signed POST requests to ``url`` (https), in the form of Standard Webhooks."""

    type: Literal["webhook"]
    url: Url


class SubscriptionFilter(ApiModel):
    """What the event's subject must be about: one value of each list that is not empty. A condition takes its descendants in."""

    condition: list[Code] = Field(default=[], max_length=50)
    age_band: list[Literal["child", "adult"]] = Field(default=[], max_length=2)
    departement: list[Departement] = Field(default=[], max_length=110)
    atmp_class: list[Literal["gene_therapy", "somatic_cell", "tissue_engineered"]] = Field(default=[], max_length=3)
    centre: list[CentreId] = Field(default=[], max_length=100)
    trial: list[TrialId] = Field(default=[], max_length=100)


class SubscriptionInput(ApiModel):
    """A wish to be told. No ``types`` means all of them."""

    channel: WebhookChannel
    types: list[EventType] = Field(default=[], max_length=50)
    filter: SubscriptionFilter = SubscriptionFilter()


class SubscriptionUpdate(SubscriptionInput):
    """The subscription as it shall be. Set to ``active`` again, it delivers what it held back."""

    status: SubscriptionStatus = "active"


class Subscription(ApiModel):
    """A subscription. ``disabled_reason``: its owner's wish, or the receiver answered 410."""

    id: str
    version: int
    status: SubscriptionStatus
    disabled_reason: DisabledReason | None
    channel: WebhookChannel
    types: list[EventType]
    filter: SubscriptionFilter
    last_number: int
    created_at: Instant
    updated_at: Instant


class NewSubscription(Subscription):
    """The only answer that ever shows the signing secret (``whsec_…``). Told again for the same key it is without: if the first answer was lost,
    delete this subscription and make another.
    """

    secret: str | None = None


class SubscriptionPage(ApiModel):
    items: list[Subscription]
    next: str | None


class SubscriptionSummary(ApiModel):
    """That a subscription is there and how it does; not where it leads, nor what its owner is interested in.

    ``last_number``: so many deliveries were numbered for it.
    """

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
