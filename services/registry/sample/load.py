"""Loads the bundled sample into an empty registry: centres, real trials from public facts, and fictitious demonstration trials."""

import json
from collections.abc import Iterator
from datetime import timedelta
from importlib import resources
from typing import Any

from services.registry.centres.endpoints import change_of_centre
from services.registry.centres.repository import CentreRepository
from services.registry.centres.schemas import Centre, CentreInput
from services.registry.schema import FEED
from services.registry.terminology.terminology import Terminology
from services.registry.trials.repository import TrialRepository
from services.registry.trials.schemas import Origin, SiteInput, TrialInput, preferred_identifier
from services.registry.trials.service import TrialService
from shared.persistence import Database
from shared.persistence.advisory_lock import take_advisory_lock

SAMPLE = "services.registry.sample"


def documents(folder: str) -> Iterator[dict[str, Any]]:
    """The JSON documents of a folder of the sample, in the order of their names."""
    files = sorted((resources.files(SAMPLE) / folder).iterdir(), key=lambda file: file.name)
    yield from (json.loads(file.read_text(encoding="utf-8")) for file in files if file.name.endswith(".json"))


def listed(name: str) -> list[dict[str, Any]]:
    """One JSON list of the sample."""
    found: list[dict[str, Any]] = json.loads((resources.files(SAMPLE) / name).read_text(encoding="utf-8"))
    return found


async def load_sample(database: Database, terminology: Terminology) -> int:
    """Load everything in one transaction, or nothing where the registry already holds a centre; returns the number of trials.

    Of replicas that start together one loads it.
    """
    async with database.transaction() as connection:
        await take_advisory_lock(connection, "load sample")
        centres = CentreRepository(connection)
        if await centres.page(None, 1):
            return 0
        desk = TrialService(TrialRepository(connection), centres, terminology)
        for given in listed("centres.json"):
            draft = CentreInput.model_validate({name: value for name, value in given.items() if name != "id"})
            centre = Centre(id=given["id"], version=1, updated_at=desk.now, **dict(draft))
            await centres.save(centre, None)
            FEED.record(connection, change_of_centre(None, centre))
        criteria = {document["trial"]: document for document in documents("criteria")}
        declared = listed("sites.json")
        count = 0
        for document in documents("trials"):
            trial = TrialInput.model_validate(document)
            identifier = preferred_identifier(trial.identifiers)
            stored = await desk.create(
                trial, Origin(source="sample", source_id=identifier), curated=True, criteria=criteria.get(identifier)
            )
            for site in (one for one in declared if one["trial"] == identifier):
                confirmed = desk.now - timedelta(days=site["confirmed_days_ago"])
                given_site = SiteInput(status=site["status"], slots=site.get("slots", []), confirmed_at=confirmed)
                await desk.declare_site(stored, site["centre"], given_site, None)
            count += 1
        return count
