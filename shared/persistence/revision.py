"""The revision of a database: a number that changes whenever a committed transaction changed the feed."""

from time import monotonic

# On PostgreSQL other replicas commit too. After this time without a confirmation there may be an unknown change.
CONFIRMED_SECONDS = 1.0


class Revision:
    """Counts the changes that this process knows of. ``shared``: other processes write too, so it must be confirmed."""

    def __init__(self, *, shared: bool) -> None:
        self._shared = shared
        self._number = 0
        self._position: object = None
        self._confirmed_at = float("-inf")

    def advance(self) -> None:
        """A change was committed, here or elsewhere."""
        self._number += 1

    def confirm(self, position: object, asked_at: float) -> None:
        """Record where the feed is, as asked at ``asked_at`` (seconds of `time.monotonic`)."""
        if position != self._position:
            self._position = position
            self.advance()
        self._confirmed_at = asked_at

    def current(self) -> int | None:
        """Return the present revision; None: a change elsewhere may have been missed."""
        if self._shared and monotonic() - self._confirmed_at > CONFIRMED_SECONDS:
            return None
        return self._number
