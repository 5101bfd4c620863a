"""A registry of realistic size: trials of the sample with other numbers, diseases, places and words."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

from services.registry.merge.reading import record_of
from services.registry.model.trial import (
    BilingualText,
    Condition,
    Identifier,
    Location,
    Origin,
    ScopeAnswer,
    Trial,
    TrialInput,
)
from services.registry.records.repository import TrialRecords
from services.registry.sample.load import documents
from services.registry.schema import FEED
from services.registry.terminology.terminology import Terminology, builtin
from services.registry.trials.model import Cause, StoredTrial
from services.registry.trials.repository import TrialRepository
from services.registry.trials.routing import audience, change_of_trial, facets
from shared.feed.changes import NOT_VISIBLE, Routing
from shared.persistence import Database
from shared.vocabulary.identifiers import trial_id

STATUSES = ("recruiting", "completed", "unknown", "not_yet_recruiting", "terminated")
COUNTRIES = ("FR", "DE", "GB", "US", "IT", "ES", "CN", "JP")
SYLLABLES = ("ba", "cor", "del", "fi", "gra", "hu", "lim", "mo", "nes", "per", "ro", "sta", "tu", "vi", "zan")
TOGETHER = 500


async def fill(database: Database, count: int) -> None:
    """Write ``count`` published trials with their feed entries, in transactions of 500."""
    trials = synthetic_trials(builtin(), count)
    terminology = builtin()
    for first in range(0, count, TOGETHER):
        async with database.transaction() as connection:
            repository, records = TrialRepository(connection), TrialRecords(connection)
            for _ in range(min(TOGETHER, count - first)):
                trial = next(trials).model_copy(update={"id": await repository.next_id(demo=False)})
                routing = Routing(audience(trial), facets(trial, terminology, {}))
                stored = StoredTrial(trial, routing)
                await repository.save(stored, ("created",), None, Cause("legacy"))
                await records.add(record_of("legacy", trial.id, trial.model_dump(mode="json")), trial.id)
                FEED.record(connection, change_of_trial(None, trial, (NOT_VISIBLE, routing), ("created",)))


def synthetic_trials(terminology: Terminology, count: int, seed: int = 1) -> Iterator[Trial]:
    """Return trials that differ in all that a list is searched and filtered by. The same seed gives the same trials."""
    chance = Random(seed)  # noqa: S311  data of a measurement
    diseases = [one for one in terminology if one.code.startswith(("ORPHA:", "MONDO:"))]
    weights = [1 / place for place in range(1, len(diseases) + 1)]
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))).capitalize() for _ in range(3_000)]
    originals = [TrialInput.model_validate(one) for one in documents("trials") if one["sample"] == "real"]
    now = datetime.now(UTC)
    for number in range(count):
        draft = originals[number % len(originals)]
        disease = chance.choices(diseases, weights)[0]
        nct = _number(number)
        changed = {
            "identifiers": [Identifier(type="nct", value=nct)],
            "acronym": f"BENCH-{number}",
            "titles": BilingualText(
                fr=f"Étude {' '.join(chance.sample(words, 4))}", en=f"Study {' '.join(chance.sample(words, 4))}"
            ),
            "conditions": [Condition(code=disease.code, text=disease.code)],
            "status": chance.choice(STATUSES),
            "countries": sorted(chance.sample(COUNTRIES, chance.randint(1, 3))),
            "locations": [Location(city=chance.choice(words), country="FR")],
            "sites": [],
            "cohorts": [],
            "sample": None,
            "illustrative": True,
        }
        fields = {name: getattr(draft, name) for name in TrialInput.model_fields} | changed
        yield Trial.model_construct(
            **fields,
            id=trial_id(number + 1),
            identifier=nct,
            version=1,
            updated_at=now,
            criteria=None,
            scope=ScopeAnswer(answer="in_scope", reasons=[]),
            state="published",
            published=True,
            origin=Origin(source="bench"),
        )


def identifiers(count: int) -> list[str]:
    """The numbers of that many synthetic trials."""
    return [_number(number) for number in range(count)]


def _number(number: int) -> str:
    return f"NCT9{number:07d}"
