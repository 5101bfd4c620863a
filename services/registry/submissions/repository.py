"""SQL for dossiers."""

from collections.abc import Collection
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.steps.repository import StepRepository
from services.registry.submissions.model import Comment, Delegate, Relation, Submission, SubmittedVersion
from services.registry.submissions.tables import (
    submission_comments,
    submission_delegates,
    submission_steps,
    submission_versions,
    submissions,
)
from shared.values.problems import StaleVersionError


class SubmissionRepository:
    """Dossiers in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.steps = StepRepository(connection, submission_steps)

    async def find(self, reference: str, organisation: str | None = None) -> tuple[Submission, Relation | None] | None:
        """Return a dossier, and what ``organisation`` is to it; None: there is none."""
        row = (await self.connection.execute(_FIND, {"reference": reference, "caller": organisation or ""})).first()
        return None if row is None else (_submission(row), _relation(row, organisation))

    async def page(
        self, of: str | None, state: str | None, after: tuple[datetime, str] | None, limit: int
    ) -> list[Submission]:
        """Return dossiers, newest first. ``of``: an organisation that is a party; None: all."""
        columns = submissions.c
        statement: Select[Any] = select(submissions)
        if of is not None:
            statement = statement.where(_is_party(of))
        if state is not None:
            statement = statement.where(columns.state == state)
        if after is not None:
            statement = statement.where(tuple_(columns.created_at, columns.reference) < after)
        statement = statement.order_by(columns.created_at.desc(), columns.reference.desc()).limit(limit)
        return [_submission(row) for row in await self.connection.execute(statement)]

    async def add(self, one: Submission) -> None:
        """Write a new dossier."""
        await self.connection.execute(insert(submissions).values(**asdict(one)))

    async def replace(self, one: Submission) -> None:
        """Write a dossier whose version is one higher than what is stored.

        :raises StaleVersionError: 412, another transaction came first.
        """
        values = {name: value for name, value in asdict(one).items() if name not in {"reference", "created_at"}}
        same = (submissions.c.reference == one.reference, submissions.c.version == one.version - 1)
        if (await self.connection.execute(update(submissions).where(*same).values(**values))).rowcount != 1:
            raise StaleVersionError

    async def lock(self, reference: str) -> None:
        """Let no other transaction change a dossier, or add to it, until this one ends."""
        locked = select(submissions.c.reference).where(submissions.c.reference == reference).with_for_update()
        await self.connection.execute(locked)

    async def add_version(self, reference: str, version: SubmittedVersion) -> None:
        """Write a submitted version."""
        await self.connection.execute(insert(submission_versions).values(subject=reference, **asdict(version)))

    async def versions(self, reference: str, numbers: Collection[int] | None = None) -> list[SubmittedVersion]:
        """Return the submitted versions of a dossier, oldest first; only those with these numbers."""
        columns = submission_versions.c
        statement = select(submission_versions).where(columns.subject == reference).order_by(columns.number)
        if numbers is not None:
            statement = statement.where(columns.number.in_(numbers))
        return [
            SubmittedVersion(row.number, row.at, row.author, row.content, row.screening)
            for row in await self.connection.execute(statement)
        ]

    async def add_comment(self, reference: str, comment: Comment) -> None:
        """Write a comment."""
        await self.connection.execute(insert(submission_comments).values(subject=reference, **asdict(comment)))

    async def last_comment(self, reference: str) -> int:
        """Return the number of the last comment that the transaction sees; 0: none."""
        columns = submission_comments.c
        found = await self.connection.execute(select(func.max(columns.number)).where(columns.subject == reference))
        return found.scalar_one() or 0

    async def comments(self, reference: str, after: int, limit: int, *, internal: bool) -> list[Comment]:
        """Return comments after a number. ``internal``: also those for the coordination only."""
        columns = submission_comments.c
        statement = select(submission_comments).where(columns.subject == reference, columns.number > after)
        if not internal:
            statement = statement.where(columns.internal.is_(False))
        found = await self.connection.execute(statement.order_by(columns.number).limit(limit))
        return [Comment(row.number, row.at, row.author, row.text, row.pointer, row.internal) for row in found]

    async def delegates(self, one: Submission) -> list[Delegate]:
        """Return the organisations that act for the owner of a dossier."""
        columns = submission_delegates.c
        statement = select(submission_delegates).where(columns.subject == one.reference, columns.owner == one.owner)
        found = await self.connection.execute(statement.order_by(columns.organisation))
        return [Delegate(row.organisation, row.may_consent, row.at, row.author) for row in found]

    async def set_delegate(self, one: Submission, delegate: Delegate) -> None:
        """Let an organisation act for the owner of a dossier."""
        await self.remove_delegate(one, delegate.organisation)
        values = {"subject": one.reference, "owner": one.owner, **asdict(delegate)}
        await self.connection.execute(insert(submission_delegates).values(**values))

    async def remove_delegate(self, one: Submission, organisation: str) -> bool:
        """End a delegation. Return whether there was one."""
        columns = submission_delegates.c
        same = (columns.subject == one.reference, columns.owner == one.owner, columns.organisation == organisation)
        return (await self.connection.execute(delete(submission_delegates).where(*same))).rowcount == 1


def _finding() -> Select[Any]:
    """Return the statement of a dossier and of what the caller is to it."""
    delegated = submission_delegates.c
    of_delegate = and_(
        delegated.subject == submissions.c.reference,
        delegated.owner == submissions.c.owner,
        delegated.organisation == bindparam("caller"),
    )
    return (
        select(submissions, delegated.may_consent)
        .select_from(submissions.outerjoin(submission_delegates, of_delegate))
        .where(submissions.c.reference == bindparam("reference"))
    )


# Built once: SQLAlchemy then finds the compiled statement without comparing it.
_FIND = _finding()
_NAMES = tuple(one.name for one in fields(Submission))


def _is_party(organisation: str) -> ColumnElement[bool]:
    columns, delegated = submissions.c, submission_delegates.c
    acts = exists().where(
        delegated.subject == columns.reference,
        delegated.owner == columns.owner,
        delegated.organisation == organisation,
    )
    return or_(columns.owner == organisation, columns.transfer_to == organisation, acts)


def _relation(row: Row[Any], organisation: str | None) -> Relation | None:
    if organisation is None:
        return None
    if row.owner == organisation:
        return "owner"
    if row.may_consent is not None:
        return "proxy" if row.may_consent else "delegate"
    return "receiver" if row.transfer_to == organisation else None


def _submission(row: Row[Any]) -> Submission:
    return Submission(**{name: getattr(row, name) for name in _NAMES})
