"""Finds published trials and returns them as FHIR resources, with the present status of their sites."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.registry.centres.repository import CentreRepository
from services.registry.fhir.research_study import research_study
from services.registry.model.trial import Trial
from services.registry.trials.repository import TrialRepository
from services.registry.trials.sites.repository import SiteRepository
from shared.values.problems import NotFoundError

Resource = dict[str, Any]


class ResearchStudies:
    """Published trials that are not demonstrations, in one transaction."""

    def __init__(self, trials: TrialRepository) -> None:
        self._trials = trials
        self._sites = SiteRepository(trials.connection)
        self._centres = CentreRepository(trials.connection)

    async def read(self, identifier: str) -> Resource:
        """Return a trial by any of its public identifiers.

        :raises NotFoundError: 404, there is no such published trial, or it is a demonstration.
        """
        (resource,) = await self._resources([await self._find(identifier)])
        return resource

    async def some(self, identifiers: Sequence[str]) -> list[Resource]:
        """Return those trials that exist, in this order."""
        found = []
        for identifier in dict.fromkeys(identifiers):
            try:
                found.append(await self._find(identifier))
            except NotFoundError:
                continue
        return await self._resources(found)

    async def page(self, after: int, limit: int) -> list[tuple[int, Resource]]:
        """Return the next trials after a number, in the order in which the registry took them, each with its number."""
        rows = await self._trials.page("published", after, limit, demo=False)
        resources = await self._resources([Trial.model_validate_json(document) for _, document in rows])
        return [(number, resource) for (number, _), resource in zip(rows, resources, strict=True)]

    async def _find(self, identifier: str) -> Trial:
        stored = await self._trials.find(identifier, "published")
        if stored is None or stored.trial.illustrative:
            raise NotFoundError
        return stored.trial

    async def _resources(self, trials: Sequence[Trial]) -> list[Resource]:
        states = await self._sites.states([trial.id for trial in trials])
        names = await self._centres.names() if states else {}
        now = datetime.now(UTC)
        return [research_study(trial, states.get(trial.id, ()), names, now) for trial in trials]


def searchset(resources: Sequence[Resource], base: str, path: str, following: str | None) -> dict[str, Any]:
    """Return a Bundle of the trials.

    ``base``: the address of the interface; ``path``: of this page; ``following``: of the next.
    """
    links = [{"relation": "self", "url": path}] + ([{"relation": "next", "url": following}] if following else [])
    entries = [
        {"fullUrl": f"{base}/ResearchStudy/{one['id']}", "resource": one, "search": {"mode": "match"}}
        for one in resources
    ]
    # FHIR allows no empty list.
    return {"resourceType": "Bundle", "type": "searchset", "link": links} | ({"entry": entries} if entries else {})
