"""Reports authorisations that have lapsed without inclusion in France: once for each, to the parties of the trial."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from services.registry.activation.path import DECISIONS
from services.registry.activation.service import ActivationService
from services.registry.centres.repository import CentreRepository
from services.registry.preparation.events import change_of_preparation
from services.registry.preparation.model import Party, Place, Stated
from services.registry.preparation.repository import PreparationRepository
from services.registry.preparation.service import PreparationService
from services.registry.schema import FEED
from services.registry.trials.repository import TrialRepository
from shared.persistence import Database, Reading
from shared.values.clock import day_in_france

EVERY_SECONDS: Final = 3600.0
REGISTRY: Final = "registry"
# What the feed says: a change of the regulatory path.
EVENT: Final = Place("path", "authorisation_lapsed")


async def report_lapsed(database: Database) -> None:
    """Report what has lapsed, and wait an hour."""
    await report_all(database, datetime.now(UTC))
    await asyncio.sleep(EVERY_SECONDS)


async def report_all(database: Database, now: datetime) -> int:
    """Report the authorisations that have lapsed at ``now`` and are not reported yet. Return their number."""
    async with database.read(as_service=True) as connection:
        decided = await PreparationRepository(connection).trials_with("path", DECISIONS)
        lapsed = [trial for trial in decided if await _lapse(connection, trial, now)]
    for trial in lapsed:
        async with database.transaction(as_service=True) as connection:
            await PreparationRepository(connection).lock(trial)
            # Another replica may have reported it meanwhile.
            if (found := await _lapse(connection, trial, now)) is not None:
                party, place = found
                stated = PreparationRepository(connection)
                number = len(await stated.of_part(trial, "lapse")) + 1
                await stated.add(trial, Stated(place, 1, now, REGISTRY, "{}"))
                FEED.record(connection, change_of_preparation(party, Stated(EVENT, number, now, REGISTRY, "{}")))
    return len(lapsed)


async def _lapse(connection: Reading, trial: str, now: datetime) -> tuple[Party, Place] | None:
    """Return the parties of a trial and the place of the report; None: there is nothing to report."""
    trials, stated = TrialRepository(connection), PreparationRepository(connection)
    stored = await trials.find(trial, "published")
    if stored is None or stored.key != trial:
        return None
    sites = frozenset(site.centre for site in await trials.sites(trial) if site.is_known)
    party = Party(stored, "coordination", await trials.owner(trial), None, sites)
    service = ActivationService(PreparationService(stated, trials, now), CentreRepository(connection))
    lapses_on = (await service.path_for(party)).path.lapses_on
    if lapses_on is None or lapses_on >= day_in_france(now):
        return None
    place = Place("lapse", lapses_on.isoformat())
    return None if await stated.get(trial, place) else (party, place)
