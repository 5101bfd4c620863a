"""What connectors of registers have in common: they list what changed since a day, or everything."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar

from services.registry.synchronisation.connectors.fetching import Fetcher
from services.registry.synchronisation.model import Item, Page, Position
from services.registry.synchronisation.plan import SyncPlan


@dataclass(frozen=True, slots=True)
class DatedConnector:
    """A position has ``since`` (the day from which to list; null: everything), ``began`` and ``at`` (the page).

    The days of registers are days of change as they state them, not of publication: hence the overlap.
    """

    fetcher: Fetcher
    plan: SyncPlan

    default_query: ClassVar[str] = ""

    @property
    def query(self) -> str:
        return self.plan.query or self.default_query

    def first(self, cursor: str | None, today: date) -> Position:
        """Return where a listing begins. ``cursor``: a day; None: list everything."""
        since = None
        if cursor is not None:
            since = (date.fromisoformat(cursor) - timedelta(days=self.plan.overlap_days)).isoformat()
        return {"since": since, "began": today.isoformat(), "at": None}

    def listed(self, position: Position) -> bool:
        """Return whether the listing of a position is of everything."""
        return position["since"] is None

    def page(self, position: Position, items: list[Item], following: Any, total: int | None) -> Page:
        """Return a page. ``following``: the ``at`` of the next one; None: this is the last one."""
        if following is None:
            return Page(items, None, total, cursor=position["began"])
        return Page(items, {**position, "at": following}, total)
