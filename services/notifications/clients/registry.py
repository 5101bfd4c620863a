"""The registry's feed, read as an internal service."""

from shared.clients.feed import FeedTail
from shared.clients.internal import InternalClient

FEED = "/registry/v1/feed"


def registry_tail(client: InternalClient, wait: int) -> FeedTail:
    """Return a reader of the registry's feed; ``wait``: seconds of a long poll."""
    return FeedTail(client, FEED, wait)
