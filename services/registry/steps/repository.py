"""SQL for the steps of one kind of subject."""

import json
from collections import defaultdict
from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Insert, Row, Select, Table, bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.steps.model import Step


@cache
def _adding(table: Table) -> Insert:
    """Return the statement once for each table: SQLAlchemy then finds the compiled one without comparing it."""
    return insert(table)


@cache
def _reading(table: Table) -> Select[Any]:
    """Return the statement once for each table; it takes ``subjects``."""
    columns = table.c
    of_subjects = columns.subject.in_(bindparam("subjects", expanding=True))
    return select(table).where(of_subjects).order_by(columns.subject, columns.number)


class StepRepository:
    """The steps of subjects in one transaction. ``table``: as `tables.step_table` makes it."""

    def __init__(self, connection: AsyncConnection, table: Table) -> None:
        self.connection = connection
        self.table = table

    async def add(self, subject: str, number: int, step: Step) -> None:
        """Write a step. ``number``: the version of the subject that it made."""
        row = {
            "subject": subject, "number": number, "action": step.action, "state": step.state, "at": step.at,
            "on": step.on, "organisation": step.organisation, "author": step.author, "reason": step.reason,
            "detail": json.dumps(dict(step.detail)),
        }  # fmt: skip
        await self.connection.execute(_adding(self.table), row)

    async def of(self, subject: str) -> list[Step]:
        """Return the steps of one subject, oldest first."""
        return (await self.of_many([subject])).get(subject, [])

    async def of_many(self, subjects: Collection[str]) -> dict[str, list[Step]]:
        """Return the steps of subjects, oldest first."""
        found: dict[str, list[Step]] = defaultdict(list)
        for row in await self.connection.execute(_reading(self.table), {"subjects": list(subjects)}):
            found[row.subject].append(_step(row))
        return dict(found)


def _step(row: Row[Any]) -> Step:
    return Step(row.action, row.state, row.at, row.organisation, row.author, row.on, row.reason, json.loads(row.detail))
