"""Judges which centres are able to give the product of a trial, and keeps what its sponsor states."""

from collections.abc import Iterable, Sequence
from typing import Final

from services.registry.capabilities.fit.judging import CentreFacts, CentreFit, judge
from services.registry.capabilities.fit.needs import Needs, Population, Statement, needs_of
from services.registry.capabilities.fit.schemas import NeedsInput
from services.registry.capabilities.product_facts import facts_of
from services.registry.capabilities.repository import CapabilityRepository
from services.registry.centres.repository import CentreRepository
from services.registry.model.precondition import Precondition
from services.registry.preparation.model import Party, Place, Stated
from services.registry.preparation.service import PreparationService
from services.registry.trials.model import StoredTrial
from shared.access.policy import Access
from shared.values.problems import NotFoundError

NEEDS: Final = Place("needs")
_POPULATIONS: Final[dict[str, Population]] = {"adult": "adult", "child": "paediatric"}
# The network has 11 centres.
_MAX_CENTRES: Final = 1000


class FitService:
    """Needs of trials, in one transaction."""

    def __init__(
        self, preparation: PreparationService, capabilities: CapabilityRepository, centres: CentreRepository
    ) -> None:
        self.preparation = preparation
        self.capabilities = capabilities
        self.centres = centres

    async def needs(self, identifier: str, access: Access) -> tuple[Party, Stated]:
        """Return what was stated of the needs of a trial.

        :raises NotFoundError: 404, nothing was.
        """
        party = await self.preparation.insider(identifier, access)
        stated = await self.preparation.repository.get(party.stored.key, NEEDS)
        if stated is None:
            raise NotFoundError
        return party, stated

    async def state_needs(
        self, identifier: str, given: NeedsInput, access: Access, expected: Precondition
    ) -> tuple[Party, Stated]:
        """State the needs of a trial: its sponsor or the coordination."""
        party = await self.preparation.responsible(identifier, access)
        return party, await self.preparation.state(party, NEEDS, given, access, expected)

    async def fit(
        self, identifier: str, centre: str | None, access: Access
    ) -> tuple[Party, tuple[Population, ...], Needs, list[CentreFit]]:
        """Return the trial, its populations and needs, and the answer for each centre: a centre sees its own.

        :raises NotFoundError: 404, no such trial or centre for the caller.
        """
        party = await self.preparation.party(identifier, access.principal)
        if access.rows != "all" and party.role == "reader":
            raise NotFoundError
        if party.role == "centre" and access.rows != "all":
            if centre not in {None, party.centre}:
                raise NotFoundError
            centre = party.centre
        populations, needs = await self._asked(party.stored)
        today = self.preparation.today
        judged = [judge(one, needs, populations, today) for one in await self._centres(centre)]
        return party, populations, needs, judged

    async def able(self, trials: Iterable[str], centre: str | None) -> set[str]:
        """Return the centres that are able to give the product of one of these trials. ``centre``: only this one."""
        left = {one.centre: one for one in await self._centres(centre)}
        found: set[str] = set()
        for key in trials:
            if not left:
                break
            populations, needs = await self._asked(await self.preparation.trials.get(key))
            able = [name for name, one in left.items() if self._is_able(one, needs, populations)]
            found |= {*able}
            left = {name: one for name, one in left.items() if name not in found}
        return found

    def _is_able(self, centre: CentreFacts, needs: Needs, populations: Sequence[Population]) -> bool:
        return judge(centre, needs, populations, self.preparation.today).answer == "able"

    async def _asked(self, trial: StoredTrial) -> tuple[tuple[Population, ...], Needs]:
        """Return the populations of a trial, and what its product needs of a site."""
        bands = trial.routing.facets.get("age_band", frozenset())
        populations = tuple(name for band, name in _POPULATIONS.items() if band in bands)
        stated = await self.preparation.repository.get(trial.key, NEEDS)
        statement = NeedsInput.model_validate_json(stated.text).statement if stated else Statement()
        return populations, needs_of(facts_of(trial.trial.product), statement)

    async def _centres(self, only: str | None) -> list[CentreFacts]:
        """:raises NotFoundError: 404."""
        capabilities = await self.capabilities.by_centre(only)
        found = [
            CentreFacts(
                one.id,
                [_POPULATIONS[population] for population in one.populations],
                one.label == "suspended",
                {capability.code: capability for capability in capabilities.get(one.id, ())},
            )
            for one in await self.centres.page(None, _MAX_CENTRES)
            if one.member and only in {None, one.id}
        ]
        if only is not None and not found:
            raise NotFoundError
        return found
