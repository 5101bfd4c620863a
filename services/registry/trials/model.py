"""Stored trials and sites, and the filters of a search."""

from dataclasses import dataclass
from datetime import datetime

from services.registry.model.trial import Site, Slots, Trial
from shared.feed.changes import Routing
from shared.vocabulary.durations import STALE_AFTER
from shared.vocabulary.recruitment import RecruitmentStatus


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """A stored trial. ``curated``: a person edited it, so a source no longer overwrites its fields."""

    key: str
    trial: Trial
    routing: Routing
    curated: bool


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
