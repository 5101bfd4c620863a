"""Request and response bodies about e-mail subscriptions."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import BeforeValidator, Field, StringConstraints

from services.notifications.subscriptions.frequency import Frequency
from services.notifications.subscriptions.schemas import SubscriptionFilter
from shared.values.forms import described
from shared.values.language import Language
from shared.values.wire import ApiModel, Instant
from shared.vocabulary.events import EventType

MailSubscriptionId = Annotated[str, Path(max_length=36, description="The id of the e-mail subscription.")]
MailStatus = Literal["unconfirmed", "active", "disabled"]
MailDisabledReason = Literal["owner", "refused"]

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = rf"^{_ATOM}(\.{_ATOM})*@({_LABEL}\.)+[A-Za-z][A-Za-z0-9-]{{0,61}}[A-Za-z0-9]$"


def _ascii_domain(address: object) -> object:
    """Write the domain of an address in ASCII (IDNA): ``hôpital.example`` is ``xn--hpital-ixa.example``."""
    if not isinstance(address, str) or address.isascii():
        return address
    name, at, domain = address.rpartition("@")
    try:
        return f"{name}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return address


Address = Annotated[
    str,
    StringConstraints(
        max_length=254,
        pattern=described(
            _ADDRESS,
            fr="une adresse électronique seule, p. ex. recherche@hopital.example",
            en="an e-mail address alone, e.g. research@hospital.example",
        ),
    ),
    BeforeValidator(_ascii_domain),
]


class EmailChannel(ApiModel):
    """Messages to one address."""

    type: Literal["email"] = Field(description="The kind of channel.")
    address: Address = Field(
        description="The address, of a member or a mailbox of the organisation. It gets nothing but a request for its "
        "consent until it has agreed."
    )
    language: Language = Field(default="fr", description="The language of the messages.")
    frequency: Frequency = Field(
        default="immediate",
        description="`immediate`: within seconds; `daily`: every morning at 07:00, `weekly`: on Mondays at 07:00, in "
        "French time, if there is anything.",
    )


class MailSubscriptionInput(ApiModel):
    """An e-mail subscription to create."""

    channel: EmailChannel = Field(description="Where, how often and in which language messages are sent.")
    types: list[EventType] = Field(default=[], max_length=50, description="The types of events; empty: all.")
    filter: SubscriptionFilter = Field(default=SubscriptionFilter(), description="Which events are sent; empty: all.")


class MailSubscriptionUpdate(MailSubscriptionInput):
    """The new content of an e-mail subscription. Its address stays."""

    status: Literal["active", "disabled"] = Field(
        default="active", description="`disabled`: deliveries wait until it is `active` again."
    )


class MailSubscription(ApiModel):
    """An e-mail subscription."""

    id: str = Field(description="The id.")
    version: int = Field(description="The version, as in the `ETag`; each change raises it by one.")
    status: MailStatus = Field(
        description="`unconfirmed`: the address has not agreed yet. It gets what happens after it has; if it has not "
        "after seven days, the subscription is deleted."
    )
    disabled_reason: MailDisabledReason | None = Field(
        description="Why it is disabled: by its `owner`, or because three messages in a row were `refused` for good; "
        "null: it is not."
    )
    channel: EmailChannel = Field(description="Where, how often and in which language messages are sent.")
    types: list[str] = Field(description="The types of events; empty: all.")
    filter: SubscriptionFilter = Field(description="Which events are sent; empty: all.")
    last_number: int = Field(description="The number of its last delivery.")
    confirmed_at: Instant | None = Field(description="When the address agreed; null: it has not.")
    created_at: Instant = Field(description="When it was created.")
    updated_at: Instant = Field(description="When it was last changed.")


class MailSubscriptionPage(ApiModel):
    """A page of e-mail subscriptions."""

    items: list[MailSubscription] = Field(description="The e-mail subscriptions of this page.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")
