"""Which events reach a subscription, and in which form."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifications.subscriptions.frequency import Frequency
from shared.feed import Reader, Visibility
from shared.feed.changes import Routing

# The clocks of two services differ: an event from just before the subscription is sent rather than missed.
CLOCK_DIFFERENCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscription as the sequencer uses it: created at ``since``."""

    id: str
    since: datetime
    reader: Reader
    frequency: Frequency = "immediate"

    def sees(self, event_type: str, before: Routing, after: Routing, at: datetime | None) -> Visibility:
        """Return what it receives of an event.

        :param before: who may see the subject before the change, and ``after`` it.
        :param at: the time of an event that may be older than the subscription; None: it is known to be newer.
        """
        if at is not None and at < self.since - CLOCK_DIFFERENCE:
            return Visibility.NOTHING
        return self.reader.sees(event_type, before, after)
