"""Decides on signed criteria that are older than the text that they were written from."""

import json
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from services.registry.model.criteria_head import CriteriaHead
from services.registry.review.problems import NothingToUndoError
from services.registry.review.schemas import DecisionInput
from services.registry.trials.criteria import compared, source_hash
from services.registry.trials.decisions.model import Decision, StoredDecision
from services.registry.trials.drafts import draft_of
from services.registry.trials.merging import CURATED
from services.registry.trials.model import Cause, StoredTrial
from services.registry.trials.service import TrialService
from shared.criteria.model import CriteriaDocument
from shared.values.problems import NotFoundError

KIND: Final = "outdated_criteria"


class CriteriaReview:
    """Decisions on outdated criteria in one transaction."""

    def __init__(self, trials: TrialService) -> None:
        self.trials = trials
        self.writer = trials.writer
        self.decisions = trials.writer.decisions

    async def decide(self, stored: StoredTrial, given: DecisionInput, author: str) -> None:
        """Decide whether the criteria hold for the present text.

        ``still_valid`` is as good as a signature: two people must decide it for the same text. ``draft_again`` takes
        one: the criteria that follow from the registry's fields are in force until others are signed.

        :raises NotFoundError: 404, they are not outdated.
        """
        head, basis = stored.trial.criteria, source_hash(stored.trial.eligibility)
        if head is None or not head.outdated:
            raise NotFoundError
        self.writer.cause = Cause(CURATED, author)
        await self.trials.repository.lock(stored.key)
        now = self.writer.now
        decision = Decision(KIND, "", given.answer, given.reason, author, now, basis=basis, statement=head.version)
        await self.decisions.add(stored.key, decision)
        if given.answer == "draft_again":
            derived = self.writer.rules.registry_criteria(draft_of(stored.trial), self.writer.terminology)
            derived["source_hash"] = basis
            document = CriteriaDocument.model_validate_json(json.dumps(derived))
            await self._put(stored, await self.writer.add_criteria(stored.key, head, document))
        elif _two_agree(await self._in_force(stored.key)):
            await self._put(stored, head.model_copy(update={"source_hash": basis, "outdated": False}))

    async def undo(self, stored: StoredTrial, author: str) -> None:
        """Undo the last decision. Criteria that were drafted again give way to the signed ones, as a new version.

        :raises NothingToUndoError: 409, there is none, or other criteria were signed since.
        """
        decided, head = await self._in_force(stored.key), stored.trial.criteria
        if not decided or head is None:
            raise NothingToUndoError
        last = decided[-1]
        if head.grade != "registry" if last.answer == "draft_again" else head.version != last.statement:
            raise NothingToUndoError
        self.writer.cause = Cause(CURATED, author)
        numbers = [one.number for one in await self.decisions.of_trials([stored.key]) if one.decision == last]
        await self.decisions.withdraw(stored.key, numbers[-1], self.writer.now, author)
        text = await self.trials.repository.criteria(stored.key, last.statement)
        assert text is not None
        document = CriteriaDocument.model_validate_json(text)
        if last.answer == "draft_again":
            head = await self.writer.add_criteria(stored.key, head, document)
        elif head.outdated or _two_agree(await self._in_force(stored.key)):
            return
        signed = head.model_copy(update={"source_hash": document.source_hash, "outdated": True})
        await self._put(stored, compared(signed, stored.trial.eligibility, stored.trial.eligibility))

    async def _in_force(self, key: str) -> list[Decision]:
        found: Sequence[StoredDecision] = await self.decisions.of_trials([key])
        return [one.decision for one in found if one.decision.kind == KIND and one.withdrawn_at is None]

    async def _put(self, stored: StoredTrial, head: CriteriaHead | None) -> None:
        changes = {"criteria": head, "version": stored.trial.version + 1, "updated_at": self.writer.now}
        await self.writer.write(stored, stored.trial.model_copy(update=changes))


def _two_agree(decisions: Sequence[Decision]) -> bool:
    """Return whether two people decided the same as the last one, on the same text and criteria."""
    if not decisions or decisions[-1].answer != "still_valid":
        return False
    last = (decisions[-1].answer, decisions[-1].basis, decisions[-1].statement)
    agreeing = takewhile(lambda one: (one.answer, one.basis, one.statement) == last, reversed(decisions))
    return len({one.author for one in agreeing}) > 1
