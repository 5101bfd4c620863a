"""The feed: every change a service commits, in commit order, gapless, read over HTTP by whoever may see it. It is the only sync path there is."""

from shared.feed.changes import Change, Facets, Reader, Visibility, to_cloudevent
from shared.feed.log import Entry, FeedLog, Position

__all__ = ["Change", "Entry", "Facets", "FeedLog", "Position", "Reader", "Visibility", "to_cloudevent"]
