"""SQL for referrals."""

import uuid
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    String,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.referrals.model import BEFORE_CONSENT, Agreement, Mark, Referral, Request, Standing
from services.registry.referrals.tables import referral_marks, referrals, referrals_steps
from services.registry.steps.repository import StepRepository

_COLUMNS = referrals.c
# In the order of the fields of the classes: rows are many.
_STANDING = tuple(Standing.__dataclass_fields__)
_REQUEST = (
    "minor", "urgency", "cohort", "adult_on", "refer_before", "dosing_limit", "disclosure_asked", "place",
)  # fmt: skip
_HEAD = ("reference", "trial_key", "centre", "hospital", "patient", "follows", "sent_at")
_SELECT = select(*(_COLUMNS[name] for name in (*_HEAD, "agreement_on", "agreement_by", *_REQUEST, *_STANDING)))


@dataclass(frozen=True, slots=True)
class Party:
    """A reader of referrals: a hospital or a centre by its id, or the coordination, which sees all."""

    kind: Literal["hospital", "centre", "coordination"]
    id: str = ""

    @property
    def condition(self) -> tuple[ColumnElement[bool], ...]:
        """The rows of this party."""
        return () if self.kind == "coordination" else (_COLUMNS[self.kind] == self.id,)

    @property
    def state(self) -> ColumnElement[str]:
        """The state as this party sees it."""
        return _COLUMNS.hospital_state if self.kind == "hospital" else _COLUMNS.state


def _of(kind: str) -> tuple[ColumnElement[bool], ...]:
    return () if kind == "coordination" else (_COLUMNS[kind] == bindparam("id", type_=String),)


# Built once: SQLAlchemy then finds the compiled statement at once.
_KINDS = ("hospital", "centre", "coordination")
_GET = {kind: _SELECT.where(_COLUMNS.reference == bindparam("reference"), *_of(kind)) for kind in _KINDS}
_LOCKED = {kind: statement.with_for_update() for kind, statement in _GET.items()}
_IS_OPEN = {kind: _COLUMNS.closed_at.is_(None) for kind in _KINDS} | {
    "hospital": or_(_COLUMNS.closed_at.is_(None), _COLUMNS.to_inform.is_(True))
}
_OPEN = {
    kind: _SELECT.where(*_of(kind), _IS_OPEN[kind]).order_by(_COLUMNS.sent_at).limit(bindparam("limit", type_=Integer))
    for kind in _KINDS
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which referrals to list; None: any."""

    state: str | None = None
    trials: Collection[str] | None = None
    centre: str | None = None


class ReferralRepository:
    """Referrals in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.steps = StepRepository(connection, referrals_steps)

    async def get(self, reference: str, party: Party, *, lock: bool = False) -> Referral | None:
        """Return a referral of a party. ``lock``: no other transaction changes it before this one ends."""
        statement = (_LOCKED if lock else _GET)[party.kind]
        found = (await self.connection.execute(statement, {"reference": reference, "id": party.id})).one_or_none()
        return None if found is None else _referral(found)

    async def page(
        self, party: Party, filters: Filters, after: tuple[datetime, str] | None, limit: int
    ) -> list[Referral]:
        """Return referrals of a party, newest first, that were sent before ``after``."""
        statement = _SELECT.where(*party.condition)
        if filters.state is not None:
            statement = statement.where(party.state == filters.state)
        if filters.trials is not None:
            statement = statement.where(_COLUMNS.trial_key.in_(filters.trials))
        if filters.centre is not None:
            statement = statement.where(_COLUMNS.centre == filters.centre)
        if after is not None:
            key = tuple_(_COLUMNS.sent_at, _COLUMNS.reference)
            statement = statement.where(key < tuple_(after[0], after[1]))
        return await self._list(statement.order_by(_COLUMNS.sent_at.desc(), _COLUMNS.reference.desc()).limit(limit))

    async def open_of(self, party: Party, limit: int) -> list[Referral]:
        """Return the referrals of a party that are not closed, oldest first.

        Of a hospital also closed ones whose patient does not know the answer yet.
        """
        return [
            _referral(row) for row in await self.connection.execute(_OPEN[party.kind], {"id": party.id, "limit": limit})
        ]

    async def overdue(self, before: date) -> list[tuple[str, int, date]]:
        """Return (centre, number, oldest day) of referrals that wait for an answer since before a day."""
        statement = (
            select(_COLUMNS.centre, func.count().label("number"), func.min(_COLUMNS.since).label("oldest"))
            .where(_COLUMNS.state == "sent", _COLUMNS.since < before)
            .group_by(_COLUMNS.centre)
            .order_by(_COLUMNS.centre)
        )
        return [(row.centre, row.number, row.oldest) for row in await self.connection.execute(statement)]

    async def of_patient(self, patient: str, hospital: str, *, lock: bool = False) -> list[Referral]:
        """Return the referrals of one patient of a hospital, oldest first."""
        statement = _SELECT.where(_COLUMNS.patient == patient, _COLUMNS.hospital == hospital)
        statement = statement.order_by(_COLUMNS.sent_at, _COLUMNS.reference)
        return await self._list(statement.with_for_update() if lock else statement)

    async def add(self, referral: Referral) -> None:
        """Write a new referral."""
        request, agreement = asdict(referral.request), referral.request.agreement
        del request["agreement"]
        await self.connection.execute(
            insert(referrals).values(
                reference=referral.reference,
                trial_key=referral.trial,
                centre=referral.centre,
                hospital=referral.hospital,
                patient=referral.patient,
                follows=referral.follows,
                sent_at=referral.sent_at,
                agreement_on=agreement.on,
                agreement_by=agreement.by,
                **request,
                **asdict(referral.standing),
            )
        )

    async def save(self, reference: str, standing: Standing, replaces: int) -> bool:
        """Write where a referral stands; ``replaces``: its version until now. False: another writer came first."""
        statement = update(referrals).where(_COLUMNS.reference == reference, _COLUMNS.version == replaces)
        return bool((await self.connection.execute(statement.values(**asdict(standing)))).rowcount == 1)

    async def delete(self, reference: str) -> None:
        """Delete a referral with its steps."""
        await self.connection.execute(delete(referrals_steps).where(referrals_steps.c.subject == reference))
        await self.connection.execute(delete(referrals).where(_COLUMNS.reference == reference))

    async def closed_before(self, end: datetime, limit: int) -> list[Referral]:
        """Return referrals that were closed before an instant."""
        return await self._list(_SELECT.where(_COLUMNS.closed_at < end).limit(limit))

    async def add_mark(self, mark: Mark, at: datetime) -> None:
        """Have referrals marked soon. The service does it: the caller may not see them."""
        await self.connection.execute(
            insert(referral_marks).values(
                id=str(uuid.uuid4()), trial_key=mark.trial, patient=mark.patient, cause=mark.cause, why=mark.why, at=at
            )
        )

    async def has_marks(self) -> bool:
        """Return whether referrals wait to be marked."""
        return (await self.connection.execute(select(referral_marks.c.id).limit(1))).first() is not None

    async def take_mark(self) -> Mark | None:
        """Take what waits first: no other transaction takes it again."""
        statement = select(referral_marks).order_by(referral_marks.c.at).limit(1).with_for_update(skip_locked=True)
        row = (await self.connection.execute(statement)).one_or_none()
        if row is None:
            return None
        await self.connection.execute(delete(referral_marks).where(referral_marks.c.id == row.id))
        return Mark(row.why, row.trial_key, row.patient, row.cause)

    async def marked_by(self, mark: Mark, trials: Collection[str], states: Collection[str]) -> list[Referral]:
        """Return the referrals in some states that a mark concerns. ``trials``: the keys of its trial."""
        statement = _SELECT.where(_COLUMNS.state.in_(states)).order_by(_COLUMNS.reference)
        if mark.patient is not None:
            of_patient = (_COLUMNS.patient == mark.patient, _COLUMNS.reference != mark.cause)
            return await self._list(statement.where(*of_patient, _COLUMNS.state.in_(BEFORE_CONSENT)).with_for_update())
        return await self._list(statement.where(_COLUMNS.trial_key.in_(trials)).with_for_update())

    async def _list(self, statement: Select[Any]) -> list[Referral]:
        return [_referral(row) for row in await self.connection.execute(statement)]


def _referral(row: Row[Any]) -> Referral:
    reference, trial, centre, hospital, patient, follows, sent_at, agreed_on, agreed_by, *more = tuple(row)
    request = Request(Agreement(agreed_on, agreed_by), *more[: len(_REQUEST)])
    standing = Standing(*more[len(_REQUEST) :])
    return Referral(reference, trial, centre, hospital, patient, follows, sent_at, request, standing)
