"""Assigns records to trials as people decide, and undoes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from services.registry.duplicates.numbers import leaving, numbers_of
from services.registry.duplicates.problems import (
    ChangedSinceError,
    LastRecordError,
    NoAssignmentError,
    SameTrialError,
)
from services.registry.duplicates.service import MergeService
from services.registry.merge.reading import Record
from services.registry.model.trial import Origin
from services.registry.records.repository import SourceRecord, SourceRepository
from services.registry.trials.assignments.model import Entry, StoredEntry, in_force
from services.registry.trials.merging import CURATED
from services.registry.trials.model import Cause
from services.registry.trials.routing import removal_of
from services.registry.trials.service import check_version
from services.registry.trials.statements.model import Author
from shared.access.policy import Rows
from shared.values.problems import NotFoundError
from shared.vocabulary.identifiers import alias_of


@dataclass(frozen=True, slots=True)
class AssignedRecord:
    """A record, what is stored of it, the numbers that it shares with trials other than its own, and its entries.

    ``owners``: (trial that has the number, trial that answers to it), by number.
    """

    record: Record
    known: SourceRecord
    owners: Mapping[str, tuple[str, str]]
    entries: tuple[StoredEntry, ...]

    @property
    def version(self) -> int:
        """The number of entries on it, and one: it grows with each decision."""
        return 1 + len(self.own_entries)

    @property
    def own_entries(self) -> list[StoredEntry]:
        """The entries on it, without those on trials that were merged by the same acts."""
        mine = (self.record.source, self.record.source_id)
        return [one for one in self.entries if (one.entry.source, one.entry.source_id) == mine]

    @property
    def by_people(self) -> list[StoredEntry]:
        """The entries by which people assigned it, also those that were undone."""
        return [
            one
            for one in self.own_entries
            if one.entry.author is not None and one.entry.action == "assigned" and one.entry.undoes is None
        ]

    @property
    def decided(self) -> list[StoredEntry]:
        """The entries by which people assigned it, in force."""
        valid = {one.number for one in in_force(self.own_entries)}
        return [one for one in self.by_people if one.number in valid]


class AssignmentService:
    """Assignments of records in one transaction."""

    def __init__(self, merges: MergeService) -> None:
        self.merges = merges
        self.merger = merges.merger
        self.repository = merges.repository
        self.assignments = merges.assignments
        self.now = merges.now

    async def read(self, source: str, source_id: str) -> AssignedRecord:
        """Return a record.

        :raises NotFoundError: 404, there is none, or it was not read since sources are merged.
        """
        records = SourceRepository(self.repository.connection, source)
        known, record = (await records.find([source_id])).get(source_id), await records.record(source_id)
        if known is None or record is None:
            raise NotFoundError
        owners = await self.repository.name_owners(numbers_of(record))
        shared = {alias: found for alias, found in owners.items() if found[0] != known.trial_key}
        return AssignedRecord(record, known, shared, tuple(await self.assignments.of_record(source, source_id)))

    async def log(self, trial: str | None, rows: Rows, before: int | None, limit: int) -> list[StoredEntry]:
        """Return entries of the log, newest first, before a number: all, or those on a trial and those merged into it.

        :raises NotFoundError: 404, there is no such trial.
        """
        keys = None
        if trial is not None:
            stored = await self.merges.trials.find(trial, rows)
            keys = [stored.key, *stored.merged]
        return await self.assignments.page(keys, before, limit)

    async def assign(
        self, source: str, source_id: str, trial: str | None, rows: Rows, expected: int | None, author: Author
    ) -> AssignedRecord:
        """Assign a record to a trial, or to a new one. ``expected``: the version of the record (None: any).

        :raises NotFoundError: 404, no such record or trial.
        :raises SameTrialError: 409, it is its trial already.
        :raises LastRecordError: 409, nothing else is known of the trial that it leaves.
        :raises StaleVersionError: 412.
        """
        found = await self.read(source, source_id)
        check_version(expected, found.version)
        target = None if trial is None else await self.merges.part_of(trial, rows)
        await self._move(found, target, author)
        return await self.read(source, source_id)

    async def join(self, source: str, source_id: str, author: Author) -> None:
        """Decide that a record and all trials with which it shares a number are one."""
        found = await self.read(source, source_id)
        stored = [await self.repository.get(key) for key in {present for _, present in found.owners.values()}]
        if not stored:
            raise NotFoundError
        first, *others = sorted(stored, key=lambda one: (not one.trial.published, one.key))
        parts = {part for part, _ in found.owners.values()}
        act = None
        for other in others:
            act = (await self.merges.join(other, await self.repository.get(first.key), author, act)).act
        await self._move(found, parts.pop() if len(parts) == 1 else first.key, author, act)

    async def undo(self, source: str, source_id: str, expected: int | None, author: Author) -> AssignedRecord:
        """Undo the last decision of a person on a record that is in force.

        :raises NoAssignmentError: 409, there is none.
        :raises ChangedSinceError: 409, later decisions depend on it.
        :raises StaleVersionError: 412.
        """
        found = await self.read(source, source_id)
        check_version(expected, found.version)
        if not found.decided:
            raise NoAssignmentError
        undone, act = found.decided[-1].act, None
        for one in reversed(await self.assignments.of_act(undone)):
            if one.entry.action == "assigned":
                act = await self._move_back(found, one.entry, author, undone)
            elif (await self.assignments.merged_into([one.entry.trial])).get(one.entry.trial) != one.entry.other:
                raise ChangedSinceError
            else:
                await self.merges.separate(one.entry.trial, author, act, undone)
        return await self.read(source, source_id)

    async def _move(self, found: AssignedRecord, target: str | None, author: Author, act: int | None = None) -> None:
        """Assign a record to a trial (None: to a new one), with its own number and those that only it states."""
        record, former = found.record, found.known.trial_key
        own = alias_of(record.source_id)
        if target is not None and target == former:
            raise SameTrialError
        moved = {own: found.owners[own][0]} if own in found.owners else {}
        if former is not None:
            left = await leaving(self.merger, record, former)
            if left is None:
                raise LastRecordError
            moved |= dict.fromkeys(left, former)
        moved = {alias: part for alias, part in moved.items() if part != target}
        creates = target is None
        if target is None:
            for alias, part in moved.items():
                await self.assignments.drop_names(part, [alias])
            origin = Origin(source=record.source, source_id=record.source_id)
            target = (await self.merger.create(record, origin, may_share=True)).key
            result = "created"
        else:
            present = (await self.repository.present(target)).key
            await self.assignments.move_names(dict.fromkeys(moved, (target, present)))
            result = "updated"
        self.merges.writer.cause = Cause(CURATED, author.name)
        await self.assignments.assign(record.source, record.source_id, target, result, self.now)
        entry = Entry(
            "assigned",
            target,
            former,
            record.source,
            record.source_id,
            author.name,
            author.reason,
            tuple(sorted(found.owners)),
            found.known.result,
            moved,
            creates,
        )
        await self.assignments.add(entry, self.now, act)
        await self._merge_again([*moved.values(), *([former] if former else []), target])

    async def _move_back(self, found: AssignedRecord, entry: Entry, author: Author, undone: int) -> int:
        """Assign a record to the trial where it was before, if any, with the numbers that went with it."""
        record, present = found.record, await self.repository.present(entry.trial)
        if found.known.trial_key != entry.trial:
            raise ChangedSinceError
        left = await leaving(self.merger, record, entry.trial)
        own = await self.repository.get(entry.trial)
        if left is None and own.merged:
            raise ChangedSinceError
        answering = {part: (await self.repository.present(part)).key for part in set(entry.moved.values())}
        await self.assignments.move_names({alias: (part, answering[part]) for alias, part in entry.moved.items()})
        await self.assignments.drop_names(entry.trial, None if left is None else left - entry.moved.keys())
        result = entry.former_result or "updated"
        self.merges.writer.cause = Cause(CURATED, author.name)
        await self.assignments.assign(record.source, record.source_id, entry.other, result, self.now)
        reverse = Entry(
            "assigned" if entry.other else "released",
            entry.other or entry.trial,
            entry.trial if entry.other else None,
            record.source,
            record.source_id,
            author.name,
            author.reason,
            undoes=undone,
        )
        act = await self.assignments.add(reverse, self.now)
        concerned = {*entry.moved.values(), *([entry.other] if entry.other else [])}
        if left is None:
            hidden = await self.merges.writer.hide(own, own.key)
            if own.key == present.key:
                self.merges.writer.record(removal_of(hidden.trial, own.routing))
        if present.key != own.key or left is not None:
            concerned.add(present.key)
        await self._merge_again(concerned)
        return act

    async def _merge_again(self, keys: Iterable[str]) -> None:
        """Merge again the trials that answer for some trials, with the names that they have now."""
        for key in sorted({(await self.repository.present(key)).key for key in keys}):
            stored = await self.repository.get(key)
            await self.repository.lock(key)
            await self.merger.merge_stored(replace(stored, names=await self.assignments.names(key)))
