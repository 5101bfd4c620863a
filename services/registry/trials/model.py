"""Stored trials and sites, and the filters of a search."""

from dataclasses import dataclass
from datetime import datetime

from services.registry.model.site import Site, Slots
from services.registry.model.trial import Trial
from shared.feed.changes import TRIAL_FACET, Routing
from shared.vocabulary.durations import STALE_AFTER
from shared.vocabulary.recruitment import RecruitmentStatus


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """A stored trial. ``curated``: a person edited it, so a source no longer overwrites its fields."""

    trial: Trial
    routing: Routing
    curated: bool

    @property
    def key(self) -> str:
        return self.trial.id

    @property
    def aliases(self) -> frozenset[str]:
        """The names by which it is found, also former ones."""
        return self.routing.facets[TRIAL_FACET]


@dataclass(frozen=True, slots=True)
class StoredSite:
    """A trial at a member centre, as last declared or imported."""

    centre: str
    version: int
    status: RecruitmentStatus
    confirmed_at: datetime | None
    slots: tuple[Slots, ...]

    def document(self, trial: str, now: datetime, *, with_slots: bool) -> Site:
        """Return the site as readers get it at ``now``. ``with_slots``: whether the reader may see the open places."""
        return Site(
            trial=trial,
            centre=self.centre,
            version=self.version,
            status=self.status,
            confirmed_at=self.confirmed_at,
            slots=list(self.slots) if with_slots else None,
            stale=self.confirmed_at is None or now - self.confirmed_at > STALE_AFTER,
        )
