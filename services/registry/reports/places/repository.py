"""SQL for places in reports."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.enrolment.tables import enrolment_cohorts, enrolment_places, enrolment_steps
from services.registry.reports.model import Selection
from services.registry.safety_holds.tables import safety_holds
from services.registry.trials.tables import sites, trials
from shared.vocabulary.recruitment import CLOSED_STATUSES, OPEN_STATUSES

_PLACES, _STEPS, _COHORTS, _SITES, _HOLDS = (
    enrolment_places.c, enrolment_steps.c, enrolment_cohorts.c, sites.c, safety_holds.c
)  # fmt: skip
# The states of a place → how reports name them.
_STATES: Final[Mapping[str, str]] = {
    "used": "dosed", "confirmed": "included", "held": "held", "decision_due": "decision_due", "waiting": "waiting",
    "expired": "expired", "given_back": "given_back",
}  # fmt: skip
_WAITING: Final = "waiting"


class PlaceReportRepository:
    """Places in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def places(self, selection: Selection) -> dict[str, int]:
        """Return how many places asked for within a selection stand in each state on its last day."""
        last = (
            select(_STEPS.subject, func.max(_STEPS.number).label("number"))
            .where(_STEPS.on <= selection.today)
            .group_by(_STEPS.subject)
            .subquery()
        )
        statement = (
            select(_STEPS.state, func.count().label("places"))
            .join(last, and_(last.c.subject == _STEPS.subject, last.c.number == _STEPS.number))
            .join(enrolment_places, _PLACES.referral == _STEPS.subject)
            .where(*_asked_in(selection))
            .group_by(_STEPS.state)
        )
        found = {row.state: row.places for row in await self.connection.execute(statement)}
        return {name: found.get(state, 0) for state, name in _STATES.items()}

    async def waits(self, selection: Selection) -> dict[str, int]:
        """Return how many waits for a place there were, in how many the patient died, and in how many it became late.

        Late: the last day on which a place was of use passed before one was given.
        """
        after = enrolment_steps.alias("after")
        following = and_(
            after.c.subject == _STEPS.subject,
            after.c.number == _STEPS.number + 1,
            after.c.on <= selection.today,
        )
        died = and_(after.c.state == "given_back", after.c.reason == "died")
        until = func.coalesce(after.c.on, selection.today)
        statement = (
            select(
                func.count().label("waited"),
                func.sum(case((died, 1), else_=0)).label("died"),
                func.sum(case((_PLACES.limit_on < until, 1), else_=0)).label("aged_out"),
            )
            .select_from(enrolment_steps)
            .join(enrolment_places, _PLACES.referral == _STEPS.subject)
            .outerjoin(after, following)
            .where(_STEPS.state == _WAITING, _STEPS.on <= selection.today, *_asked_in(selection))
            .where(or_(after.c.state.is_(None), after.c.state != _WAITING))
        )
        row = (await self.connection.execute(statement)).one()
        return {"waited": row.waited, "died": row.died or 0, "aged_out": row.aged_out or 0}

    async def recruiting(self, centre: str | None) -> dict[str, bool]:
        """Return the public trials with an open site in France, and whether one of these has a free place.

        A safety hold in force there leaves none.
        """
        free = exists().where(
            _COHORTS.trial_key == _SITES.trial_key,
            _COHORTS.centre == _SITES.centre,
            _COHORTS.taken < _COHORTS.offered,
            ~exists().where(_HOLDS.trial_key == _SITES.trial_key, _HOLDS.lifted_at.is_(None), _stops_the_cohort()),
        )
        statement = (
            select(_SITES.trial_key, func.max(case((free, 1), else_=0)).label("free"))
            .join(trials, trials.c.key == _SITES.trial_key)
            .where(_SITES.status.in_(OPEN_STATUSES), trials.c.status.not_in(CLOSED_STATUSES))
            .where(trials.c.published.is_(True), trials.c.demo.is_(False), trials.c.merged_into.is_(None))
            .group_by(_SITES.trial_key)
        )
        if centre is not None:
            statement = statement.where(_SITES.centre == centre)
        return {row.trial_key: bool(row.free) for row in await self.connection.execute(statement)}

    async def offered(self, centre: str | None) -> int:
        """Return how many places are offered now."""
        statement: Select[Any] = select(func.coalesce(func.sum(_COHORTS.offered), 0))
        if centre is not None:
            statement = statement.where(_COHORTS.centre == centre)
        return int((await self.connection.execute(statement)).scalar_one())


def _asked_in(selection: Selection) -> list[ColumnElement[bool]]:
    first, after = (datetime.combine(day, time(), UTC) for day in selection.days)
    found = [_PLACES.requested_at >= first, _PLACES.requested_at < after]
    return found if selection.centre is None else [*found, _PLACES.centre == selection.centre]


def _stops_the_cohort() -> ColumnElement[bool]:
    return or_(
        _HOLDS.scope.in_(("trial", "product")),
        and_(_HOLDS.scope == "country", _HOLDS.target == "FR"),
        and_(_HOLDS.scope == "site", _HOLDS.target == _SITES.centre),
        and_(_HOLDS.scope == "cohort", _HOLDS.target == _COHORTS.cohort),
    )
