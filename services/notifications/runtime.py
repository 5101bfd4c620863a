"""The parts of the running service that its endpoints use, in one typed attribute (``app.state.runtime``)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from services.notifications.link_tokens import MailTokens
from shared.clients.outbound import OutboundClient
from shared.http.limits.buckets import Buckets
from shared.persistence import Database
from shared.values.encryption import Seal


@dataclass(frozen=True, slots=True)
class Runtime:
    """``cipher`` encrypts signing secrets; ``wake_dispatcher`` looks for due deliveries now.

    ``mail_tokens`` makes the links in messages; ``can_mail``: whether there is a mail server. ``public_requests``:
    counts the requests for e-mail of each caller without an account.
    """

    database: Database
    outbound: OutboundClient
    cipher: Seal
    wake_dispatcher: Callable[[], None]
    subscriptions_per_organisation: int
    mail_tokens: MailTokens
    can_mail: bool
    public_requests: Buckets = field(default_factory=Buckets)


def _runtime(request: Request) -> Runtime:
    found: Runtime = request.app.state.runtime
    return found


Running = Annotated[Runtime, Depends(_runtime)]
