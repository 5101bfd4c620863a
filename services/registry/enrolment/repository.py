"""SQL for places: what is offered, the staggering of cohorts, and who has a place or waits."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.enrolment.model import Cohort, Counts, Place, Staggering
from services.registry.enrolment.rules import URGENCIES
from services.registry.enrolment.tables import (
    enrolment_cohorts,
    enrolment_places,
    enrolment_staggering,
    enrolment_steps,
)
from services.registry.steps.model import Step
from services.registry.steps.repository import StepRepository
from services.registry.trials.tables import trials
from shared.feed.changes import read_routing
from shared.values.clock import day_in_france
from shared.values.problems import StaleVersionError

_COHORTS, _PLACES, _STAGGERING = enrolment_cohorts.c, enrolment_places.c, enrolment_staggering.c
_KEY: dict[str, Any] = {
    "trial_key": bindparam("of_trial"),
    "centre": bindparam("of_centre"),
    "cohort": bindparam("of_cohort"),
}
_IS_COHORT = [enrolment_cohorts.c[name] == value for name, value in _KEY.items()]
_OF_COHORT = (_STAGGERING.trial_key == _COHORTS.trial_key) & (_STAGGERING.cohort == _COHORTS.cohort)
_STAGGERING_OF_COHORT = [
    column for column in enrolment_staggering.columns if column.name not in {"trial_key", "cohort"}
]
_EACH_COHORT = (
    select(enrolment_cohorts, trials.c.owner, trials.c.public_id, trials.c.side, *_STAGGERING_OF_COHORT)
    .join(trials, trials.c.key == _COHORTS.trial_key)
    .outerjoin(enrolment_staggering, _OF_COHORT)
)
_COHORT = _EACH_COHORT.where(*_IS_COHORT).with_for_update(of=enrolment_cohorts)
_STAGGERED = select(enrolment_staggering).where(
    _STAGGERING.trial_key == _KEY["trial_key"], _STAGGERING.cohort == _KEY["cohort"]
)
_COUNT = (
    update(enrolment_cohorts)
    .where(
        *_IS_COHORT,
        or_(bindparam("more") <= 0, _COHORTS.taken + bindparam("more") <= _COHORTS.offered),
        or_(
            bindparam("more_slots") <= 0,
            _COHORTS.slots.is_(None),
            _COHORTS.slots_taken + bindparam("more_slots") <= _COHORTS.slots,
        ),
    )
    .values(
        version=_COHORTS.version + 1,
        taken=_COHORTS.taken + bindparam("more"),
        held=_COHORTS.held + bindparam("more_held"),
        waiting=_COHORTS.waiting + bindparam("more_waiting"),
        slots_taken=_COHORTS.slots_taken + bindparam("more_slots"),
    )
)
_PLACE = select(enrolment_places).where(_PLACES.referral == bindparam("of_referral"))
_LOCKED_PLACE = _PLACE.with_for_update()
_ADD_PLACE = insert(enrolment_places)
_AHEAD = or_(
    _PLACES.urgency < bindparam("of_urgency"),
    (_PLACES.urgency == bindparam("of_urgency")) & (_PLACES.limit_on < bindparam("of_limit")),
    (_PLACES.urgency == bindparam("of_urgency"))
    & (_PLACES.limit_on == bindparam("of_limit"))
    & (_PLACES.referred_on < bindparam("of_day")),
    (_PLACES.urgency == bindparam("of_urgency"))
    & (_PLACES.limit_on == bindparam("of_limit"))
    & (_PLACES.referred_on == bindparam("of_day"))
    & (_PLACES.requested_at < bindparam("of_time")),
)
_WAIT_IN_TIME = (
    select(func.count())
    .select_from(enrolment_places)
    .where(
        *(enrolment_places.c[name] == value for name, value in _KEY.items()),
        _PLACES.state == "waiting",
        _PLACES.limit_on >= bindparam("today"),
    )
)
_COUNT_AHEAD = _WAIT_IN_TIME.where(_AHEAD)


class EnrolmentRepository:
    """Places in one transaction. Transactions lock a place before its cohort, and a cohort before its staggering."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.steps = StepRepository(connection, enrolment_steps)

    async def cohort(self, trial_key: str, centre: str, cohort: str) -> Cohort | None:
        """Return the places offered to a cohort; no other transaction changes them before this one ends."""
        row = (await self.connection.execute(_COHORT, _values(trial_key, centre, cohort))).one_or_none()
        return None if row is None else _cohort(row)

    async def cohorts(self, trial_key: str, centre: str | None = None) -> list[Cohort]:
        """Return the places offered in a trial, at a centre or at all of them."""
        statement = _EACH_COHORT.where(_COHORTS.trial_key == trial_key).order_by(_COHORTS.centre, _COHORTS.cohort)
        if centre is not None:
            statement = statement.where(_COHORTS.centre == centre)
        return [_cohort(row) for row in await self.connection.execute(statement)]

    async def page(
        self, limit: int, after: tuple[str, str, str] | None, *, centre: str | None, owner: str | None, published: bool
    ) -> list[Cohort]:
        """Return places offered in all trials, by trial, centre and cohort. ``after``: where the page begins.

        ``centre``, ``owner``: only those at a centre, or in the trials of an organisation; ``published``: only in
        published trials.
        """
        order = (_COHORTS.trial_key, _COHORTS.centre, _COHORTS.cohort)
        statement = _EACH_COHORT.where(trials.c.merged_into.is_(None)).order_by(*order).limit(limit)
        if after is not None:
            statement = statement.where(tuple_(*order) > after)
        if centre is not None:
            statement = statement.where(_COHORTS.centre == centre)
        if owner is not None:
            statement = statement.where(trials.c.owner == owner)
        if published:
            statement = statement.where(trials.c.published.is_(True))
        return [_cohort(row) for row in await self.connection.execute(statement)]

    async def save_cohort(self, cohort: Cohort, author: str, at: datetime) -> None:
        """Write what is declared of a cohort; version 1: a new one.

        :raises StaleVersionError: 412, another transaction wrote it meanwhile.
        """
        values = {
            "version": cohort.version, "offered": cohort.offered, "allocation": cohort.allocation,
            "hold_days": cohort.hold_days, "limit_months": cohort.limit_months, "slots": cohort.slots,
            "declared_by": author, "declared_at": at,
        }  # fmt: skip
        if cohort.version == 1:
            key = {"trial_key": cohort.trial_key, "centre": cohort.centre, "cohort": cohort.cohort}
            counts = {"taken": 0, "held": 0, "waiting": 0, "slots_taken": 0}
            try:
                await self.connection.execute(insert(enrolment_cohorts).values(**key, **counts, **values))
            except IntegrityError:
                raise StaleVersionError from None
            return
        written = await self.connection.execute(
            update(enrolment_cohorts).where(*_is(cohort), _COHORTS.version == cohort.version - 1).values(**values)
        )
        if written.rowcount != 1:
            raise StaleVersionError

    async def count(self, cohort: Cohort, counts: Counts) -> bool:
        """Change the counts of a cohort, as a new version. Return False if it has no such place or slot left."""
        changes = {
            "more": counts.taken, "more_held": counts.held, "more_waiting": counts.waiting, "more_slots": counts.slots,
        }  # fmt: skip
        written = await self.connection.execute(_COUNT, {**_values(*cohort.id), **changes})
        return bool(written.rowcount == 1)

    async def enter(self, trial_key: str, cohort: str, today: date) -> bool:
        """Count one more undosed place in a staggered cohort. Return False if it is closed."""
        written = await self.connection.execute(
            update(enrolment_staggering)
            .where(
                _STAGGERING.trial_key == trial_key,
                _STAGGERING.cohort == cohort,
                _STAGGERING.pending == 0,
                _STAGGERING.opens_on <= today,
            )
            .values(pending=1)
        )
        return bool(written.rowcount == 1)

    async def leave(self, trial_key: str, cohort: str) -> None:
        """Count one undosed place less in a staggered cohort."""
        await self.connection.execute(
            update(enrolment_staggering)
            .where(_STAGGERING.trial_key == trial_key, _STAGGERING.cohort == cohort, _STAGGERING.pending > 0)
            .values(pending=_STAGGERING.pending - 1)
        )

    async def lock_cohorts(self, trial_key: str, cohort: str) -> None:
        """Let no other transaction take a place of a cohort, at any site, before this one ends."""
        mine = (_COHORTS.trial_key == trial_key, _COHORTS.cohort == cohort)
        await self.connection.execute(select(_COHORTS.centre).where(*mine).order_by(_COHORTS.centre).with_for_update())

    async def staggering(self, trial_key: str, cohort: str) -> Staggering | None:
        """Return the staggering of a cohort; no other transaction changes it before this one ends."""
        found = await self.connection.execute(_STAGGERED.with_for_update(), _of_trial(trial_key, cohort))
        return _staggering(found.one_or_none())

    async def save_staggering(self, trial_key: str, cohort: str, staggering: Staggering | None) -> None:
        """Write the staggering of a cohort, of which this transaction has the lock; None: it has none any more."""
        mine = (_STAGGERING.trial_key == trial_key, _STAGGERING.cohort == cohort)
        if staggering is None:
            await self.connection.execute(delete(enrolment_staggering).where(*mine))
            return
        values = asdict(staggering)
        written = await self.connection.execute(update(enrolment_staggering).where(*mine).values(**values))
        if written.rowcount == 0:
            key = {"trial_key": trial_key, "cohort": cohort}
            await self.connection.execute(insert(enrolment_staggering).values(**key, **values))

    async def undosed(self, trial_key: str, cohort: str) -> int:
        """Return how many places of a cohort are taken and not dosed, at all sites."""
        taken = _PLACES.state.in_(["held", "confirmed", "decision_due"])
        statement = select(func.count()).select_from(enrolment_places)
        statement = statement.where(_PLACES.trial_key == trial_key, _PLACES.cohort == cohort, taken)
        return int((await self.connection.execute(statement)).scalar_one())

    async def place(self, referral: str, *, lock: bool = False) -> Place | None:
        """Return the place of a referral. ``lock``: no other transaction changes it before this one ends."""
        found = await self.connection.execute(_LOCKED_PLACE if lock else _PLACE, {"of_referral": referral})
        row = found.one_or_none()
        return _place(row) if row else None

    async def save(self, place: Place, step: Step) -> None:
        """Write a version of a place, with the step that made it; version 1: a new one.

        :raises StaleVersionError: 412, another transaction wrote it meanwhile.
        """
        values = {
            "trial_key": place.trial_key, "centre": place.centre, "cohort": place.cohort, "version": place.version,
            "state": place.state, "stage": place.stage, "requested_at": place.requested_at,
            "referred_on": place.referred_on, "urgency": URGENCIES.index(place.urgency), "limit_on": place.limit_on,
            "expires_at": place.expires_at, "conditioned": place.conditioned, "slot": place.slot,
            "late_reported": place.state == "waiting" and place.too_late,
        }  # fmt: skip
        if place.version == 1:
            try:
                await self.connection.execute(_ADD_PLACE, {"referral": place.referral, **values})
            except IntegrityError:
                raise StaleVersionError from None
        else:
            mine = (_PLACES.referral == place.referral, _PLACES.version == place.version - 1)
            written = await self.connection.execute(update(enrolment_places).where(*mine).values(**values))
            if written.rowcount != 1:
                raise StaleVersionError
        await self.steps.add(place.referral, place.version, step)

    async def forget(self, referral: str) -> None:
        """Delete a place with its steps; the counts stay."""
        await self.connection.execute(delete(enrolment_places).where(_PLACES.referral == referral))

    async def of_cohort(self, trial_key: str, centre: str, cohort: str, *states: str) -> list[Place]:
        """Return the places of a cohort in these states."""
        mine = (_PLACES.trial_key == trial_key, _PLACES.centre == centre, _PLACES.cohort == cohort)
        statement = select(enrolment_places).where(*mine, _PLACES.state.in_(states)).order_by(_PLACES.referral)
        return [_place(row) for row in await self.connection.execute(statement)]

    async def someone_waits(self, cohort: Cohort, today: date) -> bool:
        """Return whether someone waits who is not too late."""
        found = await self.connection.execute(_WAIT_IN_TIME, {**_values(*cohort.id), "today": today})
        return bool(found.scalar_one())

    async def with_position(self, place: Place, today: date) -> Place:
        """Return a place as it is on a day: with its position if it waits, or that it is too late."""
        if place.state != "waiting":
            return place
        if place.limit_on < today:
            return replace(place, too_late=True)
        values = {
            **_values(place.trial_key, place.centre, place.cohort), "today": today, "of_limit": place.limit_on,
            "of_urgency": URGENCIES.index(place.urgency), "of_day": place.referred_on, "of_time": place.requested_at,
        }  # fmt: skip
        ahead = (await self.connection.execute(_COUNT_AHEAD, values)).scalar_one()
        return replace(place, position=int(ahead) + 1)

    async def due(self, now: datetime) -> str | None:
        """Return a referral whose place has expired, or that waits, is too late, and of which no event says so."""
        expired = select(_PLACES.referral).where(_PLACES.expires_at <= now).order_by(_PLACES.expires_at).limit(1)
        return await self._first(expired) or await self._first(_LATE.where(_PLACES.limit_on < day_in_france(now)))

    async def _first(self, statement: Any) -> str | None:
        found: str | None = (await self.connection.execute(statement)).scalar()
        return found

    async def late_reported(self, referral: str) -> None:
        """Write that the event says that a referral is too late."""
        await self.connection.execute(
            update(enrolment_places).where(_PLACES.referral == referral).values(late_reported=True)
        )


_LATE = select(_PLACES.referral).where(_PLACES.state == "waiting", _PLACES.late_reported.is_(False)).limit(1)


def _is(cohort: Cohort) -> Sequence[ColumnElement[bool]]:
    return [enrolment_cohorts.c[name] == value for name, value in zip(_KEY, cohort.id, strict=True)]


def _values(trial_key: str, centre: str, cohort: str) -> dict[str, Any]:
    return {"of_trial": trial_key, "of_centre": centre, "of_cohort": cohort}


def _of_trial(trial_key: str, cohort: str) -> dict[str, Any]:
    return {"of_trial": trial_key, "of_cohort": cohort}


def _staggering(row: Row[Any] | None) -> Staggering | None:
    if row is None:
        return None
    return Staggering(
        row.interval_days, row.needs_decision, row.pending, row.last_dosed_on, row.opens_on, row.decided_on,
        row.reference,
    )  # fmt: skip


def _cohort(row: Row[Any]) -> Cohort:
    return Cohort(
        row.trial_key, row.centre, row.cohort, row.version, row.offered, row.allocation, row.hold_days,
        row.limit_months, row.slots, row.taken, row.held, row.waiting, row.slots_taken, row.owner,
        staggering=None if row.interval_days is None else _staggering(row),
        identifier=row.public_id, routing=read_routing(json.loads(row.side)),
    )  # fmt: skip


def _place(row: Row[Any]) -> Place:
    return Place(
        row.referral, row.trial_key, row.centre, row.cohort, row.version, row.state, row.stage, row.requested_at,
        row.referred_on, URGENCIES[row.urgency], row.limit_on, row.expires_at,
        too_late=row.late_reported, conditioned=row.conditioned, slot=row.slot,
    )  # fmt: skip
