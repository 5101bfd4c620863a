"""A match among few and many trials, and what other callers notice while the largest bodies are worked on."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

from services.bench.client import BenchError, Call, Connection, cost, quantile
from services.bench.corpus import synthetic_trials
from services.bench.figures import Figure
from services.bench.load import repeated, together
from services.bench.programs import Server, alone
from services.bench.records import eligibility
from services.matching.clients.documents import TrialRecord
from services.matching.patients.index import index_patient
from services.matching.patients.reading import read_patient
from services.matching.snapshots.files import SnapshotFiles
from services.matching.snapshots.model import Snapshot, Vocabulary
from services.registry.model.trial import TrialInput
from services.registry.sample.load import documents
from services.registry.sources.registry_criteria import registry_criteria
from services.registry.terminology.terminology import builtin

GROUP = "Matching (processor time, median)"
WORST = "Six of the largest bodies at once"
# The processor time for a patient of a common disease has no target: it grows with the trials that are listed.
TARGETS = {1_000: 10.0, 10_000: 40.0}
SIGNED_OF = 10
LINES = 7
FACTS = 300
CALLS = 41
DAY = date(2026, 6, 1)
MATCH = "/matching/v1/match?synthetic=true"
DRY_RUN = "/matching/v1/criteria/dry-run?synthetic=true"
JSON = {"Content-Type": "application/json"}


def matching(folder: Path, sizes: Sequence[int], seconds: float) -> Iterator[Figure]:
    """All figures, for registries of these numbers of synthetic trials; the load with the last, for some seconds."""
    vocabulary = Vocabulary(builtin().document)
    yield opening(vocabulary)
    records = list(_records(max(sizes)))
    for size in sizes:
        data = folder / f"matching-{size}"
        snapshot = Snapshot.build(records[:size], [], vocabulary, "FR", "/registry/v1/feed", datetime.now(UTC))
        SnapshotFiles(data / "matching" / "snapshot", "FR").write(snapshot)
        diseases = [code for code, _ in Counter(_disease(one) for one in records[:size]).most_common()]
        with alone("matching", data) as server:
            few, many = (_match([condition(code)]) for code in (diseases[len(diseases) // 2], diseases[0]))
            yield _matched(server, few, f"{size} trials, few listed", TARGETS.get(size))
            yield _matched(server, many, f"{size} trials, many listed", None)
            if size == sizes[-1]:
                yield from among_the_largest(server, diseases, few, seconds)


def _records(count: int) -> Iterator[TrialRecord]:
    """Every tenth trial has the criteria of one of the sample, the others those that registry fields give."""
    chance = Random(1)  # noqa: S311  data of a measurement
    terminology, signed = builtin(), cycle(documents("criteria"))
    for number, trial in enumerate(synthetic_trials(terminology, count)):
        text = {"text": eligibility(chance, LINES)}
        read = TrialInput.model_construct(
            **{name: getattr(trial, name) for name in TrialInput.model_fields}
            | {"eligibility": trial.eligibility.model_copy(update=text)}
        )
        derived = registry_criteria(read, terminology)
        if number % SIGNED_OF == 0:
            given = next(signed)
            others = [one for one in given["criteria"] if one.get("role") != "indication"]
            derived = given | {"criteria": [derived["criteria"][0], *others]}
        yield TrialRecord.read({"trial": trial.model_dump(mode="json"), "criteria": derived})


def _disease(record: TrialRecord) -> str:
    assert record.criteria is not None
    code: str = record.criteria["criteria"][0]["expr"]["codes"][0]
    return code


def opening(vocabulary: Vocabulary) -> Figure:
    """From the JSON document of a patient to what is matched; a third each of results, treatments and diagnoses."""
    body = json.dumps(patient(facts(FACTS)))
    spent = []
    for _ in range(CALLS):
        started = process_time()
        index_patient(read_patient(json.loads(body)), vocabulary, DAY)
        spent.append((process_time() - started) * 1000)
    return Figure(GROUP, f"opening a record of {FACTS} facts", quantile(sorted(spent), 0.5), "ms", 5.0)


def _matched(server: Server, call: Call, name: str, target: float | None) -> Figure:
    with Connection(server.port_of("matching")) as connection:
        listed = json.loads(connection.send(call))["total"]
        spent = sorted(cost(connection, server.pids["matching"], [call]) / 1000 for _ in range(CALLS))
    return Figure(GROUP, name, quantile(spent, 0.5), "ms", target, f"{listed} listed, at most 50 explained")


def among_the_largest(server: Server, diseases: Sequence[str], other: Call, seconds: float) -> Iterator[Figure]:
    """Health checks and the matches of another caller while six callers send the largest bodies again and again."""
    port = server.port_of("matching")
    largest = [
        _match([*facts(990), *(condition(code) for code in islice(diseases, 9))]),
        Call(DRY_RUN, JSON, "POST", json.dumps({"criteria": criteria(), "patient": patient(facts(900))}).encode()),
    ]
    answered: Counter[int] = Counter()

    def send(stop: threading.Event) -> None:
        calls = cycle(largest)
        with Connection(port) as connection:
            while not stop.is_set():
                answered[connection.exchange(next(calls))[0]] += 1

    with repeated(port, [Call("/matching/livez")]) as lives, repeated(port, [other]) as matches:
        together([send] * 6, seconds)
    if not matches:
        raise BenchError("no match was answered beside the largest bodies")
    note = f"{answered.total()} of the largest in {seconds:g} s, {answered[200]} of them 200"
    yield Figure(WORST, "livez p99", quantile(sorted(lives), 0.99), "ms", 100.0, note)
    yield Figure(WORST, "another caller's match p99", quantile(sorted(matches), 0.99), "ms", 1000.0, f"{len(matches)}")


def _match(given: list[dict[str, Any]]) -> Call:
    return Call(MATCH, JSON, "POST", json.dumps(patient(given)).encode())


def patient(given: list[dict[str, Any]]) -> dict[str, Any]:
    return {"as_of": DAY.isoformat(), "birth_date": "2004-05-01", "sex": "male", "place": "62", "facts": given}


def condition(code: str) -> dict[str, Any]:
    return {"id": code, "kind": "condition", "codes": [code], "start": "2020-06-01"}


def facts(count: int) -> list[dict[str, Any]]:
    """As many results, treatments and diagnoses, each of another day."""
    found: list[dict[str, Any]] = []
    for number in range(count):
        day = (DAY - timedelta(days=7 * number + 1)).isoformat()
        code = ("LOINC:718-7", "LOINC:4548-4", "LOINC:10230-1")[number // 3 % 3]
        found.append(
            (
                {"kind": "observation", "codes": [code], "value": number % 40, "unit": "g/dL", "date": day},
                {"kind": "medication", "codes": ["ATC:H02AB07"], "start": day, "dose": {"value": 5, "unit": "mg/d"}},
                {"kind": "condition", "codes": ["ORPHA:98896", "ICD10:G71.0"], "date": day},
            )[number % 3]
            | {"id": f"f{number}"}
        )
    return found


def criteria() -> dict[str, Any]:
    """Return a document with as many criteria as are allowed."""
    leaves: list[dict[str, Any]] = [
        {"type": "value", "codes": ["LOINC:718-7"], "op": ">", "value": 16, "unit": "g/dL", "within": "P3M"},
        {"type": "stable", "codes": ["ATC:H02AB07"], "for": "P12W"},
        {"type": "has", "codes": ["ORPHA:98896"], "within": "P6M"},
        {"type": "count", "codes": ["ATC:H02AB07"], "op": ">=", "value": 3, "within": "P5Y"},
        {"type": "age", "min": "P4Y", "max": "P80Y"},
    ]
    text = {"fr": "texte", "en": "text"}
    found = [
        {"id": f"c{number}", "kind": "include", "text": text, "expr": leaves[number % len(leaves)]}
        for number in range(500)
    ]
    found[0] |= {"role": "indication", "expr": leaves[2]}
    return {"trial": "NCT05096221", "version": 1, "grade": "registry", "criteria": found}
