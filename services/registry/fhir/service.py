"""Finds published trials and returns them as FHIR resources."""

from collections.abc import Sequence
from typing import Any

from services.registry.fhir.research_study import research_study
from services.registry.model.trial import Trial
from services.registry.trials.repository import TrialRepository
from shared.values.problems import NotFoundError


class ResearchStudies:
    """Published trials that are not demonstrations, in one transaction."""

    def __init__(self, trials: TrialRepository) -> None:
        self._trials = trials

    async def read(self, identifier: str) -> Trial:
        """Return a trial by any of its public identifiers.

        :raises NotFoundError: 404, there is no such published trial, or it is a demonstration.
        """
        stored = await self._trials.find(identifier, "published")
        if stored is None or stored.trial.illustrative:
            raise NotFoundError
        return stored.trial

    async def some(self, identifiers: Sequence[str]) -> list[Trial]:
        """Return those trials that exist, in this order."""
        found = []
        for identifier in dict.fromkeys(identifiers):
            try:
                found.append(await self.read(identifier))
            except NotFoundError:
                continue
        return found

    async def page(self, after: int, limit: int) -> list[tuple[int, Trial]]:
        """Return the next trials after a number, in the order in which the registry took them, each with its number."""
        rows = await self._trials.page("published", after, limit, demo=False)
        return [(number, Trial.model_validate_json(document)) for number, document in rows]


def searchset(trials: Sequence[Trial], base: str, path: str, following: str | None) -> dict[str, Any]:
    """Return a Bundle of the trials.

    ``base``: the address of the interface; ``path``: of this page; ``following``: of the next.
    """
    links = [{"relation": "self", "url": path}] + ([{"relation": "next", "url": following}] if following else [])
    entries = [
        {
            "fullUrl": f"{base}/ResearchStudy/{trial.id}",
            "resource": research_study(trial),
            "search": {"mode": "match"},
        }
        for trial in trials
    ]
    # FHIR allows no empty list.
    return {"resourceType": "Bundle", "type": "searchset", "link": links} | ({"entry": entries} if entries else {})
