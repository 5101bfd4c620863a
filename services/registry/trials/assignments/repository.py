"""SQL for the log of assignments, and for what it describes: the trials of records, and merged trials."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.records.tables import source_records
from services.registry.trials.assignments.model import Entry, StoredEntry
from services.registry.trials.assignments.tables import trial_assignments
from services.registry.trials.tables import trial_aliases, trials

# Transactions that write entries take turns, or two would take the same number.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('cleio assignments', 0))")
# Built once: SQLAlchemy then finds the compiled statement without comparing it.
_GREATEST = select(func.coalesce(func.max(trial_assignments.c.number), 0))
_ADD = insert(trial_assignments)


class AssignmentRepository:
    """Assignments in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def add(self, entry: Entry, at: datetime, act: int | None = None) -> int:
        """Append an entry. ``act``: the act that it is part of; None: it is one of its own. Return the act."""
        if self.connection.dialect.name == "postgresql":
            await self.connection.execute(_LOCK)
        number = int((await self.connection.execute(_GREATEST)).scalar_one()) + 1
        row = {
            "number": number,
            "at": at,
            "action": entry.action,
            "source": entry.source,
            "source_id": entry.source_id,
            "trial_key": entry.trial,
            "other_key": entry.other,
            "author": entry.author,
            "reason": entry.reason,
            "numbers": json.dumps(entry.numbers),
            "before": json.dumps([entry.former_result, dict(entry.moved), entry.creates]),
            "act": act or number,
            "undoes": entry.undoes,
        }
        await self.connection.execute(_ADD, row)
        return act or number

    async def of_record(self, source: str, source_id: str) -> list[StoredEntry]:
        """Return the entries on a record, and those of the same acts, oldest first."""
        columns = trial_assignments.c
        acts = select(columns.act).where(columns.source == source, columns.source_id == source_id)
        return await self._entries(select(trial_assignments).where(columns.act.in_(acts)).order_by(columns.number))

    async def of_act(self, act: int) -> list[StoredEntry]:
        """Return the entries of an act, oldest first."""
        columns = trial_assignments.c
        return await self._entries(select(trial_assignments).where(columns.act == act).order_by(columns.number))

    async def page(self, keys: Collection[str] | None, before: int | None, limit: int) -> list[StoredEntry]:
        """Return entries, newest first: all, or those that name one of some trials."""
        columns = trial_assignments.c
        statement = select(trial_assignments).order_by(columns.number.desc()).limit(limit)
        if keys is not None:
            statement = statement.where(or_(columns.trial_key.in_(keys), columns.other_key.in_(keys)))
        if before is not None:
            statement = statement.where(columns.number < before)
        return await self._entries(statement)

    async def joined_by_rule(self, keys: Collection[str]) -> list[StoredEntry]:
        """Return the newest entry of each record of some trials, if shared numbers joined it by rule."""
        columns, records = trial_assignments.c, source_records.c
        of_records = select(func.max(columns.number)).where(columns.source.is_not(None))
        newest = of_records.group_by(columns.source, columns.source_id)
        statement = (
            select(trial_assignments)
            .join(source_records, (records.source == columns.source) & (records.source_id == columns.source_id))
            .where(
                records.trial_key.in_(keys),
                columns.trial_key.in_(keys),
                columns.number.in_(newest),
                columns.author.is_(None),
                columns.numbers != "[]",
            )
            .order_by(columns.number)
        )
        return await self._entries(statement)

    async def _entries(self, statement: Select[Any]) -> list[StoredEntry]:
        return [_entry(row) for row in await self.connection.execute(statement)]

    async def assign(self, source: str, source_id: str, key: str | None, result: str, at: datetime) -> None:
        """Write the trial of a record, and its result; without a trial it waits from now on (``at``)."""
        records = source_records.c
        await self.connection.execute(
            update(source_records)
            .where(records.source == source, records.source_id == source_id)
            .values(trial_key=key, result=result, waiting_since=at if key is None else None)
        )

    async def merged_into(self, keys: Collection[str]) -> dict[str, str]:
        """Return the trial into which each of these trials was merged, if it was."""
        statement = select(trials.c.key, trials.c.merged_into).where(
            trials.c.key.in_(keys), trials.c.merged_into.is_not(None)
        )
        return {row.key: row.merged_into for row in await self.connection.execute(statement)}

    async def names(self, key: str) -> frozenset[str]:
        """Return all aliases to which a trial answers, also those of the trials merged into it."""
        statement = select(trial_aliases.c.alias).where(trial_aliases.c.present_key == key)
        return frozenset((await self.connection.execute(statement)).scalars())

    async def answer(self, keys: Collection[str], present: str) -> None:
        """Let a trial answer to the names of these trials."""
        names = trial_aliases.c
        await self.connection.execute(
            update(trial_aliases).where(names.trial_key.in_(keys)).values(present_key=present)
        )

    async def move_names(self, moved: Mapping[str, tuple[str, str]]) -> None:
        """Give public numbers to other trials: (trial that has it from now on, trial that answers to it), by number."""
        names = trial_aliases.c
        for alias, (key, present) in moved.items():
            await self.connection.execute(
                update(trial_aliases)
                .where(names.alias == alias, names.is_public.is_(True))
                .values(trial_key=key, present_key=present)
            )

    async def drop_names(self, key: str, aliases: Collection[str] | None = None) -> None:
        """Take names from a trial, all or some: they can become those of another one."""
        names = trial_aliases.c
        statement = delete(trial_aliases).where(names.trial_key == key)
        if aliases is not None:
            statement = statement.where(names.alias.in_(aliases))
        await self.connection.execute(statement)


def _entry(row: Any) -> StoredEntry:
    result, moved, creates = json.loads(row.before)
    entry = Entry(
        row.action,
        row.trial_key,
        row.other_key,
        row.source,
        row.source_id,
        row.author,
        row.reason,
        tuple(json.loads(row.numbers)),
        result,
        moved,
        creates,
        row.undoes,
    )
    return StoredEntry(row.number, row.at, row.act, entry)
