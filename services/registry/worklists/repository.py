"""SQL for what worklists show of places."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.enrolment.tables import enrolment_cohorts, enrolment_places, enrolment_staggering
from services.registry.trials.tables import trials

_PLACES, _COHORTS, _STAGGERING = enrolment_places.c, enrolment_cohorts.c, enrolment_staggering.c


@dataclass(frozen=True, slots=True)
class PlaceDue:
    """A place, or a cohort, of which something is due."""

    trial: str
    centre: str | None
    cohort: str
    referral: str | None
    at: date | None


class PlacesDueRepository:
    """What is due about places in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def expiring(self, centre: str, before: datetime) -> list[PlaceDue]:
        """Return the places held at a centre that expire before an instant."""
        mine = (_PLACES.centre == centre, _PLACES.expires_at < before, _PLACES.state == "held")
        rows = await self.connection.execute(select(enrolment_places).where(*mine))
        return [PlaceDue(row.trial_key, row.centre, row.cohort, row.referral, row.expires_at.date()) for row in rows]

    async def decisions(self, *, centre: str | None = None, owner: str | None = None) -> list[PlaceDue]:
        """Return the places on which a decision is due, of those who allocate: a centre, or the owner of trials."""
        of_cohort = [_COHORTS[name] == _PLACES[name] for name in ("trial_key", "centre", "cohort")]
        statement = (
            select(_PLACES.trial_key, _PLACES.centre, _PLACES.cohort, _PLACES.referral)
            .join(enrolment_cohorts, and_(*of_cohort))
            .where(_PLACES.state == "decision_due", _COHORTS.allocation == _allocation(owner))
        )
        found = await self.connection.execute(_of(statement, _PLACES, centre, owner))
        return [PlaceDue(row.trial_key, row.centre, row.cohort, row.referral, None) for row in found]

    async def to_assign(self, *, centre: str | None = None, owner: str | None = None) -> list[PlaceDue]:
        """Return the cohorts with a free place for which someone waits: the centre or the sponsor assigns it."""
        statement = select(_COHORTS.trial_key, _COHORTS.centre, _COHORTS.cohort).where(
            _COHORTS.waiting > 0,
            _COHORTS.taken < _COHORTS.offered,
            _COHORTS.allocation == _allocation(owner),
        )
        found = await self.connection.execute(_of(statement, _COHORTS, centre, owner))
        return [PlaceDue(row.trial_key, row.centre, row.cohort, None, None) for row in found]

    async def releases(self, owner: str) -> list[PlaceDue]:
        """Return the staggered cohorts of an owner that wait for its decision after a dosing."""
        statement = select(enrolment_staggering).where(
            _STAGGERING.needs_decision.is_(True),
            _STAGGERING.decided_on.is_(None),
            _STAGGERING.last_dosed_on.is_not(None),
        )
        found = await self.connection.execute(_of(statement, _STAGGERING, None, owner))
        return [
            PlaceDue(row.trial_key, None, row.cohort, None, row.last_dosed_on + timedelta(days=row.interval_days))
            for row in found
        ]


def _allocation(owner: str | None) -> str:
    return "centre" if owner is None else "sponsor"


def _of(statement: Any, columns: Any, centre: str | None, owner: str | None) -> Any:
    """Narrow a statement to a centre, or to the trials of an owner."""
    condition: ColumnElement[bool] = columns.centre == centre if owner is None else trials.c.owner == owner
    return statement.join(trials, trials.c.key == columns.trial_key).where(condition)
