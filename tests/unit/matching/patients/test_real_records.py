"""Real and synthetic records of other producers: each is read or refused with a reason, and no loss is silent."""

import json
import lzma
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from services.matching.engine import CompiledTrial, Patient, PatientIndex, compile_criteria, match
from services.matching.patients.mapping import to_engine
from services.matching.patients.reading import read_patient
from services.matching.patients.schemas import CompleteDomain
from services.registry.terminology.terminology import builtin
from shared.criteria.model import CriteriaDocument, leaves
from shared.values.problems import Problem

Figure = Callable[[str, object], None]

pytestmark = pytest.mark.real_data
AS_OF = date(2026, 11, 29)
# Cohorts, and resources that are no Bundle of a patient.
REFUSED = {
    "mcode_complete_study.json": "format_not_supported",
    "mcode_resource.json": "invalid_body",
    "pt_v1_cohort.json": "invalid_body",
    "pt_v2_cohort.json": "invalid_body",
}


def read(record: dict[str, Any], counts: Counter[str]) -> None:
    """Count what becomes of a record: facts and codes, those that are understood, and reasons of warnings."""
    found = read_patient(record)
    to_engine(found.patient, AS_OF)
    understands = builtin().graph.understands
    counts["records"] += 1
    counts["facts"] += len(found.patient.facts)
    for fact in found.patient.facts:
        for code in fact.codes:
            system = code.partition(":")[0]
            counts[f"{system} codes"] += 1
            counts[f"{system} understood"] += understands(code)
    for warning in found.warnings.answer():
        counts[warning["reason"]] += warning["count"]


def resources(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"]]


def is_over(resource: dict[str, Any]) -> bool:
    return resource["resourceType"] == "Condition" and resource["clinicalStatus"]["coding"][0]["code"] == "resolved"


def phenopackets(folder: Path, every: int) -> Iterator[dict[str, Any]]:
    with lzma.open(folder / "patients_phenopackets" / "phenopacket_store.jsonl.xz", "rb") as lines:
        yield from (json.loads(line) for line in islice(lines, 0, None, every))


def bundles(folder: Path, every: int) -> Iterator[dict[str, Any]]:
    with tarfile.open(folder / "patients_synthea_r4" / "bundles.tar.xz") as archive:
        for member in islice((one for one in archive if one.isfile()), 0, None, every):
            content = archive.extractfile(member)
            assert content is not None
            yield json.loads(content.read())


@pytest.mark.parametrize(("every", "records"), [(50, 210), pytest.param(1, 10_456, marks=pytest.mark.full)])
def test_the_diseases_of_published_cases_are_understood(
    real_data: Path, figure: Figure, every: int, records: int
) -> None:
    counts: Counter[str] = Counter()
    for packet in phenopackets(real_data, every):
        read(packet, counts)
    assert counts["records"] == records
    assert counts["OMIM understood"] >= 0.98 * counts["OMIM codes"]
    assert counts["HP understood"] >= 0.99 * counts["HP codes"]
    for name in ("OMIM", "HP"):
        share = f"{counts[f'{name} understood']:,} of {counts[f'{name} codes']:,}"
        figure(f"codes of {records:,} published cases that are understood, {name}", share)
    assert counts["no_code"] == counts["unknown_code"] == counts["unknown_system"] == 0


@pytest.mark.parametrize(("every", "records"), [(9, 5), pytest.param(1, 45, marks=pytest.mark.full)])
def test_every_resource_of_a_chart_is_a_fact_or_reported(real_data: Path, every: int, records: int) -> None:
    counts: Counter[str] = Counter()
    for bundle in bundles(real_data, every):
        before = counts["facts"]
        read(bundle, counts)
        kinds = Counter(one["resourceType"] for one in resources(bundle))
        readable = ("Condition", "Procedure", "Immunization", "MedicationRequest", "AllergyIntolerance")
        observations = [one for one in resources(bundle) if one["resourceType"] == "Observation"]
        results = sum(len(one.get("component", [1])) for one in observations)
        # A condition that ended on an unknown day is two facts.
        over = sum("abatementDateTime" not in one and is_over(one) for one in resources(bundle))
        assert counts["facts"] - before == sum(kinds[kind] for kind in readable) + results + over
    assert counts["records"] == records


def test_odd_records_are_read_or_refused_with_a_reason(real_data: Path) -> None:
    counts: Counter[str] = Counter()
    refused = {}
    for path in sorted((real_data / "odd_records").glob("[fp]h*/*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        for record in (content if isinstance(content, list) else [content])[:40]:
            try:
                read(record, counts)
            except Problem as problem:
                refused[path.name] = problem.code
    assert refused == REFUSED
    assert counts["records"] > 100


SAMPLE = Path(__file__).parents[4] / "services" / "registry" / "sample" / "criteria"
LEAVES = frozenset({"has", "count", "stable", "value"})
DOMAINS = ("conditions", "medications", "procedures", "immunizations", "encounters")
CHARTED = date(2021, 1, 1)


def leaf_trials() -> list[CompiledTrial]:
    """Return the trials of the sample with one criterion for each leaf of their criteria that asks for codes."""
    signed = {"grade": "signed", "authored_by": "A", "signed_by": "B", "signed_at": "2025-01-01T00:00:00Z"}
    text = {"fr": "critère", "en": "criterion"}
    found = []
    for path in sorted(SAMPLE.glob("*.json")):
        document = CriteriaDocument.model_validate_json(path.read_bytes())
        asked = [leaf for one in document.criteria for _, leaf in leaves(one.expr) if leaf.type in LEAVES]
        criteria = [
            {"id": f"L{n}", "kind": "include", "text": text, "expr": leaf.model_dump(by_alias=True, exclude_none=True)}
            for n, leaf in enumerate(asked)
        ]
        sent = {"trial": document.trial, **signed, "criteria": criteria}
        found.append(compile_criteria(CriteriaDocument.model_validate_json(json.dumps(sent)), builtin().graph, "FR"))
    return found


def unknown_leaves(trials: list[CompiledTrial], patient: Patient) -> set[tuple[int, str]]:
    index = PatientIndex(patient, builtin().graph, CHARTED)
    return {
        (number, criterion.id)
        for number, trial in enumerate(trials)
        for criterion in match(trial, index, "P1M").criteria
        if criterion.state == "unknown"
    }


@pytest.mark.parametrize("every", [15, pytest.param(1, marks=pytest.mark.full)])
def test_few_leaves_are_unknown_only_because_a_code_is(real_data: Path, figure: Figure, every: int) -> None:
    """Declare five domains of each chart complete, and leave out the codes of one system that are not understood."""
    trials, understands = leaf_trials(), builtin().graph.understands
    blocked: Counter[str] = Counter()
    for bundle in bundles(real_data, every):
        complete = [CompleteDomain.model_validate({"domain": one, "to": CHARTED}) for one in DOMAINS]
        read_as = read_patient(bundle).patient.model_copy(update={"domains_complete": complete})
        patient = to_engine(read_as, CHARTED).patient
        unknown = unknown_leaves(trials, patient)
        blocked["leaves"] += sum(len(trial.criteria) for trial in trials)
        for system in ("SNOMED", "RXNORM", "CVX", "LOINC"):
            kept = tuple(
                fact
                for fact in patient.facts
                if not any(code.startswith(f"{system}:") and not understands(code) for code in fact.codes)
            )
            blocked[system] += len(unknown - unknown_leaves(trials, replace(patient, facts=kept)))
    for system, number in sorted(blocked.items()):
        if system != "leaves":
            share = f"{number:,} of {blocked['leaves']:,}"
            figure(f"leaves of charts (1 of {every}) unknown only by a code that is not understood, {system}", share)
    assert max(number for system, number in blocked.items() if system != "leaves") <= 0.25 * blocked["leaves"]
