"""Reads and changes the states and owners of trials."""

from services.registry.identity.organisations.repository import OrganisationRepository
from services.registry.merge.states import actions_from, people_for, standing_of
from services.registry.states.problems import UnknownOwnerError
from services.registry.states.schemas import (
    ActionInput,
    OwnerInput,
    PossibleAction,
    StateDocument,
    TrialDecision,
    WaitingAction,
)
from services.registry.trials.decisions.model import Decision
from services.registry.trials.model import StoredTrial
from services.registry.trials.routing import change_of_review
from services.registry.trials.service import TrialService, author_of, check_person
from shared.access.policy import Access, Rows
from shared.values.problems import Fault

SHOWN = ("scope", "state", "owner")


class StateService:
    """States and owners in one transaction."""

    def __init__(self, trials: TrialService) -> None:
        self.trials = trials
        self.decisions = trials.merger.decisions

    async def read(self, identifier: str, rows: Rows) -> StateDocument:
        """Return where a trial stands.

        :raises NotFoundError: 404.
        """
        return await self._document(await self.trials.find(identifier, rows))

    async def act(self, identifier: str, given: ActionInput, access: Access) -> StateDocument:
        """Publish, withdraw, archive or restore a trial.

        :raises WrongStateError: 409. :raises PersonNeededError: 403.
        """
        stored = await self.trials.find(identifier, access.rows)
        if people_for(given.action) > 1:
            check_person(access.principal)
        author = author_of(access.principal).name
        return await self._document(await self.trials.merger.act(stored, given.action, given.reason, author))

    async def transfer(self, identifier: str, given: OwnerInput, author: str, rows: Rows) -> StateDocument:
        """Make another organisation responsible for a trial.

        :raises UnknownOwnerError: 422, there is no such active organisation.
        """
        stored = await self.trials.find(identifier, rows)
        repository = self.trials.repository
        if given.owner is not None:
            found = await OrganisationRepository(repository.connection).get(given.owner)
            if found is None or found.status != "active":
                place = Fault(pointer="/owner", code=UnknownOwnerError.code, detail=UnknownOwnerError.title)
                raise UnknownOwnerError(errors=[place])
        await repository.lock(stored.key)
        await repository.set_owner(stored.key, given.owner)
        decision = Decision("owner", given.owner or "", "transfer", given.reason, author, self.trials.now)
        await self.decisions.add(stored.key, decision)
        self.trials.writer.record(change_of_review("decided", f"state:{stored.key}", stored.trial))
        return await self._document(stored)

    async def _document(self, stored: StoredTrial) -> StateDocument:
        trial = stored.trial
        standing = standing_of((await self.decisions.on_scope_and_state(stored.key))[1])
        decided = await self.decisions.of_trials([stored.key])
        waiting = None
        if standing.waiting is not None and standing.by is not None:
            waiting = WaitingAction(action=standing.waiting, by=standing.by)
        return StateDocument(
            trial=trial.identifier,
            trial_id=trial.id,
            version=trial.version,
            state=trial.state,
            scope=trial.scope,
            owner=await self.trials.repository.owner(stored.key),
            actions=[PossibleAction(action=one, people=people_for(one)) for one in actions_from(trial.state)],
            waiting=waiting,
            decisions=[TrialDecision.of(one) for one in decided if one.decision.kind in SHOWN],
        )
