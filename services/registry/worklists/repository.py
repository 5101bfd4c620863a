"""SQL for what is due about places, sites and feasibility: one statement for each kind of reader."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Select, String, and_, bindparam, cast, literal, null, select, type_coerce, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.capabilities.tables import capabilities
from services.registry.enrolment.tables import enrolment_cohorts, enrolment_places, enrolment_staggering
from services.registry.feasibility.tables import feasibility_requests
from services.registry.trials.tables import sites, trials
from shared.persistence import UtcInstant

_PLACES, _COHORTS, _STAGGERING = enrolment_places.c, enrolment_cohorts.c, enrolment_staggering.c
_REQUESTS, _CAPABILITIES = feasibility_requests.c, capabilities.c
_NO_NAME, _NO_DAY = cast(null(), String), cast(null(), Date)
_NO_INSTANT = type_coerce(cast(null(), String), UtcInstant)
_CENTRE, _OWNER = bindparam("centre", type_=String), bindparam("owner", type_=String)
_OF_COHORT = and_(*(_COHORTS[name] == _PLACES[name] for name in ("trial_key", "centre", "cohort")))


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is due. ``name``: of a referral, a cohort or a dossier, as the kind says.

    ``day``, ``at``: when; None: no day is set. ``days``: to add to the day.
    """

    kind: str
    trial: str | None
    centre: str | None
    name: str | None
    day: date | None
    at: datetime | None
    days: int | None


def _row(kind: str, trial: Any, centre: Any, name: Any = _NO_NAME, **when: Any) -> Select[Any]:
    return select(
        literal(kind, String).label("kind"),
        trial.label("trial"),
        centre.label("centre"),
        name.label("name"),
        when.get("day", _NO_DAY).label("day"),
        when.get("at", _NO_INSTANT).label("at"),
        when.get("days", cast(null(), _STAGGERING.interval_days.type)).label("days"),
    )


def _decisions(allocation: str, name: Any) -> Select[Any]:
    return (
        _row("place_decision", _PLACES.trial_key, _PLACES.centre, name)
        .join(enrolment_cohorts, _OF_COHORT)
        .where(_PLACES.state == "decision_due", _COHORTS.allocation == allocation)
    )


def _to_assign(allocation: str) -> Select[Any]:
    return _row("place_to_assign", _COHORTS.trial_key, _COHORTS.centre, _COHORTS.cohort).where(
        _COHORTS.waiting > 0, _COHORTS.taken < _COHORTS.offered, _COHORTS.allocation == allocation
    )


_EXPIRING = _row("expiring_place", _PLACES.trial_key, _PLACES.centre, _PLACES.referral, at=_PLACES.expires_at).where(
    _PLACES.centre == _CENTRE, _PLACES.state == "held", _PLACES.expires_at < bindparam("soon", type_=UtcInstant)
)
_STALE = (
    _row("stale_site", sites.c.trial_key, sites.c.centre, at=sites.c.confirmed_at)
    .join(trials, trials.c.key == sites.c.trial_key)
    .where(sites.c.centre == _CENTRE, sites.c.confirmed_at < bindparam("stale", type_=UtcInstant))
    .where(sites.c.declared_status.is_not(None), trials.c.merged_into.is_(None))
)
_TO_ANSWER = _row(
    "feasibility_to_answer", _NO_NAME, _REQUESTS.centre, _REQUESTS.submission, day=_REQUESTS.deadline
).where(_REQUESTS.centre == _CENTRE, _REQUESTS.deadline.is_not(None))
_ENDING = _row(
    "capability_expiring", _NO_NAME, _CAPABILITIES.centre, _CAPABILITIES.code, day=_CAPABILITIES.valid_until
).where(
    _CAPABILITIES.centre == _CENTRE,
    _CAPABILITIES.held.is_(True),
    _CAPABILITIES.removed.is_(False),
    _CAPABILITIES.valid_until <= bindparam("ahead", type_=Date),
)
_OF_CENTRE = union_all(
    _EXPIRING,
    _decisions("centre", _PLACES.referral).where(_PLACES.centre == _CENTRE),
    _to_assign("centre").where(_COHORTS.centre == _CENTRE),
    _STALE,
    _TO_ANSWER,
    _ENDING,
)
_OWNED = trials.c.owner == _OWNER
# A sponsor gets cohorts, and no referral.
_OF_OWNER = union_all(
    _row(
        "release",
        _STAGGERING.trial_key,
        _NO_NAME,
        _STAGGERING.cohort,
        day=_STAGGERING.last_dosed_on,
        days=_STAGGERING.interval_days,
    )
    .join(trials, trials.c.key == _STAGGERING.trial_key)
    .where(_OWNED, _STAGGERING.needs_decision.is_(True), _STAGGERING.decided_on.is_(None))
    .where(_STAGGERING.last_dosed_on.is_not(None)),
    _decisions("sponsor", _PLACES.cohort).join(trials, trials.c.key == _PLACES.trial_key).where(_OWNED).distinct(),
    _to_assign("sponsor").join(trials, trials.c.key == _COHORTS.trial_key).where(_OWNED),
)


class DueRepository:
    """What is due in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def of_centre(self, centre: str, soon: datetime, stale: datetime, ahead: date) -> list[Due]:
        """Return what a centre has to do.

        ``soon``: places that expire before it are shown; ``stale``: sites that were confirmed before it; ``ahead``:
        capabilities that end until then.
        """
        values = {"centre": centre, "soon": soon, "stale": stale, "ahead": ahead}
        found = await self.connection.execute(_OF_CENTRE, values)
        return [Due(*row) for row in found]

    async def of_owner(self, owner: str) -> list[Due]:
        """Return what an organisation has to do in the trials that it owns."""
        return [Due(*row) for row in await self.connection.execute(_OF_OWNER, {"owner": owner})]
