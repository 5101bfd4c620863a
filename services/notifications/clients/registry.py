"""What notifications reads from the registry: its feed, as the internal service."""

from shared.clients.feed import FeedTail
from shared.clients.internal import InternalClient

FEED = "/registry/v1/feed"


def registry_tail(client: InternalClient, wait: int) -> FeedTail:
    """The registry's feed from its beginning on."""
    return FeedTail(client, FEED, wait)
