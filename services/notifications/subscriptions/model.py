"""Which events reach a subscription, and in which form."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.feed import Reader, Visibility
from shared.feed.changes import Routing

# The clocks of two services differ: an event from just before the subscription is sent rather than missed.
CLOCK_DIFFERENCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscription as the sequencer uses it: created at ``since``; ``trials`` empty means any trial."""

    id: str
    since: datetime
    reader: Reader
    trials: frozenset[str]

    def sees(self, event_type: str, subject: str, before: Routing, after: Routing, at: datetime | None) -> Visibility:
        """Return what it receives of an event.

        :param before: who may see the subject before the change, and ``after`` it.
        :param at: the time of an event that may be older than the subscription; None: it is known to be newer.
        """
        if at is not None and at < self.since - CLOCK_DIFFERENCE:
            return Visibility.NOTHING
        if self.trials and trial_of(subject) not in self.trials:
            return Visibility.NOTHING
        return self.reader.sees(event_type, before, after)


def trial_of(subject: str) -> str | None:
    """Return the trial in ``trial/<id>`` or ``site/<id>/<centre>``; None for other subjects."""
    kind, _, rest = subject.partition("/")
    if kind == "trial":
        return rest
    return rest.rpartition("/")[0] if kind == "site" else None
