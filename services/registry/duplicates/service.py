"""Merges and separates trials, and assigns records to trials, as people decide. Every act can be undone exactly."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from services.registry.duplicates.numbers import leaving
from services.registry.duplicates.problems import NotMergeableError, NotMergedError, SameTrialError
from services.registry.records.repository import POSSIBLE_DUPLICATE, SourceRepository
from services.registry.trials.assignments.model import Entry
from services.registry.trials.assignments.repository import AssignmentRepository
from services.registry.trials.drafts import changed_fields
from services.registry.trials.merging import CURATED
from services.registry.trials.model import Cause, StoredTrial
from services.registry.trials.routing import change_of_unmerge, changes_of_merge
from services.registry.trials.service import TrialService, check_version
from services.registry.trials.statements.model import Author, load_origins
from shared.access.policy import Rows
from shared.feed.changes import NOT_VISIBLE
from shared.vocabulary.identifiers import alias_of


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge or separation that was made: the trial that was merged, the other one, and what changed in that.

    ``act``: its number in the log.
    """

    merged: StoredTrial
    into: StoredTrial
    changed: tuple[str, ...]
    act: int


class MergeService:
    """Merges of trials in one transaction."""

    def __init__(self, trials: TrialService) -> None:
        self.trials = trials
        self.repository = trials.repository
        self.writer = trials.writer
        self.merger = trials.merger
        self.assignments = AssignmentRepository(trials.repository.connection)
        self.now = trials.now

    async def merge(self, identifier: str, into: str, rows: Rows, expected: int | None, author: Author) -> Merge:
        """Merge a trial, of which version ``expected`` was read (None: any), into another one.

        :raises NotFoundError: 404, there is no such trial.
        :raises SameTrialError: 409, they are one already.
        :raises NotMergeableError: 409, one of them is a demonstration.
        :raises StaleVersionError: 412.
        """
        one, other = await self.trials.find(identifier, rows), await self.trials.find(into, rows)
        check_version(expected, one.trial.version)
        if one.key == other.key:
            raise SameTrialError
        return await self.join(one, other, author)

    async def join(self, one: StoredTrial, other: StoredTrial, author: Author, act: int | None = None) -> Merge:
        """Merge a trial into another one. ``act``: the act of which this is a part."""
        if (one.trial.sample == "demo") != (other.trial.sample == "demo"):
            raise NotMergeableError
        self.writer.cause = Cause(CURATED, author.name)
        for key in sorted((one.key, other.key)):
            await self.repository.lock(key)
        entry = Entry("merged", one.key, other.key, author=author.name, reason=author.reason)
        act = await self.assignments.add(entry, self.now, act)
        hidden = await self.writer.hide(one, other.key)
        await self.assignments.answer([one.key, *one.merged], other.key)
        joined = replace(other, names=other.aliases | one.aliases)
        await self.merger.sites.take_over(joined)
        written = await self.merger.merge_stored(joined)
        for change in changes_of_merge(hidden.trial, one.routing, written.trial, written.routing):
            self.writer.record(change)
        return Merge(hidden, written, changed_fields(other.trial, written.trial), act)

    async def not_used(self, merge: Merge) -> list[str]:
        """Return what people decided or stated of a merged trial and is not used while it is merged."""
        trial, other = merge.merged.trial, merge.into.trial
        found = []
        if trial.scope.by == "person" and trial.scope.answer != other.scope.answer:
            found.append("scope")
        if trial.state in {"draft", "withdrawn", "archived"} and trial.state != other.state:
            found.append("state")
        if trial.criteria is not None and trial.criteria.grade == "signed":
            found.append("criteria")
        origins = load_origins(merge.into.origins)
        stated = {one.path for one in await self.merger.statements.in_force(merge.merged.key)}
        used = {path for path, found in origins.items() for one in found if one.of == merge.merged.key}
        taken = {site.centre for site in await self.repository.sites(merge.into.key) if site.declared_for is not None}
        declared = [
            one.centre for one in await self.repository.sites(merge.merged.key) if one.declared_status is not None
        ]
        return [*found, *sorted(stated - used), *(f"sites/{centre}" for centre in declared if centre not in taken)]

    async def unmerge(self, identifier: str, rows: Rows, expected: int | None, author: Author) -> Merge:
        """Separate a trial from the one into which it was merged; ``expected``: the version of that.

        Both are as if they had never been merged, with what became known of each meanwhile.

        :raises NotFoundError: 404, there is no such trial.
        :raises NotMergedError: 409.
        :raises StaleVersionError: 412.
        """
        other = await self.trials.find(identifier, rows)
        check_version(expected, other.trial.version)
        alias = alias_of(identifier)
        key, _ = (await self.repository.name_owners([alias])).get(alias, (other.key, other.key))
        if key == other.key:
            raise NotMergedError
        return await self.separate(key, author)

    async def separate(self, key: str, author: Author, act: int | None = None, undoes: int | None = None) -> Merge:
        """Separate a merged trial. ``act``: the act of which this is a part; ``undoes``: the one that it undoes."""
        self.writer.cause = Cause(CURATED, author.name)
        other = await self.repository.present(key)
        for locked in sorted((key, other.key)):
            await self.repository.lock(locked)
        parents = await self.assignments.merged_into(other.merged)
        entry = Entry("unmerged", key, parents[key], author=author.name, reason=author.reason, undoes=undoes)
        act = await self.assignments.add(entry, self.now, act)
        leaving = [part for part in other.merged if key in _chain(part, parents)]
        await self.assignments.answer(leaving, key)
        await self._release_joined([other.key, *other.merged])
        one = await self.repository.get(key)
        one = replace(one, merged_into=None, routing=NOT_VISIBLE, names=await self.assignments.names(key))
        separated = await self.merger.merge_stored(one)
        # Before the entries of the other trial: for those who follow only this one, they remove it.
        self.writer.record(change_of_unmerge(separated.trial, separated.routing, other.trial, other.routing))
        rest = replace(other, names=await self.assignments.names(other.key))
        await self.merger.sites.give_back(rest, leaving)
        await self.merger.sites.take_over(rest)
        written = await self.merger.merge_stored(rest)
        return Merge(separated, written, changed_fields(other.trial, written.trial), act)

    async def _release_joined(self, keys: Collection[str]) -> None:
        """Release records that shared numbers joined to trials while these were one: they wait for a person again."""
        for one in await self.assignments.joined_by_rule(keys):
            entry = one.entry
            assert entry.source is not None
            assert entry.source_id is not None
            owners = await self.repository.owners(entry.numbers)
            record = await SourceRepository(self.repository.connection, entry.source).record(entry.source_id)
            if len(set(owners.values())) > 1 and record is not None:
                left = await leaving(self.merger, record, entry.trial)
                await self.assignments.drop_names(entry.trial, left or ())
                await self.assignments.assign(entry.source, entry.source_id, None, POSSIBLE_DUPLICATE, self.now)
                released = Entry("released", entry.trial, None, entry.source, entry.source_id, numbers=entry.numbers)
                await self.assignments.add(released, self.now)

    @asynccontextmanager
    async def trial_run(self, *, dry_run: bool) -> AsyncIterator[None]:
        """Take back at the end what is done inside, if it is a ``dry_run``."""
        async with self.repository.connection.begin_nested() as savepoint:
            yield
            if dry_run:
                await savepoint.rollback()

    async def part_of(self, identifier: str, rows: Rows) -> str:
        """Return the key of the trial that has a name itself, also while it is merged into another one.

        :raises NotFoundError: 404.
        """
        alias = alias_of(identifier)
        stored = await self.trials.find(identifier, rows)
        return (await self.repository.name_owners([alias])).get(alias, (stored.key, stored.key))[0]


def _chain(key: str, parents: dict[str, str]) -> set[str]:
    """Return a trial and those into which it was merged, one after the other."""
    found = {key}
    while key in parents:
        key = parents[key]
        found.add(key)
    return found
