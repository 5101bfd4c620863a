"""Decides who is a party of a trial, and writes what the parties state, with its event."""

from datetime import date, datetime

from pydantic import BaseModel

from services.registry.model.precondition import Precondition
from services.registry.preparation.events import change_of_preparation
from services.registry.preparation.model import Party, Place, Role, Stated
from services.registry.preparation.repository import PreparationRepository
from services.registry.schema import FEED
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import author_of
from shared.access.policy import Access, decide
from shared.access.principal import Principal
from shared.values.clock import day_in_france
from shared.values.problems import AlreadyExistsError, ForbiddenError, NotFoundError, StaleVersionError


class PreparationService:
    """What the parties of trials state, in one transaction, at ``now``."""

    def __init__(self, repository: PreparationRepository, trials: TrialRepository, now: datetime) -> None:
        self.repository = repository
        self.trials = trials
        self.now = now

    @property
    def today(self) -> date:
        """The present day in France."""
        return day_in_france(self.now)

    async def party(self, identifier: str, principal: Principal) -> Party:
        """Return which party of a trial a caller is.

        :raises NotFoundError: 404, there is no such trial that the caller may see.
        """
        sees = decide(principal, "read", "trial")
        stored = await self.trials.find(identifier, sees.rows if sees else "published")
        if stored is None:
            raise NotFoundError
        owner = await self.trials.owner(stored.key)
        sites = frozenset(site.centre for site in await self.trials.sites(stored.key) if site.is_known)
        return Party(stored, _role(principal, owner), owner, principal.centre, sites)

    async def insider(self, identifier: str, access: Access, *, centre: str | None = None) -> Party:
        """Return the party that a caller is: the owner of the trial, one of its centres, or an overseer.

        ``centre``: a row of this centre is read or written; None: of the whole trial.

        :raises NotFoundError: 404, the caller is no party of the trial.
        """
        party = await self.party(identifier, access.principal)
        own = party.role == "centre" and party.centre in party.sites and centre in {None, party.centre}
        if access.rows != "all" and party.role != "sponsor" and not own:
            raise NotFoundError
        return party

    async def responsible(self, identifier: str, access: Access) -> Party:
        """Return the party of a caller that is responsible for the whole trial.

        :raises NotFoundError: 404, the caller is no party of the trial.
        :raises ForbiddenError: 403, a centre.
        """
        party = await self.party(identifier, access.principal)
        if party.role == "centre":
            raise ForbiddenError
        if party.role == "reader":
            raise NotFoundError
        return party

    async def state(
        self, party: Party, place: Place, document: BaseModel, access: Access, expected: Precondition
    ) -> Stated:
        """Write the next version of a document. The first one has version 1.

        :raises AlreadyExistsError: 412, it was to be created and exists.
        :raises NotFoundError: 404, it was to be replaced and is not there.
        :raises StaleVersionError: 412, it has another version, or another caller came first.
        """
        trial = party.stored
        current = await self.repository.get(trial.key, place)
        if expected.creates and current is not None:
            raise AlreadyExistsError
        if not expected.creates and current is None:
            raise NotFoundError
        if current is not None and expected.version not in {None, current.version}:
            raise StaleVersionError
        version = current.version + 1 if current else 1
        new = Stated(place, version, self.now, author_of(access.principal).name, document.model_dump_json())
        if not await self.repository.add(trial.key, new):
            raise StaleVersionError
        FEED.record(self.repository.connection, change_of_preparation(party, new))
        return new


def _role(principal: Principal, owner: str | None) -> Role:
    if principal.kind == "coordination":
        return "coordination"
    if owner is not None and principal.organisation == owner:
        return "sponsor"
    return "centre" if principal.centre is not None else "reader"
