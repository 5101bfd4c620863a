"""SQL for feasibility requests, their answers and the confidentiality gate."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.feasibility.gate import VisibleField
from services.registry.feasibility.model import (
    WITHDRAWN,
    Agreement,
    Answer,
    AnswerSheet,
    FeasibilityRequest,
    LegalEntity,
)
from services.registry.feasibility.tables import (
    confidentiality_agreements,
    feasibility_answers,
    feasibility_dossiers,
    feasibility_requests,
    feasibility_steps,
    legal_entities,
)
from services.registry.steps.repository import StepRepository
from services.registry.submissions.tables import submissions
from shared.values.problems import AlreadyExistsError, StaleVersionError


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which requests are listed. None: all. ``submissions``: of these dossiers, and only centres that may be named."""

    centre: str | None = None
    submissions: Collection[str] | None = None
    state: str | None = None
    due_by: date | None = None


class FeasibilityRepository:
    """Requests with their steps and answers in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.steps = StepRepository(connection, feasibility_steps)

    async def find(self, submission: str, centre: str, *, lock: bool = False) -> FeasibilityRequest | None:
        """Return what a centre is asked about a dossier. ``lock``: no other transaction changes it until the end."""
        columns = feasibility_requests.c
        statement = select(feasibility_requests).where(columns.submission == submission, columns.centre == centre)
        row = (await self.connection.execute(statement.with_for_update() if lock else statement)).first()
        return None if row is None else _request(row)

    async def page(
        self, narrowing: Narrowing, after: tuple[datetime, str] | None, limit: int
    ) -> list[FeasibilityRequest]:
        """Return requests, newest first."""
        columns = feasibility_requests.c
        statement = select(feasibility_requests)
        if narrowing.centre is not None:
            statement = statement.where(columns.centre == narrowing.centre)
        if narrowing.submissions is not None:
            statement = statement.where(columns.submission.in_(narrowing.submissions), columns.named.is_(True))
        if narrowing.state is not None:
            statement = statement.where(columns.state == narrowing.state)
        if narrowing.due_by is not None:
            statement = statement.where(columns.deadline <= narrowing.due_by)
        if after is not None:
            statement = statement.where(tuple_(columns.requested_at, columns.reference) < after)
        statement = statement.order_by(columns.requested_at.desc(), columns.reference.desc()).limit(limit)
        return [_request(row) for row in await self.connection.execute(statement)]

    async def of_dossier(self, submission: str) -> list[tuple[FeasibilityRequest, AnswerSheet | None]]:
        """Return all requests about a dossier by centre, each with its answers."""
        columns = feasibility_requests.c
        statement = select(feasibility_requests).where(columns.submission == submission).order_by(columns.centre)
        requests = [_request(row) for row in await self.connection.execute(statement)]
        of_requests = feasibility_answers.c.subject.in_([one.reference for one in requests])
        rows = await self.connection.execute(select(feasibility_answers).where(of_requests))
        sheets = {row.subject: _sheet(row) for row in rows}
        return [(one, sheets.get(one.reference)) for one in requests]

    async def add(self, request: FeasibilityRequest) -> None:
        """Write a new request.

        :raises StaleVersionError: 412, another transaction asked the centre meanwhile.
        """
        try:
            await self.connection.execute(insert(feasibility_requests).values(asdict(request)))
        except IntegrityError:
            raise StaleVersionError from None

    async def replace(self, request: FeasibilityRequest) -> None:
        """Write the next version of a request.

        :raises StaleVersionError: 412, another transaction came first.
        """
        columns = feasibility_requests.c
        earlier = (columns.reference == request.reference, columns.version == request.version - 1)
        values = {name: getattr(request, name) for name in ("version", "state", "named", "deadline", "reminder_due")}
        written = await self.connection.execute(update(feasibility_requests).where(*earlier).values(**values))
        if written.rowcount != 1:
            raise StaleVersionError

    async def sheet(self, subject: str) -> AnswerSheet | None:
        """Return the answers of a request; None: no questionnaire was sent."""
        statement = select(feasibility_answers).where(feasibility_answers.c.subject == subject)
        row = (await self.connection.execute(statement)).first()
        return None if row is None else _sheet(row)

    async def add_sheet(self, subject: str) -> None:
        """Open an empty draft."""
        values = {"subject": subject, "version": 1, "draft": "[]", "submitted": "[]", "may_be_named": False}
        await self.connection.execute(insert(feasibility_answers).values(**values))

    async def replace_sheet(self, sheet: AnswerSheet) -> None:
        """Write the next version of answers.

        :raises StaleVersionError: 412, another transaction came first.
        """
        columns = feasibility_answers.c
        earlier = (columns.subject == sheet.subject, columns.version == sheet.version - 1)
        written = await self.connection.execute(
            update(feasibility_answers)
            .where(*earlier)
            .values(
                version=sheet.version, draft=_write(sheet.draft), submitted=_write(sheet.submitted),
                may_be_named=sheet.may_be_named, submitted_on=sheet.submitted_on,
            )
        )  # fmt: skip
        if written.rowcount != 1:
            raise StaleVersionError

    async def last_answers(self, centre: str, but: str) -> list[tuple[date, Answer]]:
        """Return what a centre submitted about other dossiers, newest first. ``but``: the request at hand."""
        submitted_on = feasibility_answers.c.submitted_on
        statement = (
            select(feasibility_answers.c.submitted, submitted_on)
            .join(feasibility_requests, feasibility_requests.c.reference == feasibility_answers.c.subject)
            .where(
                feasibility_requests.c.centre == centre,
                feasibility_requests.c.reference != but,
                submitted_on.is_not(None),
            )
            .order_by(submitted_on.desc(), feasibility_requests.c.reference)
            .limit(_EARLIER)
        )
        rows = await self.connection.execute(statement)
        return [(row.submitted_on, answer) for row in rows for answer in _read(row.submitted)]

    async def take_due(self, today: date, limit: int) -> list[FeasibilityRequest]:
        """Return requests of which a reminder is due: no other transaction takes them until the end."""
        statement = select(feasibility_requests).where(feasibility_requests.c.reminder_due <= today)
        statement = (
            statement.order_by(feasibility_requests.c.reminder_due).limit(limit).with_for_update(skip_locked=True)
        )
        return [_request(row) for row in await self.connection.execute(statement)]

    async def set_reminder(self, reference: str, due: date | None) -> None:
        """Set when the next reminder is sent. The version stays."""
        await self.connection.execute(
            update(feasibility_requests).where(feasibility_requests.c.reference == reference).values(reminder_due=due)
        )

    async def has_due(self, today: date) -> bool:
        """Return whether a reminder is due."""
        statement = (
            select(feasibility_requests.c.reference).where(feasibility_requests.c.reminder_due <= today).limit(1)
        )
        return (await self.connection.execute(statement)).first() is not None

    async def of_ended_dossiers(
        self, states: Collection[str], declined_before: datetime, limit: int, *, lock: bool = False
    ) -> list[FeasibilityRequest]:
        """Return requests in some states about dossiers that are withdrawn, or declined since before a time.

        A declined amendment of a published dossier ends nothing. ``lock``: no other transaction takes them too.
        """
        columns, dossier = feasibility_requests.c, submissions.c
        declined = and_(
            dossier.state == "decided",
            dossier.answer == "declined",
            dossier.published_number.is_(None),
            dossier.updated_at <= declined_before,
        )
        dossiers = select(dossier.reference).where(or_(dossier.state == WITHDRAWN, declined))
        statement = (
            select(feasibility_requests).where(columns.submission.in_(dossiers), columns.state.in_(states)).limit(limit)
        )
        statement = statement.with_for_update(skip_locked=True) if lock else statement
        return [_request(row) for row in await self.connection.execute(statement)]


class GateRepository:
    """Legal entities, agreements and visible fields in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def entity(self, centre: str) -> LegalEntity | None:
        """Return the legal entity of a centre."""
        return (await self.entities([centre])).get(centre)

    async def entities(self, centres: Collection[str] | None = None) -> dict[str, LegalEntity]:
        """Return legal entities by centre. ``centres``: None: all."""
        statement = select(legal_entities)
        if centres is not None:
            statement = statement.where(legal_entities.c.centre.in_(centres))
        rows = await self.connection.execute(statement)
        return {row.centre: LegalEntity(row.centre, row.finess_ej, row.name, row.version) for row in rows}

    async def save_entity(self, entity: LegalEntity) -> None:
        """Write the next version of a legal entity; version 1 is new.

        :raises AlreadyExistsError, StaleVersionError: 412, another transaction came first.
        """
        columns = legal_entities.c
        await self._save(legal_entities, asdict(entity), (columns.centre == entity.centre,))

    async def agreement_of(self, submission: str, centre: str) -> Agreement | None:
        """Return the agreement of a centre's legal entity on a dossier."""
        agreements, entities = confidentiality_agreements.c, legal_entities.c
        statement = (
            select(confidentiality_agreements)
            .join(legal_entities, entities.finess_ej == agreements.finess_ej)
            .where(agreements.submission == submission, entities.centre == centre)
        )
        row = (await self.connection.execute(statement)).first()
        return None if row is None else _agreement(row)

    async def agreement(self, submission: str, finess_ej: str) -> Agreement | None:
        """Return the agreement of a legal entity on a dossier."""
        return (await self.agreements(submission)).get(finess_ej)

    async def agreements(self, submission: str) -> dict[str, Agreement]:
        """Return the agreements on a dossier by FINESS number."""
        statement = select(confidentiality_agreements).where(confidentiality_agreements.c.submission == submission)
        rows = await self.connection.execute(statement)
        return {row.finess_ej: _agreement(row) for row in rows}

    async def save_agreement(self, agreement: Agreement) -> None:
        """Write the next version of an agreement; version 1 is new.

        :raises AlreadyExistsError, StaleVersionError: 412, another transaction came first.
        """
        columns = confidentiality_agreements.c
        of_row = (columns.submission == agreement.submission, columns.finess_ej == agreement.finess_ej)
        await self._save(confidentiality_agreements, asdict(agreement), of_row)

    async def visible(self, submission: str) -> tuple[int, list[VisibleField]]:
        """Return version and names of the fields that the sponsor shows before the gate; version 0: none chosen."""
        statement = select(feasibility_dossiers).where(feasibility_dossiers.c.submission == submission)
        row = (await self.connection.execute(statement)).first()
        return (0, []) if row is None else (row.version, json.loads(row.visible))

    async def save_visible(self, submission: str, version: int, fields: Sequence[VisibleField]) -> None:
        """Write the next version of the fields that are shown.

        :raises AlreadyExistsError, StaleVersionError: 412, another transaction came first.
        """
        values = {"submission": submission, "version": version, "visible": json.dumps(list(fields))}
        await self._save(feasibility_dossiers, values, (feasibility_dossiers.c.submission == submission,))

    async def _save(self, table: Any, values: dict[str, Any], of_row: tuple[Any, ...]) -> None:
        if values["version"] == 1:
            try:
                await self.connection.execute(insert(table).values(**values))
            except IntegrityError:
                raise AlreadyExistsError from None
            return
        earlier = (*of_row, table.c.version == values["version"] - 1)
        if (await self.connection.execute(update(table).where(*earlier).values(**values))).rowcount != 1:
            raise StaleVersionError


# Answers to enough earlier dossiers that each question was answered.
_EARLIER = 20


def _request(row: Row[Any]) -> FeasibilityRequest:
    return FeasibilityRequest(**{one.name: getattr(row, one.name) for one in fields(FeasibilityRequest)})


def _agreement(row: Row[Any]) -> Agreement:
    return Agreement(**{one.name: getattr(row, one.name) for one in fields(Agreement)})


def _sheet(row: Row[Any]) -> AnswerSheet:
    return AnswerSheet(
        row.subject, row.version, _read(row.draft), bool(row.may_be_named), _read(row.submitted), row.submitted_on
    )


def _read(text: str) -> tuple[Answer, ...]:
    return tuple(Answer(**one) for one in json.loads(text))


def _write(answers: Iterable[Answer]) -> str:
    return json.dumps([asdict(one) for one in answers], ensure_ascii=False)
