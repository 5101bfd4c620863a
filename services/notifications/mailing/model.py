"""What one message is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.notifications.deliveries.model import Attempt, Claim
from shared.values.language import Language


@dataclass(frozen=True, slots=True)
class Parcel:
    """The claimed deliveries of one subscription, which go into one message."""

    address: str
    language: Language
    claims: Sequence[Claim]

    @property
    def subscription(self) -> str:
        return self.claims[0].subscription


@dataclass(frozen=True, slots=True)
class Sent:
    """The result for one parcel: of all its deliveries. ``refused``: for good, by the server or for the address.

    ``attempt`` None: not tried.
    """

    parcel: Parcel
    attempt: Attempt | None
    refused: bool = False
