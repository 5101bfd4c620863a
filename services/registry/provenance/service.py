"""Reads where the fields of trials come from, and what is stated and in conflict."""

from services.registry.provenance.schemas import ConflictDocument, FieldOrigin, StatementDocument
from services.registry.trials.model import StoredTrial
from services.registry.trials.service import TrialService
from services.registry.trials.sites.writing import origins_of
from services.registry.trials.statements.model import load_origins
from shared.access.policy import Access, decide


class ProvenanceService:
    """Reads in one transaction."""

    def __init__(self, trials: TrialService) -> None:
        self.trials = trials
        self.statements = trials.merger.statements

    async def origins(self, identifier: str, access: Access) -> list[FieldOrigin]:
        """Return where the fields of a trial come from; the authors only if the caller may read statements."""
        stored = await self.trials.find(identifier, access.rows)
        sees_authors = decide(access.principal, "read", "statement") is not None
        stated = await self.statements.of_trial(stored.key, stored.merged) if sees_authors else []
        authors = {(one.statement.of, one.statement.id): one.author for one in stated}
        declared = origins_of(await self.trials.repository.sites(stored.key))
        origins = {**load_origins(stored.origins), **declared}
        return [FieldOrigin.of(path, one, authors) for path, found in sorted(origins.items()) for one in found]

    async def stated(self, identifier: str, access: Access) -> list[StatementDocument]:
        """Return the statements on a trial."""
        stored = await self.trials.find(identifier, access.rows)
        found = await self.statements.of_trial(stored.key, stored.merged)
        return [StatementDocument.of(one) for one in found]

    async def conflicts(self, identifier: str, access: Access) -> list[ConflictDocument]:
        """Return the open conflicts of a trial."""
        stored = await self.trials.find(identifier, access.rows)
        found = await self.statements.conflicts(stored.key)
        return [ConflictDocument.of(one, stored.trial.identifier) for one in found]

    async def all_conflicts(self, after: tuple[str, str], limit: int) -> list[tuple[ConflictDocument, list[str]]]:
        """Return open conflicts of all trials after a place, each with its own place."""
        trials: dict[str, StoredTrial] = {}
        found = []
        for one in await self.statements.all_conflicts(after, limit):
            if one.trial_key not in trials:
                trials[one.trial_key] = await self.trials.repository.get(one.trial_key)
            document = ConflictDocument.of(one, trials[one.trial_key].trial.identifier)
            found.append((document, [one.trial_key, one.conflict.key]))
        return found
