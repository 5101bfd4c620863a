"""Reads the parts of an overview with the caller's rights to each."""

import json
from collections.abc import Sequence

from services.registry.capabilities.follow_up.service import FollowUpService
from services.registry.geography.atlas import Atlas
from services.registry.provenance.service import ProvenanceService
from services.registry.safety_holds.service import HoldService
from services.registry.trials.service import TrialService
from shared.access import Principal
from shared.access.policy import authorize
from shared.values.wire import ApiModel


class OverviewService:
    """Overviews in one transaction."""

    def __init__(self, trials: TrialService, follow_up: FollowUpService) -> None:
        self._trials = trials
        self._follow_up = follow_up

    async def read(self, identifier: str, principal: Principal, near: str | None, atlas: Atlas | None) -> str:
        """Return the overview of a trial as JSON.

        :raises NotFoundError: 404, there is no such trial that the caller may see.
        :raises UnknownFilterError: 400, ``near`` names no place.
        """
        trial, site, hold, capability = (
            authorize(principal, "read", one) for one in ("trial", "site", "safety_hold", "capability")
        )
        stored = await self._trials.find(identifier, trial.rows)
        criteria = await self._trials.repository.criteria(stored.key, None, trial.rows)
        origins = await ProvenanceService(self._trials).origins(identifier, trial)
        parts = {
            "criteria": criteria if criteria and stored.trial.criteria else "null",
            "sites": _listed(await self._trials.list_sites(identifier, site, near, atlas)),
            "provenance": _listed(origins),
            "follow_up": (await self._follow_up.read(identifier, capability)).model_dump_json(),
            "holds": _listed(await HoldService(self._trials).of_trial(identifier, hold, lifted=False)),
        }
        return f"{{{','.join(f'{json.dumps(name)}:{text}' for name, text in parts.items())}}}"


def _listed(documents: Sequence[ApiModel]) -> str:
    return f"[{','.join(one.model_dump_json() for one in documents)}]"
