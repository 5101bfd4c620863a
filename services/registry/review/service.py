"""Reads the review queue, and decides and undoes what is in it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from services.registry.merge.fields import set_path
from services.registry.merge.merging import merge
from services.registry.merge.model import Conflict
from services.registry.model.state import StateAction
from services.registry.model.trial import ScopeReason, Trial
from services.registry.provenance.schemas import TO_DO, ConflictDocument
from services.registry.records.repository import SourceRepository
from services.registry.review.criteria import CriteriaReview
from services.registry.review.duplicates import DuplicateReview
from services.registry.review.model import CONFLICT_KEY, KINDS, Item, Narrowing, ReviewKind
from services.registry.review.problems import ClaimedError, NotDecidableError, NothingToUndoError, WrongAnswerError
from services.registry.review.records import RecordReview
from services.registry.review.repository import ReviewRepository
from services.registry.review.schemas import (
    CHANGED,
    CHOICES,
    DUPLICATE,
    NO_SIGN,
    OUTDATED,
    SECOND,
    Choice,
    DecisionDocument,
    DecisionInput,
    Review,
    ReviewRecord,
    ReviewTrial,
)
from services.registry.trials.decisions.model import Decision, StoredDecision
from services.registry.trials.drafts import draft_of, public_aliases, validated
from services.registry.trials.model import StoredTrial
from services.registry.trials.routing import change_of_review
from services.registry.trials.service import TrialService, author_of, check_person
from services.registry.trials.statements.model import Author, OpenConflict
from shared.access.policy import Access, Rows
from shared.values.problems import Fault, NotFoundError

# Their items name a record: its source and its id there.
OF_RECORDS = frozenset({"possible_duplicate", "quarantine"})
# Answers that have effect when two people gave them, or may need it.
OF_TWO_PEOPLE = frozenset({("scope", "in_scope"), ("state", "publish"), ("outdated_criteria", "still_valid")})


class ReviewService:
    """The review queue in one transaction."""

    def __init__(self, trials: TrialService, repository: ReviewRepository) -> None:
        self.trials = trials
        self.repository = repository
        self.merger = trials.merger
        self.decisions = trials.merger.decisions
        self.statements = trials.merger.statements
        self.duplicates = DuplicateReview(trials)

    async def page(self, narrowing: Narrowing, after: tuple[datetime, str] | None, limit: int) -> list[Review]:
        """Return open items, oldest first, after (since, id)."""
        return await self._reviews(await self.repository.page(narrowing, after, limit))

    async def counts(self, narrowing: Narrowing) -> dict[ReviewKind, int]:
        """Return how many items of each kind are open, whatever kind is asked for."""
        found = await self.repository.counts(replace(narrowing, kind=None))
        return {kind: found.get(kind, 0) for kind in KINDS}

    async def read(self, name: str, rows: Rows) -> Review:
        """Return an item, also one of which nothing is to be decided any more.

        :raises NotFoundError: 404.
        """
        return (await self._reviews([await self._find(name, rows)]))[0]

    async def claim(self, name: str, author: str, rows: Rows) -> Review:
        """Claim an open item for a person.

        :raises ClaimedError: 409, another person has claimed it.
        :raises NotFoundError: 404, nothing is to be decided.
        """
        item = await self._find(name, rows)
        if item.since is None:
            raise NotFoundError
        _check_claim(item, author)
        if item.claimed_by is None:
            await self.repository.claim(item.id, author, self.trials.now)
        return await self.read(item.id, rows)

    async def release(self, name: str, rows: Rows) -> None:
        """Remove the claim of an item, also that of another person, who may be away."""
        await self.repository.release((await self._find(name, rows)).id)

    async def decide(self, name: str, given: DecisionInput, access: Access) -> Review:
        """Decide on an item.

        :raises ClaimedError: 409, another person has claimed it.
        :raises NotDecidableError: 409, it is not decided here.
        :raises WrongAnswerError: 422, the answer is none of its choices.
        :raises PersonNeededError: 403.
        """
        rows, author = access.rows, author_of(access.principal).name
        item = await self._find(name, rows)
        _check_claim(item, author)
        _check_answer(item, given)
        if (item.kind, given.answer) in OF_TWO_PEOPLE:
            check_person(access.principal)
        if item.kind in OF_RECORDS:
            if item.kind == "quarantine":
                await RecordReview(self.trials, self.repository).decide(item, given, author)
            else:
                await self.duplicates.decide(item, given, Author(author, given.reason), rows)
            await self.repository.release(item.id)
            return await self.read(item.id, rows)
        assert item.trial_key is not None
        stored = await self.trials.repository.get(item.trial_key)
        self.trials.writer.record(change_of_review("decided", item.id, stored.trial))
        if item.kind == "scope":
            await self.merger.decide_scope(stored, given.answer, given.reason, author)
        elif item.kind == "outdated_criteria":
            await CriteriaReview(self.trials).decide(stored, given, author)
        elif item.kind == "state":
            await self.merger.act(stored, cast("StateAction", given.answer), given.reason, author)
        else:
            await self._settle(stored, item, given, Author(author, given.reason))
        await self.repository.release(item.id)
        return await self.read(item.id, rows)

    async def undo(self, name: str, author: str, rows: Rows) -> Review:
        """Undo the last decision on an item that is in force.

        :raises NothingToUndoError: 409, there is none.
        """
        item = await self._find(name, rows)
        if item.kind in OF_RECORDS:
            if item.kind == "quarantine":
                await RecordReview(self.trials, self.repository).undo(item, author)
            else:
                await self.duplicates.undo(item, Author(author))
            return await self.read(item.id, rows)
        found = [one for one in await self._decided(item) if one.withdrawn_at is None]
        # What people did about the state is reversed by the opposite action, with its own reason.
        if not found or item.trial_key is None or item.kind == "state":
            raise NothingToUndoError
        stored, last = await self.trials.repository.get(item.trial_key), found[-1]
        self.trials.writer.record(change_of_review("decided", item.id, stored.trial))
        if item.kind == "scope":
            await self.merger.undo_scope(stored, last.number, author)
        elif item.kind == "outdated_criteria":
            await CriteriaReview(self.trials).undo(stored, author)
        else:
            await self._unsettle(stored, last, author)
        return await self.read(item.id, rows)

    async def _find(self, name: str, rows: Rows) -> Item:
        """Return an item by its id. The trial in it may be named by any of its numbers."""
        kind = next((kind for kind in KINDS if name.startswith(f"{kind}:")), None)
        if kind is None:
            raise NotFoundError
        trial, _, conflict = name.removeprefix(f"{kind}:").partition(":")
        stored = None
        if kind in OF_RECORDS and trial == "partner":  # the name of a partner's source has a colon
            organisation, _, conflict = conflict.partition(":")
            trial = f"partner:{organisation}"
        if kind not in OF_RECORDS:
            stored = await self.trials.find(trial, rows)
            name = ":".join([kind, stored.key, *([conflict] if conflict else [])])
        found = await self.repository.find(name)
        if found is not None:
            return found
        if stored is None:
            closed = Item(name, kind, None, None, None, trial, conflict)
            if kind == "possible_duplicate":
                return await self.duplicates.find(name, trial, conflict)
            if not await self._decided(closed):
                raise NotFoundError
            return closed
        closed = Item(name, kind, None, stored.key, stored.trial.model_dump_json())
        if kind != "scope" and not await self._decided(closed):
            raise NotFoundError
        return closed

    async def _decided(self, item: Item) -> list[StoredDecision]:
        """Return the decisions on an item, oldest first."""
        if item.kind == "quarantine":
            return await self.repository.on_record(item.source or "", item.record or "")
        found = await self.decisions.of_trials([item.trial_key]) if item.trial_key is not None else []
        return [one for one in found if (one.decision.kind, one.decision.item) == (item.kind, item.conflict)]

    async def _settle(self, stored: StoredTrial, item: Item, given: DecisionInput, author: Author) -> None:
        """Settle a conflict: state one of its values, or withdraw the statement that the sources contradict."""
        conflict = await self._conflict(item)
        if conflict is None:
            raise NotFoundError
        path, taken = conflict.path, given.answer == "take"
        own = [one for one in await self.statements.in_force(stored.key) if one.path == path]
        if taken and conflict.kind != "stop" and own and own[-1].value == conflict.used:
            number = own[-1].id
            await self.merger.withdraw(stored, number, author)
        else:
            document = draft_of(stored.trial).model_dump(mode="json")
            set_path(document, path, conflict.other if taken else conflict.used)
            await self.merger.state(stored, validated(document), [path], author)
            number = await self._statement(stored.key, path)
        reason = given.reason
        decision = Decision(
            "conflict", item.conflict, given.answer, reason, author.name, self.trials.now, statement=number
        )
        await self.decisions.add(stored.key, decision)

    async def _unsettle(self, stored: StoredTrial, decided: StoredDecision, author: str) -> None:
        """Withdraw the statement by which a conflict was settled, or restore the one that was withdrawn."""
        number = decided.decision.statement
        statements = await self.statements.of_trial(stored.key)
        one = next(one for one in statements if one.statement.id == number)
        await self.decisions.withdraw(stored.key, decided.number, self.trials.now, author)
        if one.withdrawn_at is None:
            await self.merger.withdraw(stored, one.statement.id, Author(author))
        elif one.withdrawn_at == decided.decision.at:
            await self.merger.restore(stored, one.statement, Author(one.author, one.reason))

    async def _statement(self, key: str, path: str) -> int:
        """Return the number of the statement of a path that counts: the latest one in force."""
        return max(one.id for one in await self.statements.in_force(key) if one.path == path)

    async def _conflict(self, item: Item) -> Conflict | None:
        found = await self._open_conflict(item)
        return None if found is None else found.conflict

    async def _open_conflict(self, item: Item) -> OpenConflict | None:
        if item.kind != "conflict" or item.trial_key is None:
            return None
        found = await self.statements.conflicts(item.trial_key)
        return next((one for one in found if one.conflict.key[:CONFLICT_KEY] == item.conflict), None)

    async def _reviews(self, items: Sequence[Item]) -> list[Review]:
        decisions: dict[tuple[str, str, str], list[DecisionDocument]] = defaultdict(list)
        for one in await self.decisions.of_trials({item.trial_key for item in items if item.trial_key is not None}):
            decisions[one.trial_key, one.decision.kind, one.decision.item].append(DecisionDocument.of(one))
        return [
            await self._review(
                item,
                decisions.get((item.trial_key or "", item.kind, item.conflict), [])
                if item.kind != "quarantine"
                else [DecisionDocument.of(one) for one in await self._decided(item)],
            )
            for item in items
        ]

    async def _review(self, item: Item, decisions: list[DecisionDocument]) -> Review:
        trial = Trial.model_validate_json(item.document) if item.document is not None else None
        conflict = await self._open_conflict(item)
        return Review(
            id=item.id,
            kind=item.kind,
            since=item.since,
            trial=None if trial is None else _trial(trial),
            record=await self._record(item),
            conflict=None if conflict is None or trial is None else ConflictDocument.of(conflict, trial.identifier),
            reasons=_reasons(item, trial, conflict, decisions),
            choices=[Choice(answer=answer, effect=effect) for answer, effect in CHOICES[item.kind].items()],
            claimed_by=item.claimed_by,
            claimed_at=item.claimed_at,
            decisions=await self.duplicates.decisions(item) if item.kind == "possible_duplicate" else decisions,
        )

    async def _record(self, item: Item) -> ReviewRecord | None:
        if item.source is None or item.record is None:
            return None
        record = await SourceRepository(self.repository.connection, item.source).record(item.record)
        if record is None:
            return None
        draft = validated(merge([record]).document)
        owners = await self.trials.repository.owners(public_aliases(draft))
        shares_with = [(await self.trials.repository.get(key)).trial.identifier for key in sorted({*owners.values()})]
        return ReviewRecord(
            source=item.source,
            source_id=item.record,
            numbers=[one.value for one in draft.identifiers],
            titles=draft.titles,
            shares_with=shares_with,
        )


def _check_claim(item: Item, author: str) -> None:
    """:raises ClaimedError: 409."""
    if item.claimed_by not in {None, author}:
        raise ClaimedError


def _check_answer(item: Item, given: DecisionInput) -> None:
    """:raises Problem: 409 or 422, see `ReviewService.decide`."""
    choices = CHOICES[item.kind]
    if not choices:
        raise NotDecidableError
    if given.answer not in choices:
        raise WrongAnswerError(
            errors=[Fault(pointer="/answer", code=WrongAnswerError.code, detail=WrongAnswerError.title)]
        )


def _trial(trial: Trial) -> ReviewTrial:
    return ReviewTrial(
        id=trial.id,
        identifier=trial.identifier,
        numbers=[one.value for one in trial.identifiers],
        titles=trial.titles,
        state=trial.state,
        published=trial.published,
    )


def _reasons(
    item: Item, trial: Trial | None, conflict: OpenConflict | None, decisions: Sequence[DecisionDocument]
) -> list[ScopeReason]:
    """Return why a person should decide."""
    match item.kind:
        case "scope":
            return trial.scope.reasons if trial is not None else []
        case "state" if trial is not None:
            waits = decisions and decisions[-1].answer == "publish"
            code, detail = ("second_person", SECOND) if waits else ("withdrawn_changed", CHANGED)
            return [ScopeReason(code=code, pointer="/state", detail=detail)]
        case "conflict" if conflict is not None:
            one = conflict.conflict
            return [ScopeReason(code=one.kind, pointer=f"/{one.path.replace('.', '/')}", detail=TO_DO[one.kind])]
        case "outdated_criteria":
            return [ScopeReason(code=item.kind, pointer="/eligibility", detail=OUTDATED)]
        case "quarantine":
            return [ScopeReason(code="no_sign", pointer="/product", detail=NO_SIGN)]
        case "possible_duplicate":
            return [ScopeReason(code="shared_number", pointer="/identifiers", detail=DUPLICATE)]
    return []
