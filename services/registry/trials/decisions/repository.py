"""SQL for decisions and open reviews."""

from collections.abc import Collection
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.merge.scope import ScopeDecision
from services.registry.merge.states import StateDecision
from services.registry.trials.decisions.model import Decision, StoredDecision, TrialReviewKind
from services.registry.trials.decisions.tables import trial_decisions, trial_reviews
from shared.values.problems import StaleVersionError


class DecisionRepository:
    """Decisions and open reviews in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def of_trials(self, keys: Collection[str]) -> list[StoredDecision]:
        """Return all decisions on these trials, oldest first."""
        columns = trial_decisions.c
        found = select(trial_decisions).where(columns.trial_key.in_(keys)).order_by(columns.trial_key, columns.number)
        return [_decision(row) for row in await self.connection.execute(found)]

    async def on_scope_and_state(self, key: str) -> tuple[list[ScopeDecision], list[StateDecision]]:
        """Return the decisions in force on the scope and on the state of a trial, oldest first."""
        found = [one.decision for one in await self.of_trials([key]) if one.withdrawn_at is None]
        return (
            [ScopeDecision(one.answer, one.author, one.gate, one.basis) for one in found if one.kind == "scope"],  # type: ignore[arg-type]
            [StateDecision(one.answer, one.author, one.basis) for one in found if one.kind == "state"],  # type: ignore[arg-type]
        )

    async def add(self, key: str, decision: Decision) -> None:
        """Store a decision.

        :raises StaleVersionError: 412, another transaction decided on this trial meanwhile.
        """
        columns = trial_decisions.c
        greatest = select(func.max(columns.number)).where(columns.trial_key == key)
        number = ((await self.connection.execute(greatest)).scalar_one() or 0) + 1
        try:
            await self.connection.execute(
                insert(trial_decisions).values(trial_key=key, number=number, **asdict(decision))
            )
        except IntegrityError:
            raise StaleVersionError from None

    async def withdraw(self, key: str, number: int, at: datetime, author: str) -> None:
        """Withdraw a decision.

        :raises StaleVersionError: 412, another transaction withdrew it meanwhile.
        """
        columns = trial_decisions.c
        written = await self.connection.execute(
            update(trial_decisions)
            .where(columns.trial_key == key, columns.number == number, columns.withdrawn_at.is_(None))
            .values(withdrawn_at=at, withdrawn_by=author)
        )
        if written.rowcount != 1:
            raise StaleVersionError

    async def set_review(self, key: str, kind: TrialReviewKind, at: datetime, *, is_open: bool) -> bool:
        """Open or close a review of a trial; one that is open stays as it is. Return whether that changed it."""
        columns = trial_reviews.c
        same = (columns.trial_key == key, columns.kind == kind)
        if not is_open:
            return bool((await self.connection.execute(delete(trial_reviews).where(*same))).rowcount)
        if (await self.connection.execute(select(columns.since).where(*same))).first() is not None:
            return False
        await self.connection.execute(insert(trial_reviews).values(trial_key=key, kind=kind, since=at))
        return True


def _decision(row: Any) -> StoredDecision:
    values = {one.name: getattr(row, one.name) for one in fields(Decision)}
    return StoredDecision(row.trial_key, row.number, Decision(**values), row.withdrawn_at, row.withdrawn_by)
