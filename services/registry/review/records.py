"""Decides on records in quarantine: nothing in them shows an advanced therapy, and they are no trials."""

from services.registry.model.trial import Origin
from services.registry.records.repository import SourceRepository
from services.registry.review.model import Item
from services.registry.review.problems import NothingToUndoError
from services.registry.review.repository import ReviewRepository
from services.registry.review.schemas import DecisionInput
from services.registry.trials.assignments.model import Entry
from services.registry.trials.assignments.repository import AssignmentRepository
from services.registry.trials.decisions.model import Decision
from services.registry.trials.routing import ReviewStep, change_of_review
from services.registry.trials.service import TrialService
from shared.values.problems import NotFoundError


class RecordReview:
    """Decisions on records in one transaction."""

    def __init__(self, trials: TrialService, repository: ReviewRepository) -> None:
        self.trials = trials
        self.repository = repository

    async def decide(self, item: Item, given: DecisionInput, author: str) -> None:
        """Take a record as a trial, which then waits for a decision on its scope; or leave it.

        :raises NotFoundError: 404, nothing is to be decided.
        """
        source, source_id = item.place
        if item.since is None:
            raise NotFoundError
        decision = Decision("quarantine", "", given.answer, given.reason, author, self.trials.now)
        await self.repository.decide_on_record(source, source_id, decision)
        self._announce("decided", item)
        if given.answer == "take":
            records = SourceRepository(self.repository.connection, source)
            record = await records.record(source_id)
            if record is None:
                raise NotFoundError
            stored = await self.trials.merger.create(record, Origin(source=source, source_id=source_id))
            await records.take(source_id, stored.key)
            entry = Entry("assigned", stored.key, None, source, source_id, author, given.reason, creates=True)
            await AssignmentRepository(self.repository.connection).add(entry, self.trials.now)
        self._announce("closed", item)

    async def undo(self, item: Item, author: str) -> None:
        """Undo the last decision. A trial that was made of the record is archived: nothing is deleted.

        :raises NothingToUndoError: 409, there is none.
        """
        source, source_id = item.place
        decided = await self.repository.on_record(source, source_id)
        last = next((one for one in reversed(decided) if one.withdrawn_at is None), None)
        if last is None:
            raise NothingToUndoError
        await self.repository.withdraw_on_record(source, source_id, last.number, author, self.trials.now)
        self._announce("decided", item)
        known = (await SourceRepository(self.repository.connection, source).find([source_id])).get(source_id)
        if last.decision.answer != "take":
            self._announce("opened", item)
        elif known is not None and known.trial_key is not None:
            stored = await self.trials.repository.get(known.trial_key)
            if stored.trial.state != "archived":
                await self.trials.merger.act(stored, "archive", last.decision.reason, author)

    def _announce(self, what: ReviewStep, item: Item) -> None:
        self.trials.writer.record(change_of_review(what, item.id, None))
