"""Decides whether a record is one with the trials that have its numbers."""

from services.registry.duplicates.assigning import AssignmentService
from services.registry.duplicates.service import MergeService
from services.registry.review.model import Item
from services.registry.review.schemas import DecisionDocument, DecisionInput
from services.registry.trials.routing import change_of_review
from services.registry.trials.service import TrialService
from services.registry.trials.statements.model import Author
from shared.access.policy import Rows
from shared.values.problems import NotFoundError


class DuplicateReview:
    """Decisions on possible duplicates in one transaction."""

    def __init__(self, trials: TrialService) -> None:
        self.trials = trials
        self.assignments = AssignmentService(MergeService(trials))

    async def find(self, name: str, source: str, record: str) -> Item:
        """Return the item of a record on which a person decided.

        :raises NotFoundError: 404, there is none.
        """
        found = await self.assignments.read(source, record)
        if not found.by_people:
            raise NotFoundError
        key = found.known.trial_key
        if key is None:
            return Item(name, "possible_duplicate", None, None, None, source, record)
        trial = (await self.trials.repository.present(key)).trial
        return Item(name, "possible_duplicate", None, trial.id, trial.model_dump_json(), source, record)

    async def decide(self, item: Item, given: DecisionInput, author: Author, rows: Rows) -> None:
        """Merge the record and the trials that have its numbers, or make it a trial of its own.

        :raises NotFoundError: 404, nothing is to be decided.
        """
        source, record = item.place
        if item.since is None:
            raise NotFoundError
        self.trials.writer.record(change_of_review("decided", item.id, None))
        if given.answer == "merge":
            await self.assignments.join(source, record, author)
        else:
            await self.assignments.assign(source, record, None, rows, None, author)
        self.trials.writer.record(change_of_review("closed", item.id, None))

    async def undo(self, item: Item, author: Author) -> None:
        """Undo the last decision."""
        await self.assignments.undo(*item.place, None, author)
        self.trials.writer.record(change_of_review("decided", item.id, None))
        self.trials.writer.record(change_of_review("opened", item.id, None))

    async def decisions(self, item: Item) -> list[DecisionDocument]:
        """Return the decisions on a record, oldest first."""
        found = await self.assignments.read(*item.place)
        undone = {one.entry.undoes: one for one in found.own_entries if one.entry.undoes is not None}
        return [DecisionDocument.of_record(one, undone.get(one.act)) for one in found.by_people]
