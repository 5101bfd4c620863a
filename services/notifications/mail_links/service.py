"""Decisions about the links in messages. The token is the authority: it was sent to the address itself."""

from services.notifications.link_tokens import Act, MailTokens
from services.notifications.mail.repository import MailRepository
from services.notifications.mail_links.problems import LinkExpiredError
from shared.persistence import Writing
from shared.values.clock import Clock, utc_now
from shared.values.problems import NotFoundError, StaleVersionError


class MailLinkService:
    """Follows links, in one transaction of the service itself."""

    def __init__(self, connection: Writing, tokens: MailTokens, clock: Clock = utc_now) -> None:
        self._mail = MailRepository(connection)
        self._tokens = tokens
        self._clock = clock

    async def is_done(self, act: Act, token: str) -> bool:
        """Return whether what the link does is done already.

        :raises NotFoundError: 404, no such link, or nothing to confirm.
        :raises LinkExpiredError: 410.
        """
        found = await self._mail.get(self._subscription(act, token))
        if found is None and act == "confirm":
            raise NotFoundError
        return found is None or (act == "confirm" and found.confirmed_at is not None)

    async def confirm(self, token: str) -> None:
        """Make a subscription active, because its address agreed.

        :raises NotFoundError, LinkExpiredError: as `is_done`.
        :raises StaleVersionError: 412, its owner changed it at the same moment.
        """
        found = await self._mail.get(self._subscription("confirm", token))
        if found is None:
            raise NotFoundError
        if found.confirmed_at is None and not await self._mail.confirm(found, self._clock()):
            raise StaleVersionError

    async def unsubscribe(self, token: str) -> None:
        """Delete a subscription with its address, deliveries included; again it changes nothing.

        :raises NotFoundError: 404, no such link.
        """
        await self._mail.delete(self._subscription("unsubscribe", token))

    def _subscription(self, act: Act, token: str) -> str:
        read = self._tokens.read(act, token)
        if read is None:
            raise NotFoundError
        subscription, until = read
        if until is not None and until <= self._clock():
            raise LinkExpiredError
        return subscription
