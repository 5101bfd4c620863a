"""The kinds of export, and one that has been built."""

from dataclasses import dataclass

from services.registry.export.files import ExportFile
from shared.access.policy import Access, Rows, decide
from shared.feed.log import Position


@dataclass(frozen=True, slots=True)
class ExportScope:
    """The content of an export: callers with the same scope read the same file.

    ``rows``: all trials or the published ones. ``demo``: demonstration trials too. ``slots``: open places of sites too.
    """

    rows: Rows
    demo: bool
    slots: bool

    @classmethod
    def of(cls, access: Access) -> "ExportScope":
        """Return what a caller may read. Demonstration trials are for the own services and coordination only."""
        sites = decide(access.principal, "read", "site")
        return cls(access.rows, "demo" in access.audiences, sites is not None and sites.fields == "all")


@dataclass(slots=True)
class ExportBuild:
    """A whole export.

    ``position``: of the feed, before anything was read. ``built_at``: when that was, and ``current_at``: when the feed
    was last known to be still there; both in seconds of a monotonic clock.
    """

    position: Position
    built_at: float
    current_at: float
    file: ExportFile
