"""Which centres have trials in which diseases, as the index of public trials knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.registry.feasibility.gate import conditions_of
from services.registry.search.documents import TrialPlaces
from services.registry.terminology.conditions import map_condition
from services.registry.terminology.terminology import Terminology
from services.registry.trials.listing.follower import IndexFollower


@dataclass(frozen=True, slots=True)
class Indication:
    """Looks up the diseases of a study among the public trials. Fictitious trials do not count."""

    index: IndexFollower
    terminology: Terminology

    async def centres(self, trial: Mapping[str, Any]) -> set[str]:
        """Return the centres with a trial in one of the diseases that a study treats.

        :raises IndexStartingError: 503.
        """
        return {site.centre for place in await self._places(trial) for site in place.sites}

    async def competing(self, trial: Mapping[str, Any], centre: str) -> int:
        """Return the number of trials open at a centre in one of the diseases that a study treats.

        :raises IndexStartingError: 503.
        """
        places = await self._places(trial)
        return sum(any(site.centre == centre for site in place.open_sites) for place in places)

    async def _places(self, trial: Mapping[str, Any]) -> list[TrialPlaces]:
        codes = self._codes(trial)
        await self.index.current()
        found = self.index.places.values()
        return [one for one in found if one.is_public and not one.is_demo and one.targets & codes]

    def _codes(self, trial: Mapping[str, Any]) -> frozenset[str]:
        """Return the codes of the diseases in every system. The sponsor may have given names alone."""
        codes = {code or map_condition(text, self.terminology).code for code, text in conditions_of(trial)}
        return frozenset().union(*(self.terminology.same_as(code) | {code} for code in codes if code))
