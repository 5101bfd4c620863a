"""Loads the bundled sample into an empty registry.

`provenance/` says of each fact of a real trial where it was read and when it was checked: JSON Pointers into the trial,
and `/criteria/<id>`, each with `source`, `ref` and `checked`. An entry covers what lies below it. It is not loaded.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from importlib import resources
from typing import Any

from services.registry.centres.repository import CentreRepository
from services.registry.centres.schemas import CentreInput
from services.registry.centres.service import CentreService
from services.registry.merge.reading import record_of
from services.registry.model.site import SiteInput
from services.registry.model.trial import Origin, TrialInput, preferred_identifier
from services.registry.trials.assignments.model import Entry
from services.registry.trials.assignments.repository import AssignmentRepository
from services.registry.trials.repository import TrialRepository
from services.registry.trials.rules import TrialRules
from services.registry.trials.service import TrialService
from services.registry.trials.statements.model import Author
from shared.persistence import Database
from shared.persistence.advisory_lock import take_advisory_lock

SAMPLE = "services.registry.sample"


def documents(folder: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON documents of a folder of the sample, in the order of their file names."""
    files = sorted((resources.files(SAMPLE) / folder).iterdir(), key=lambda file: file.name)
    yield from (json.loads(file.read_text(encoding="utf-8")) for file in files if file.name.endswith(".json"))


def listed(name: str) -> list[dict[str, Any]]:
    """Return a JSON list of the sample."""
    found: list[dict[str, Any]] = json.loads((resources.files(SAMPLE) / name).read_text(encoding="utf-8"))
    return found


async def load_sample(database: Database, rules: TrialRules) -> int:
    """Load the sample in one transaction, unless the registry already has a centre. Return the number of trials loaded.

    If several replicas start together, one of them loads it.
    """
    async with database.transaction() as connection:
        await take_advisory_lock(connection, "load sample")
        centres = CentreRepository(connection)
        if await centres.page(None, 1):
            return 0
        await _load_centres(CentreService(centres))
        trials = TrialService(TrialRepository(connection), centres, rules)
        return await _load_trials(trials)


async def _load_centres(centres: CentreService) -> None:
    for given in listed("centres.json"):
        draft = CentreInput.model_validate({name: value for name, value in given.items() if name != "id"})
        await centres.save(given["id"], draft, None)


async def _load_trials(trials: TrialService) -> int:
    criteria = {document["trial"]: document for document in documents("criteria")}
    declared = listed("sites.json")
    count = 0
    for document in documents("trials"):
        trial = TrialInput.model_validate(document)
        identifier = preferred_identifier(trial.identifiers)
        record = record_of("sample", identifier, trial.model_dump(mode="json"))
        origin = Origin(source="sample", source_id=identifier)
        stored = await trials.merger.create(record, origin, criteria=criteria.get(identifier))
        await trials.merger.records.add(record, stored.key)
        entry = Entry("assigned", stored.key, source=record.source, source_id=record.source_id)
        await AssignmentRepository(trials.repository.connection).add(entry, trials.now)
        for site in (one for one in declared if one["trial"] == identifier):
            confirmed = trials.now - timedelta(days=site["confirmed_days_ago"])
            given = SiteInput(status=site["status"], slots=site.get("slots", []), confirmed_at=confirmed)
            await trials.merger.sites.declare(stored, site["centre"], given, None, Author("sample"))
        count += 1
    return count
