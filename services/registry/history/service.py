"""Reads the past of trials."""

from services.registry.history.model import Version, differences
from services.registry.history.repository import HistoryRepository
from services.registry.history.schemas import FieldDifference, TrialDiff
from services.registry.trials.service import TrialService
from shared.access.policy import Access, decide
from shared.values.problems import NotFoundError


class HistoryService:
    """Versions of trials in one transaction, as far as one caller may see them."""

    def __init__(self, trials: TrialService, access: Access) -> None:
        self.trials = trials
        self.access = access
        self.sees_authors = decide(access.principal, "read", "statement") is not None

    async def page(self, identifier: str, before: int | None, limit: int) -> list[Version]:
        """Return versions before this one, newest first.

        :raises NotFoundError: 404, no such trial.
        """
        stored = await self.trials.find(identifier, self.access.rows)
        return await self._versions(stored.key).page(before, limit)

    async def diff(self, identifier: str, first: int | None, last: int | None) -> TrialDiff:
        """Return what differs between two versions.

        ``last``: None: the newest; ``first``: None: the one before that the caller may see.

        :raises NotFoundError: 404, no such trial or version.
        """
        stored = await self.trials.find(identifier, self.access.rows)
        repository = self._versions(stored.key)
        last = last if last is not None else stored.trial.version
        if first is None:
            first = next((one.version for one in await repository.page(last, 1)), last)
        first, last = min(first, last), max(first, last)
        ends = {one.version for number in (first, last) for one in await repository.between(number, number)}
        if ends != {first, last}:
            raise NotFoundError
        found = differences(await repository.between(first, last))
        items = [FieldDifference.of(one, with_author=self.sees_authors) for one in found]
        trial = stored.trial
        return TrialDiff(trial=trial.identifier, trial_id=trial.id, **{"from": first}, to=last, items=items)

    def _versions(self, key: str) -> HistoryRepository:
        return HistoryRepository(self.trials.repository.connection, key, self.access.rows)
