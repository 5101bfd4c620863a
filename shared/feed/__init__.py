"""The feed: every committed change of a service, in commit order and without gaps. Consumers synchronise by it."""

from shared.feed.changes import Change, Facets, Reader, Visibility
from shared.feed.log import Entry, FeedLog, Position

__all__ = ["Change", "Entry", "Facets", "FeedLog", "Position", "Reader", "Visibility"]
