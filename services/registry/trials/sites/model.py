"""Stored versions of sites, and sites whose declaration has become stale."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.registry.model.site import SiteState, SiteVersion
from services.registry.trials.model import StoredSite
from shared.feed.changes import Routing

Kind = Literal["declaration", "source", "earlier"]


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version of a site, with its open places. ``author``: None where a source changed it."""

    version: int
    at: datetime
    kind: Kind
    author: str | None
    state: SiteState

    def document(self, earlier: "StoredVersion | None", *, with_author: bool, with_slots: bool) -> SiteVersion:
        """Return the version as readers get it. ``earlier``: the one before, if the reader may see it."""
        return SiteVersion(
            version=self.version,
            at=self.at,
            by=self.kind,
            author=self.author if with_author else None,
            before=earlier.shown(with_slots=with_slots) if earlier else None,
            after=self.shown(with_slots=with_slots),
        )

    def shown(self, *, with_slots: bool) -> SiteState:
        """Return what was known, without the open places unless the reader may see them."""
        return self.state if with_slots else self.state.model_copy(update={"slots": None})


@dataclass(frozen=True, slots=True)
class StaleSite:
    """A site that nobody confirmed in time. ``identifier``, ``routing``: of its trial."""

    trial: str
    identifier: str
    routing: Routing
    site: StoredSite
