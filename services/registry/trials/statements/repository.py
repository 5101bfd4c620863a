"""SQL for statements and conflicts."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.merge.model import Conflict, Statement
from services.registry.trials.statements.model import Author, OpenConflict, StoredStatement
from services.registry.trials.statements.tables import trial_conflicts, trial_statements
from services.registry.trials.tables import trials
from shared.values.problems import StaleVersionError

# The conflicts of a trial that is merged into another one are asked for no more.
PRESENT = select(trials.c.key).where(trials.c.merged_into.is_(None))


class StatementRepository:
    """Statements and conflicts in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def of_trial(self, key: str, merged: Collection[str] = ()) -> list[StoredStatement]:
        """Return all statements on a trial, and on those that are ``merged`` into it, in their order."""
        statements = trial_statements.c
        found = (
            select(trial_statements)
            .where(statements.trial_key.in_([key, *merged]))
            .order_by(statements.trial_key != key, statements.trial_key, statements.number)
        )
        return [_statement(row, key) for row in await self.connection.execute(found)]

    async def in_force(self, key: str, merged: Collection[str] = ()) -> list[Statement]:
        """Return the statements that count on a trial, and on those ``merged`` into it.

        Of each path of a trial that is the latest that was not withdrawn.
        """
        found = [_said(row, key) for row in await self.connection.execute(_IN_FORCE, {"key": key})]
        for other in merged:
            found += [_said(row, key) for row in await self.connection.execute(_IN_FORCE, {"key": other})]
        return found

    async def add(
        self, key: str, stated: Mapping[str, Any], sourced: Mapping[str, Any], at: datetime, author: Author
    ) -> list[Statement]:
        """Store statements. ``stated``, ``sourced``: their values and what the sources say, by path.

        :raises StaleVersionError: 412, another transaction stated something of this trial meanwhile.
        """
        columns = trial_statements.c
        greatest = select(func.max(columns.number)).where(columns.trial_key == key)
        first = ((await self.connection.execute(greatest)).scalar_one() or 0) + 1
        added = [
            Statement(number, path, value, sourced[path], at)
            for number, (path, value) in enumerate(stated.items(), start=first)
        ]
        rows = [
            {
                "trial_key": key,
                "number": one.id,
                "path": one.path,
                "value": _json(one.value),
                "against": _json(one.against),
                "at": at,
                "author": author.name,
                "reason": author.reason,
            }
            for one in added
        ]
        try:
            if rows:
                await self.connection.execute(insert(trial_statements), rows)
        except IntegrityError:
            raise StaleVersionError from None
        return added

    async def withdraw(self, key: str, number: int, at: datetime, author: Author) -> bool:
        """Withdraw a statement. Return False if the trial has no such statement in force."""
        statements = trial_statements.c
        written = await self.connection.execute(
            update(trial_statements)
            .where(statements.number == number, statements.trial_key == key, statements.withdrawn_at.is_(None))
            .values(withdrawn_at=at, withdrawn_by=author.name)
        )
        return bool(written.rowcount == 1)

    async def conflicts(self, key: str) -> list[OpenConflict]:
        """Return the open conflicts of a trial."""
        statement = select(trial_conflicts).where(trial_conflicts.c.trial_key == key).order_by(trial_conflicts.c.key)
        return [_conflict(row) for row in await self.connection.execute(statement)]

    async def all_conflicts(self, after: tuple[str, str], limit: int) -> list[OpenConflict]:
        """Return open conflicts in the order of trials, after (trial key, key of the conflict)."""
        columns = trial_conflicts.c
        statement = (
            select(trial_conflicts)
            .where(tuple_(columns.trial_key, columns.key) > after, columns.trial_key.in_(PRESENT))
            .order_by(columns.trial_key, columns.key)
            .limit(limit)
        )
        return [_conflict(row) for row in await self.connection.execute(statement)]

    async def replace_conflicts(self, key: str, conflicts: Sequence[Conflict], at: datetime) -> list[Conflict]:
        """Store the open conflicts of a trial in the place of the former ones. Return those that are new."""
        columns = trial_conflicts.c
        known = set((await self.connection.execute(select(columns.key).where(columns.trial_key == key))).scalars())
        present = {one.key: one for one in conflicts}
        await self._close(key, known - present.keys())
        new = [one for name, one in present.items() if name not in known]
        if new:
            await self.connection.execute(
                insert(trial_conflicts),
                [
                    {
                        "trial_key": key,
                        "key": one.key,
                        "kind": one.kind,
                        "path": one.path,
                        "used": _json(one.used),
                        "other": _json(one.other),
                        "source": one.source,
                        "since": at,
                    }
                    for one in new
                ],
            )
        return new

    async def _close(self, key: str, conflicts: Collection[str]) -> None:
        columns = trial_conflicts.c
        if conflicts:
            await self.connection.execute(
                delete(trial_conflicts).where(columns.trial_key == key, columns.key.in_(conflicts))
            )


_LATEST = (
    select(func.max(trial_statements.c.number))
    .where(trial_statements.c.trial_key == bindparam("key"), trial_statements.c.withdrawn_at.is_(None))
    .group_by(trial_statements.c.path)
)
_IN_FORCE = (
    select(*(trial_statements.c[name] for name in ("trial_key", "number", "path", "value", "against", "at")))
    .where(trial_statements.c.trial_key == bindparam("key"), trial_statements.c.number.in_(_LATEST))
    .order_by(trial_statements.c.number)
)


def _said(row: Any, key: str) -> Statement:
    of = row.trial_key if row.trial_key != key else None
    return Statement(row.number, row.path, json.loads(row.value), json.loads(row.against), row.at, of)


def _statement(row: Any, key: str) -> StoredStatement:
    return StoredStatement(_said(row, key), row.author, row.reason, row.withdrawn_at, row.withdrawn_by)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _conflict(row: Any) -> OpenConflict:
    conflict = Conflict(row.kind, row.path, json.loads(row.used), json.loads(row.other), row.source)
    return OpenConflict(row.trial_key, conflict, row.since)
