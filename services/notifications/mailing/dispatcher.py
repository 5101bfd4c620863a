"""The loop that sends due deliveries by e-mail: all of a subscription in one message.

As with webhooks the ledger is the only queue: a claim is written before an attempt and its outcome after it.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Protocol

from services.notifications.deliveries.model import Attempt, Outcome, Settlement, settle
from services.notifications.deliveries.repository import DeliveryRepository
from services.notifications.mail.repository import MailRepository
from services.notifications.mailing.messages import Writer
from services.notifications.mailing.model import Parcel, Sent
from services.notifications.mailing.repository import MailingRepository
from shared.persistence import Database
from shared.tasks import BackgroundTasks, RepeatedTask
from shared.tracing import cause_of, working
from shared.values.clock import Clock, utc_now

logger = logging.getLogger(__name__)

# Messages at once, and events in one message: what is more goes into the next one.
AT_ONCE = 8
MOST_EVENTS = 200
CONFIRM_DAYS = 7
FORGET_SECONDS = 3600.0


class MailChannel(Protocol):
    """A way of sending messages."""

    async def send(self, message: EmailMessage, address: str) -> tuple[Attempt, bool]:
        """Make one attempt; return it, and whether it was refused for good."""


@dataclass(frozen=True, slots=True)
class MailPolicy:
    """Times in seconds. ``schedule``: the wait before each attempt. ``lease``: how long a claim lasts.

    ``collect``: how long a message waits for more events. ``sweep``: the pause between two looks.
    """

    schedule: Sequence[float]
    lease: float
    collect: float
    sweep: float


class MailDispatcher:
    """Claims, sends and records, until stopped. Several may share a ledger on PostgreSQL."""

    def __init__(
        self, database: Database, channel: MailChannel, writer: Writer, policy: MailPolicy, clock: Clock = utc_now
    ) -> None:
        self._database = database
        self._channel = channel
        self._writer = writer
        self._policy = policy
        self._clock = clock
        self._wake = asyncio.Event()
        self._sent: list[Sent] = []
        self._idle = asyncio.Lock()
        self._loops: list[RepeatedTask] = []

    def wake(self) -> None:
        """Look for due deliveries now."""
        self._wake.set()

    def start(self, tasks: BackgroundTasks) -> None:
        """Run. Claims of an earlier process are released by the dispatcher of webhooks, which starts first."""
        self._loops = [tasks.repeat(self._step, "mail"), tasks.repeat(self._forget, "mail_unconfirmed")]

    async def stop(self, patience: float) -> None:
        """Let messages in progress finish for ``patience`` seconds. Other claims are released at the next start."""
        try:
            async with asyncio.timeout(patience):
                await self._idle.acquire()
        except TimeoutError:
            logger.warning("mail_cut_off")
        for loop in self._loops:
            await loop.stop()

    async def _step(self) -> None:
        try:
            async with asyncio.timeout(self._policy.sweep):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
        while await self.send_due():
            pass

    async def send_due(self) -> int:
        """Send what is due for some subscriptions; return for how many."""
        async with self._idle:
            await self._record()
            parcels = await self._claim()
            self._sent = list(await asyncio.gather(*(self._send(parcel) for parcel in parcels)))
            await self._record()
            return len(parcels)

    async def _claim(self) -> list[Parcel]:
        """Claim what is due, for a few subscriptions. Most of the time nothing is: look without a write first."""
        now = self._clock()
        waited = now - timedelta(seconds=self._policy.collect)
        async with self._database.read() as connection:
            if not await MailingRepository(connection).ready(waited, 1):
                return []
        parcels = []
        async with self._database.transaction() as connection:
            for one in await MailingRepository(connection).ready(waited, AT_ONCE):
                claims = await DeliveryRepository(connection).claim(
                    one.ready, now, timedelta(seconds=self._policy.lease), MOST_EVENTS
                )
                if claims:
                    parcels.append(Parcel(one.address, one.language, claims))
        return parcels

    async def _send(self, parcel: Parcel) -> Sent:
        with working("mail", [cause_of(claim.delivery) for claim in parcel.claims]) as span:
            try:
                message = self._writer.write(parcel, self._clock(), self._clock() + timedelta(days=CONFIRM_DAYS))
                attempt, refused = await self._channel.send(message, parcel.address)
            except Exception:
                logger.exception("mail_broken", extra={"subscription": parcel.subscription})
                return Sent(parcel, Attempt(self._clock(), None, "internal", 0))
            if not attempt.succeeded:
                span["error.type"] = attempt.error or str(attempt.status)
        logger.info(
            "mail_attempt",
            extra={
                "subscription": parcel.subscription,
                "count": len(parcel.claims),
                "status": attempt.status,
                "code": attempt.error,
                "ms": attempt.ms,
            },
        )
        return Sent(parcel, attempt, refused)

    async def _record(self) -> None:
        """Write the outcomes. Those that could not be written are kept for the next time."""
        if not self._sent:
            return
        now = self._clock()
        async with self._database.transaction() as connection:
            # One chance for a message: its deliveries stay together.
            await DeliveryRepository(connection).record(
                [pair for sent in self._sent for pair in self._settled(sent, now)], now
            )
            mailing = MailingRepository(connection)
            await mailing.refused([one.parcel.subscription for one in self._sent if one.refused], now)
            await mailing.accepted(
                [one.parcel.subscription for one in self._sent if one.attempt is not None and one.attempt.succeeded]
            )
        self._sent = []

    def _settled(self, sent: Sent, now: datetime) -> list[tuple[Outcome, Settlement]]:
        chance = random.random()  # noqa: S311  # jitter
        outcomes = [Outcome(claim, sent.attempt) for claim in sent.parcel.claims]
        return [(one, settle(one, now, self._policy.schedule, chance)) for one in outcomes]

    async def _forget(self) -> None:
        """Delete subscriptions that their address did not confirm in time, and old counts of requests for consent."""
        async with self._database.transaction() as connection:
            before = self._clock() - timedelta(days=CONFIRM_DAYS)
            if count := await MailRepository(connection).delete_unconfirmed(before):
                logger.info("mail_unconfirmed_deleted", extra={"count": count})
            await MailRepository(connection).forget_requests(self._clock())
        await asyncio.sleep(FORGET_SECONDS)
