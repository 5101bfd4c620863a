"""Stored trials and sites, and the filters of a search."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.registry.model.site import Site, Slots
from services.registry.model.trial import ScopeAnswer, Trial
from shared.feed.changes import TRIAL_FACET, Routing
from shared.vocabulary.durations import STALE_AFTER
from shared.vocabulary.recruitment import RecruitmentStatus


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """A stored trial. ``origins``: where each part of it comes from (`statements.model.dump_origins`)."""

    trial: Trial
    routing: Routing
    origins: str = "{}"

    @property
    def key(self) -> str:
        return self.trial.id

    @property
    def aliases(self) -> frozenset[str]:
        """The names by which it is found, also former ones."""
        return self.routing.facets[TRIAL_FACET]


@dataclass(frozen=True, slots=True)
class Head:
    """What names a trial, without reading it. ``scope``: of a trial that is not published; of others it is known."""

    key: str
    identifier: str
    scope: ScopeAnswer | None


@dataclass(frozen=True, slots=True)
class StoredSite:
    """A trial at a member centre: what the centre or the coordination declared, and what the sources say of it.

    ``declared_status``: None where nothing was declared; ``source_status``: None where no source names the site.
    ``confirmed_at``: when the declared status was true.
    """

    centre: str
    version: int
    confirmed_at: datetime | None = None
    slots: tuple[Slots, ...] = ()
    declared_status: RecruitmentStatus | None = None
    source_status: RecruitmentStatus | None = None
    declared_by: str | None = None
    declared_at: datetime | None = None

    @classmethod
    def of_row(cls, row: Any) -> "StoredSite":
        """Return a site from its row in the database."""
        return cls(
            row.centre,
            row.version,
            row.confirmed_at,
            tuple(Slots(**one) for one in json.loads(row.slots)),
            row.declared_status,
            row.source_status,
            row.declared_by,
            row.declared_at,
        )

    @property
    def status(self) -> RecruitmentStatus:
        """The effective status: a source never overrules what was declared."""
        return self.declared_status or self.source_status or "unknown"

    def document(self, trial: str, now: datetime, *, with_slots: bool) -> Site:
        """Return the site as readers get it at ``now``. ``with_slots``: whether the reader may see the open places."""
        return Site(
            trial=trial,
            centre=self.centre,
            version=self.version,
            status=self.status,
            declared_status=self.declared_status,
            source_status=self.source_status,
            confirmed_at=self.confirmed_at,
            slots=list(self.slots) if with_slots else None,
            stale=self.confirmed_at is None or now - self.confirmed_at > STALE_AFTER,
        )
