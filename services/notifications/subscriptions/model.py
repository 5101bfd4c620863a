"""A subscription as the sequencer reads it: which events reach it, and in which form."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.feed import Reader, Visibility
from shared.feed.changes import Routing

# Two services' clocks differ: an event from just before the subscription is told rather than missed.
CLOCK_DIFFERENCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who is told what. ``trials`` empty: any."""

    id: str
    since: datetime
    reader: Reader
    trials: frozenset[str]

    def sees(self, event_type: str, subject: str, before: Routing, after: Routing, at: datetime) -> Visibility:
        """What this subscriber learns of an event, from the two sides that a feed tells to services."""
        if at < self.since - CLOCK_DIFFERENCE or (self.trials and trial_of(subject) not in self.trials):
            return Visibility.NOTHING
        return self.reader.sees(event_type, before, after)


def trial_of(subject: str) -> str | None:
    """The trial in ``trial/<id>`` or ``site/<id>/<centre>``."""
    kind, _, rest = subject.partition("/")
    if kind == "trial":
        return rest
    return rest.rpartition("/")[0] if kind == "site" else None
