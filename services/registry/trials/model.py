"""Stored trials and sites, and the filters of a search."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.registry.model.site import CohortStatus, Site, SiteState, Slots
from services.registry.model.trial import ScopeAnswer, Trial
from shared.feed.changes import TRIAL_FACET, Routing
from shared.vocabulary.durations import STALE_AFTER
from shared.vocabulary.identifiers import is_trial_id
from shared.vocabulary.recruitment import RecruitmentStatus


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """A stored trial. ``origins``: where each part of it comes from (`statements.model.dump_origins`).

    ``rules``: by which it was merged last (`TrialRules.version`). ``merged_into``: the trial that answers in its place.
    ``names``: its aliases, where they are no longer those of its ``routing``: the next version has them.
    """

    trial: Trial
    routing: Routing
    origins: str = "{}"
    rules: str = ""
    merged_into: str | None = None
    names: frozenset[str] | None = None

    @property
    def key(self) -> str:
        return self.trial.id

    @property
    def aliases(self) -> frozenset[str]:
        """The names by which it is found, also former ones."""
        return self.routing.facets[TRIAL_FACET] if self.names is None else self.names

    @property
    def is_renamed(self) -> bool:
        """Whether its aliases are no longer those of its routing."""
        return self.names is not None and self.names != self.routing.facets.get(TRIAL_FACET)

    @property
    def merged(self) -> tuple[str, ...]:
        """The keys of the trials that are merged into it, directly or not: their ids are its aliases."""
        return tuple(sorted(alias for alias in self.aliases if is_trial_id(alias) and alias != self.key))


@dataclass(frozen=True, slots=True)
class Cause:
    """What makes a version of a trial: a source, a person or other rules.

    ``source``: the source of a record; `curated`: a person's statement or decision; `declared`: a site; `rules`: other
    rules of merging or scope. ``author``: as in the audit log; None: not a person.
    """

    source: str
    author: str | None = None


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
    ``confirmed_at``: when the declared status was true. ``declared_for``: the trial for which it was declared, while
    that is merged into this one.
    """

    centre: str
    version: int
    confirmed_at: datetime | None = None
    slots: tuple[Slots, ...] = ()
    declared_status: RecruitmentStatus | None = None
    source_status: RecruitmentStatus | None = None
    declared_by: str | None = None
    declared_at: datetime | None = None
    declared_for: str | None = None

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
            row.declared_for,
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
            cohorts=self.cohorts,
            stale=is_stale(self.confirmed_at, now),
        )

    @property
    def is_known(self) -> bool:
        """Whether something is declared, or a source names the site. If not, it is no site of the trial any more."""
        return self.declared_status is not None or self.source_status is not None

    @property
    def cohorts(self) -> list[CohortStatus]:
        """The cohorts with a status of their own."""
        return [CohortStatus(cohort=one.cohort, status=one.status) for one in self.slots if one.status is not None]

    def state(self, *, with_slots: bool) -> SiteState:
        """Return what is known of it. ``with_slots``: whether the reader may see the open places."""
        return SiteState(
            status=self.status,
            declared_status=self.declared_status,
            source_status=self.source_status,
            confirmed_at=self.confirmed_at,
            slots=list(self.slots) if with_slots else None,
            cohorts=self.cohorts,
        )


def is_stale(confirmed_at: datetime | None, now: datetime) -> bool:
    """Return whether a site was not confirmed within the past 30 days."""
    return confirmed_at is None or now - confirmed_at > STALE_AFTER
