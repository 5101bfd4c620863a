"""Merges what sources and people say of a trial, and writes what changed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from services.registry.merge.fields import at_path, differing_paths
from services.registry.merge.merging import merge
from services.registry.merge.model import Merged, Statement
from services.registry.merge.reading import Record
from services.registry.merge.scope import basis_of, rule
from services.registry.merge.states import DRAFT, actions_from, standing_of, state_basis, state_of
from services.registry.model.aliases import aliases_of
from services.registry.model.state import StateAction
from services.registry.model.trial import Identifier, Origin, ScopeAnswer, ScopeReason, TrialInput
from services.registry.records.repository import TrialRecords
from services.registry.trials.criteria import is_outdated
from services.registry.trials.decisions.model import Answer, Decision, TrialReviewKind
from services.registry.trials.drafts import draft_of, public_aliases, validated, without_numbers
from services.registry.trials.model import Cause, StoredTrial
from services.registry.trials.places.following import PlaceFollower
from services.registry.trials.places.model import Facility
from services.registry.trials.problems import IdentifierTakenError, WrongStateError
from services.registry.trials.routing import change_of_conflicts
from services.registry.trials.sites.writing import SiteWriter
from services.registry.trials.statements.model import Author, dump_origins
from services.registry.trials.statements.repository import StatementRepository
from services.registry.trials.writing import TrialWriter
from shared.values.wire import Label
from shared.vocabulary.identifiers import alias_of
from shared.vocabulary.recruitment import RecruitmentStatus

# The scope of a trial that no record describes any more.
NO_RECORD = ScopeAnswer(
    answer="out_of_scope",
    reasons=[
        ScopeReason(
            code="no_record",
            pointer="",
            detail=Label(fr="plus aucune source ne décrit cet essai", en="no source describes this trial any more"),
        )
    ],
)
CURATED = "curated"
# The records of a trial, and of those that are merged into it, by trial.
Parts = Mapping[str, Sequence[Record]]
NEW = TrialInput.model_construct(identifiers=[]).model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class Judged:
    """A draft, and the answer of the scope gate to it."""

    draft: TrialInput
    scope: ScopeAnswer


@dataclass(frozen=True, slots=True)
class _Draft:
    """A trial to be written, what the sources say of its sites, and where its parts come from."""

    trial: TrialInput
    sites: dict[str, RecruitmentStatus]
    origins: str


class TrialMerger:
    """Merged trials in one transaction."""

    def __init__(self, writer: TrialWriter) -> None:
        connection = writer.repository.connection
        self.writer = writer
        self.sites = SiteWriter(writer)
        self.places = PlaceFollower(writer)
        self.records = TrialRecords(connection)
        self.statements = StatementRepository(connection)
        self.decisions = writer.decisions

    async def create(
        self,
        record: Record,
        origin: Origin,
        judged: Judged | None = None,
        criteria: dict[str, Any] | None = None,
        *,
        may_share: bool = False,
    ) -> StoredTrial:
        """Create a trial from a record. ``criteria``: absent: derived from its fields.

        ``may_share``: numbers that other trials have stay theirs.

        :raises InvalidBodyError: 422, this is no valid trial.
        :raises IdentifierTakenError: 409.
        """
        self.writer.cause = Cause(record.source)
        placed = await self.places.placed([record])
        merged = merge(placed.records)
        draft = await self._draft(None, merged, judged=judged if placed.records == [record] else None)
        if len(draft.trial.identifiers) < len(merged.document["identifiers"]) and not may_share:
            raise IdentifierTakenError
        scope = self._gate(draft.trial, judged)
        state = state_of(scope.answer, None)
        stored = await self.writer.create(draft.trial, origin, scope, state, draft.origins, criteria)
        if draft.sites:
            await self.sites.follow(stored, draft.sites)
        await self.places.follow(stored, placed.facilities, {})
        return stored

    async def create_stated(self, draft: TrialInput, author: Author, *, as_draft: bool = False) -> StoredTrial:
        """Create a trial that a person writes: everything in it is a statement. ``as_draft``: do not publish it yet.

        :raises OutOfScopeError: 422, naming the fields that decide.
        :raises IdentifierTakenError: 409.
        """
        self.writer.cause = Cause(CURATED, author.name)
        scope = self.writer.accept(draft)
        await self.writer.take_numbers(draft, None)
        state = state_of(scope.answer, DRAFT if as_draft else None)
        stored = await self.writer.create(draft, Origin(source=CURATED), scope, state, "{}")
        if as_draft:
            reason = author.reason or ""
            await self.decisions.add(
                stored.key, Decision("state", "", DRAFT, reason, author.name, self.writer.now, basis=state_basis(draft))
            )
        after = draft.model_dump(mode="json")
        stated = await self._add(stored, after, dict.fromkeys(differing_paths(NEW, after)), author)
        return await self.merge_again(stored, {}, stated)

    async def state(
        self, stored: StoredTrial, draft: TrialInput, named: Collection[str], author: Author
    ) -> StoredTrial:
        """State each field in which a person's draft differs from a trial.

        ``named``: fields that the person named: where one of them is in conflict, the statement settles it, even if its
        value is that of the trial. The same where the trial has its value from one that is merged into it.

        :raises OutOfScopeError: 422, naming the fields that decide.
        :raises IdentifierTakenError: 409.
        """
        await self._begin(stored, author.name)
        after = draft.model_dump(mode="json")
        paths = differing_paths(draft_of(stored.trial).model_dump(mode="json"), after)
        for one in await self.statements.conflicts(stored.key) if named else ():
            path = one.conflict.path
            if path not in paths and _covers(named, path):
                paths = [*(other for other in paths if not other.startswith(f"{path}.")), path]
        parts, stated = await self._parts(stored)
        parts, _ = await self._placed(parts)
        sourced = _merge(parts, [one for one in stated if one.of is not None]).document
        if stored.merged:
            own = merge(parts[stored.key], [one for one in stated if one.of is None]).document
            paths += [one for one in differing_paths(own, after) if one not in paths and _covers(named, one)]
        against = {path: at_path(sourced, path) for path in paths}
        if stored.merged:
            # Where the merged trials say the same, only what its own sources say is contradicted.
            by_itself = merge(parts[stored.key]).document
            against |= {one: at_path(by_itself, one) for one in paths if against[one] == at_path(after, one)}
        if "identifiers" in paths:
            await self.writer.take_numbers(draft, stored.key)
        new = await self._add(stored, after, against, author)
        return await self.merge_again(stored, parts, [*stated, *new], by_person=True)

    async def withdraw(
        self, stored: StoredTrial, number: int, author: Author, of: str | None = None
    ) -> StoredTrial | None:
        """Withdraw a statement and merge the trial again. Return None if there is no such statement in force.

        ``of``: the trial on which it was made, where that is merged into this one.
        """
        await self._begin(stored, author.name)
        if of not in {None, stored.key, *stored.merged}:
            return None
        if not await self.statements.withdraw(of or stored.key, number, self.writer.now, author):
            return None
        return await self.merge_stored(stored)

    async def restore(self, stored: StoredTrial, statement: Statement, author: Author) -> StoredTrial:
        """State again what a withdrawn statement said, as it was said: against the same values of the sources."""
        await self._begin(stored, author.name)
        path = statement.path
        await self.statements.add(
            stored.key, {path: statement.value}, {path: statement.against}, self.writer.now, author
        )
        return await self.merge_stored(stored)

    async def decide_scope(self, stored: StoredTrial, answer: Answer, reason: str, author: str) -> StoredTrial:
        """Decide for the present conditions and product whether a trial belongs in the registry."""
        await self._begin(stored, author)
        await self._add_scope(stored.key, await self._present(stored), answer, reason, author)
        return await self.merge_stored(stored)

    async def act(self, stored: StoredTrial, action: StateAction, reason: str, author: str) -> StoredTrial:
        """Publish, withdraw, archive or restore a trial (`services.registry.merge.states`).

        To publish also decides that the trial is in scope, where the gate does not say so.

        :raises WrongStateError: 409, its state does not allow that.
        """
        await self._begin(stored, author)
        if action not in actions_from(stored.trial.state):
            raise WrongStateError
        draft = await self._present(stored)
        if action == "publish" and stored.trial.scope.answer != "in_scope":
            await self._add_scope(stored.key, draft, "in_scope", reason, author)
        held = standing_of((await self.decisions.on_scope_and_state(stored.key))[1]).hold is not None
        if held or action != "publish":
            now, basis = self.writer.now, state_basis(draft)
            await self.decisions.add(stored.key, Decision("state", "", action, reason, author, now, basis=basis))
        return await self.merge_stored(stored)

    async def undo_scope(self, stored: StoredTrial, number: int, author: str) -> StoredTrial:
        """Withdraw a decision on the scope of a trial."""
        await self._begin(stored, author)
        await self.decisions.withdraw(stored.key, number, self.writer.now, author)
        return await self.merge_stored(stored)

    async def merge_record(self, stored: StoredTrial, record: Record, judged: Judged, part: str) -> StoredTrial:
        """Merge a trial with a new form of one of its records. ``part``: the trial to which the record was assigned."""
        self.writer.cause = Cause(record.source)
        await self.writer.repository.lock(stored.key)
        parts, statements = await self._parts(stored)
        others = [one for one in parts[part] if (one.source, one.source_id) != (record.source, record.source_id)]
        return await self.merge_again(stored, {**parts, part: [*others, record]}, statements, judged=judged)

    async def merge_again(
        self,
        stored: StoredTrial,
        parts: Parts,
        statements: Sequence[Statement],
        *,
        judged: Judged | None = None,
        by_person: bool = False,
    ) -> StoredTrial:
        """Merge a trial, and write it if it, its names or its scope changed.

        ``by_person``: refuse what leaves the scope. A trial that a source took out of it, or on which a person decided,
        can still be edited.
        """
        fellows: frozenset[str] = frozenset()
        if stored.merged:
            fellows = await self._save_names(stored, parts, statements)
            stored = replace(stored, names=stored.aliases | fellows)
        parts, facilities = await self._placed(parts)
        merged = _merge(parts, statements)
        draft = await self._draft(stored.key, merged, fellows)
        was = stored.trial.scope
        refuses = by_person and was.by == "gate" and was.answer != "out_of_scope"
        gate = self.writer.accept(draft.trial) if refuses else self._gate(draft.trial, judged)
        on_scope, on_state = await self.decisions.on_scope_and_state(stored.key)
        ruling, standing = rule(gate, basis_of(draft.trial), on_scope), standing_of(on_state)
        state = state_of(ruling.scope.answer, standing.hold)
        written = await self.writer.replace(stored, draft.trial, ruling.scope, state, draft.origins)
        reviews: dict[TrialReviewKind, bool] = {
            "scope": ruling.in_review and standing.hold is None,
            "state": standing.in_review(state_basis(draft.trial)),
            "outdated_criteria": is_outdated(written.trial) and standing.hold != "archived",
        }
        await self.writer.set_reviews(written, reviews)
        await self.sites.follow(written, draft.sites)
        await self.places.follow(written, facilities)
        new = await self.statements.replace_conflicts(stored.key, merged.conflicts, self.writer.now)
        if new:
            self.writer.record(change_of_conflicts(written.trial, written.routing, {one.path for one in new}))
        return written

    async def merge_present(self, key: str, numbers: Collection[str] | None, source: str) -> StoredTrial:
        """Merge a trial again after a record of a source was put back. One that no record describes is withdrawn.

        ``numbers``: the names that it had; others that it no longer has are given back. None: it keeps all.
        """
        self.writer.cause = Cause(source)
        present = await self.writer.repository.present(key)
        await self.writer.repository.lock(present.key)
        merged = await self.merge_stored(await self.writer.repository.get(present.key))
        if numbers is not None:
            await self.writer.repository.release(merged.aliases - set(numbers), of=key)
        return merged

    async def merge_stored(self, stored: StoredTrial) -> StoredTrial:
        """Merge a trial again from what is stored of it. One that no record describes any more is withdrawn."""
        records, statements = await self._parts(stored)
        if not any(records.values()) and not any(one.path == "identifiers" for one in statements):
            return await self._withdraw_undescribed(stored)
        return await self.merge_again(stored, records, statements)

    async def _withdraw_undescribed(self, stored: StoredTrial) -> StoredTrial:
        closed: dict[TrialReviewKind, bool] = {"scope": False, "state": False}
        await self.writer.set_reviews(stored, closed)
        await self.statements.replace_conflicts(stored.key, (), self.writer.now)
        standing = standing_of((await self.decisions.on_scope_and_state(stored.key))[1])
        state = state_of(NO_RECORD.answer, standing.hold)
        return await self.writer.replace(stored, draft_of(stored.trial), NO_RECORD, state, stored.origins)

    async def _parts(self, stored: StoredTrial) -> tuple[Parts, list[Statement]]:
        records = await self.records.of_trials([stored.key, *stored.merged])
        return records, await self.statements.in_force(stored.key, stored.merged)

    async def numbers_of_parts(
        self, key: str, records: Sequence[Record], statements: Iterable[Statement]
    ) -> list[Identifier]:
        """Return the identifiers that a trial has of itself, whatever is merged with it; without numbers of others."""
        own = [replace(one, of=None) for one in statements]
        stated = [Identifier.model_validate(one) for one in merge(records, own).document.get("identifiers") or ()]
        owners = await self.writer.repository.name_owners(aliases_of(stated))
        return [one for one in stated if owners.get(alias_of(one.value), (key, key))[0] == key or one.type == "sponsor"]

    async def _save_names(self, stored: StoredTrial, parts: Parts, statements: Sequence[Statement]) -> frozenset[str]:
        """Store and return the names of the trials that are merged into one: theirs when they are separated."""
        names: set[str] = set()
        for key in stored.merged:
            own = await self.numbers_of_parts(key, parts[key], [one for one in statements if one.of == key])
            await self.writer.repository.save_names(key, own, present=stored.key)
            names |= aliases_of(own).keys()
        return frozenset(names)

    async def _draft(
        self, key: str | None, merged: Merged, fellows: Collection[str] = (), *, judged: Judged | None = None
    ) -> _Draft:
        """Return the trial that was merged, without numbers of others.

        ``fellows``: names of trials that are merged into it: its own numbers come first. ``judged``: the draft of the
        same record, if it was made before.
        """
        trial = validated(merged.document) if judged is None else judged.draft
        owners = await self.writer.repository.owners(public_aliases(trial))
        trial = without_numbers(trial, {alias for alias, owner in owners.items() if owner != key})
        if not trial.identifiers:
            raise IdentifierTakenError
        if fellows:
            ordered = sorted(trial.identifiers, key=lambda one: alias_of(one.value) in fellows)
            trial = trial.model_copy(update={"identifiers": ordered})
        trial = trial.model_copy(update={"sites": sorted(trial.sites, key=lambda site: site.centre)})
        said = {site.centre: site.status for site in trial.sites}
        return _Draft(trial, said, dump_origins(merged.provenance))

    async def _begin(self, stored: StoredTrial, author: str) -> None:
        """Begin a change by a person: no other transaction writes the trial until this one ends."""
        self.writer.cause = Cause(CURATED, author)
        await self.writer.repository.lock(stored.key)

    async def _present(self, stored: StoredTrial) -> TrialInput:
        """Return the trial as the stored records and statements give it."""
        parts, statements = await self._parts(stored)
        parts, _ = await self._placed(parts)
        return (await self._draft(stored.key, _merge(parts, statements))).trial

    async def find_places(self, stored: StoredTrial) -> None:
        """Write which facilities the stored records of a trial name, and merge nothing."""
        parts, _ = await self._parts(stored)
        await self.places.follow(stored, (await self._placed(parts))[1])

    async def _placed(self, parts: Parts) -> tuple[Parts, Mapping[str, Facility]]:
        """Return the records of the parts as people place their facilities, and these facilities."""
        placed = await self.places.placed([record for records in parts.values() for record in records])
        following = iter(placed.records)
        return {key: [next(following) for _ in records] for key, records in parts.items()}, placed.facilities

    async def _add_scope(self, key: str, draft: TrialInput, answer: Answer, reason: str, author: str) -> None:
        gate = self._gate(draft, None).answer
        basis, now = basis_of(draft), self.writer.now
        await self.decisions.add(key, Decision("scope", "", answer, reason, author, now, gate=gate, basis=basis))

    def _gate(self, draft: TrialInput, judged: Judged | None) -> ScopeAnswer:
        if judged is not None and judged.draft == draft:
            return judged.scope
        return self.writer.rules.scope(draft, self.writer.terminology)

    async def _add(
        self, stored: StoredTrial, after: Mapping[str, Any], against: Mapping[str, Any], author: Author
    ) -> list[Statement]:
        """State the values of a trial at some paths. ``against``: what the sources say, by path."""
        stated = {path: at_path(after, path) for path in against}
        return await self.statements.add(stored.key, stated, against, self.writer.now, author)


def _covers(named: Iterable[str], path: str) -> bool:
    return any(name == path or name.startswith(f"{path}.") for name in named)


def _merge(parts: Parts, statements: Iterable[Statement]) -> Merged:
    return merge(chain.from_iterable(parts.values()), statements)
