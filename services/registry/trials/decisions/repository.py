"""SQL for decisions and open reviews."""

from collections.abc import Collection, Mapping
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

    async def set_reviews(
        self, key: str, wanted: Mapping[TrialReviewKind, bool], at: datetime
    ) -> dict[TrialReviewKind, bool]:
        """Open or close reviews of a trial; one that is open stays as it is. Return those that changed."""
        columns = trial_reviews.c
        are_open = set((await self.connection.execute(select(columns.kind).where(columns.trial_key == key))).scalars())
        changed = {kind: is_open for kind, is_open in wanted.items() if is_open != (kind in are_open)}
        for kind, is_open in changed.items():
            same = (columns.trial_key == key, columns.kind == kind)
            await self.connection.execute(
                insert(trial_reviews).values(trial_key=key, kind=kind, since=at)
                if is_open
                else delete(trial_reviews).where(*same)
            )
        return changed


def _decision(row: Any) -> StoredDecision:
    values = {one.name: getattr(row, one.name) for one in fields(Decision)}
    return StoredDecision(row.trial_key, row.number, Decision(**values), row.withdrawn_at, row.withdrawn_by)
