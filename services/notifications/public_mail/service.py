"""Decisions about e-mail for anyone."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import get_args

from services.notifications.deliveries.service import deliver_own
from services.notifications.events.model import CONFIRM_TYPE, new_own_event
from services.notifications.mail.limits import DAY, RequestCount
from services.notifications.mail.problems import MailNotConfiguredError
from services.notifications.mail.repository import MailRepository, NewMailRow
from services.notifications.mail.schemas import EmailChannel, MailSubscriptionInput
from services.notifications.public_mail.schemas import PublicMailRequest
from services.notifications.subscriptions.schemas import SubscriptionFilter
from shared.persistence import Writing
from shared.values.clock import Clock, utc_now
from shared.values.problems import RateLimitedError
from shared.vocabulary.events import EventType

# No organisation can have this id.
OWNER = "(public)"
AUDIENCES = ("public",)
TYPES: list[EventType] = [
    one
    for one in get_args(EventType)
    if one in {"trial.published", "trial.status_changed", "trial.withdrawn", "site.opened", "site.closed"}
]
# Of one address: subscriptions. Of all: requests that wait for an answer.
OF_ADDRESS, WAITING = 20, 2_000
HOUR = timedelta(hours=1)


class PublicMailService:
    """Takes requests for e-mail, in one transaction of the service itself: their callers have no rows of their own."""

    def __init__(self, connection: Writing, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._clock = clock
        self._mail = MailRepository(connection)

    async def ask(
        self, asked: PublicMailRequest, installation: str, counts: Sequence[RequestCount], *, can_send: bool
    ) -> None:
        """Ask an address for its consent, unless it has agreed to the same, was just asked, or was asked too often.

        :param installation: the URI that names this installation in events.
        :param counts: what the request for consent counts for.

        :raises MailNotConfiguredError: 409, there is no mail server.
        :raises RateLimitedError: 429, too many addresses have not answered yet.
        """
        if not can_send:
            raise MailNotConfiguredError
        now = self._clock()
        if await self._mail.count_unconfirmed(OWNER) >= WAITING:
            raise RateLimitedError(int(DAY.total_seconds()))
        wanted = _subscription(asked)
        present = await self._mail.of_address(OWNER, asked.address)
        same = any(
            one.filter == wanted.filter and (one.confirmed_at is not None or one.created_at > now - HOUR)
            for one in present
        )
        if same or len(present) >= OF_ADDRESS:
            return
        requests = [(await self._mail.count_request(one.digest, now), one.most) for one in counts]
        if any(made > most for made, most in requests):
            return
        new_id = str(uuid.uuid4())
        await self._mail.add(NewMailRow(new_id, OWNER, AUDIENCES, now, silent=False), wanted)
        await deliver_own(self._connection, new_own_event(new_id, now, installation, CONFIRM_TYPE))


def _subscription(asked: PublicMailRequest) -> MailSubscriptionInput:
    return MailSubscriptionInput(
        channel=EmailChannel(type="email", address=asked.address, language=asked.language, frequency="daily"),
        types=TYPES,
        filter=SubscriptionFilter(
            condition=[asked.condition], departement=[asked.departement] if asked.departement else []
        ),
    )
