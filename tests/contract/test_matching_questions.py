"""Each question of the sample can be answered by a program with the facts that it names, and then disappears."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.criteria.durations import parse, subtract
from tests.contract.matching import example

pytestmark = pytest.mark.anyio

DRY_RUN = "/matching/v1/criteria/dry-run"
CRITERIA = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[2] / "services" / "registry" / "sample" / "criteria").glob("*.json"))
}
AS_OF = date(2025, 11, 22)
# The fields of a wanted fact that a fact has under another name or in another form.
FIELDS = {"birth_date": "2015-03-01", "sex": "male", "gestation": "P30W"}
LOW, HIGH = 10, 20
SYMPTOMS = ["HP:0002015", "HP:0001324"]
SKIPPING = {"type": "variant", "gene": "DMD", "amenable_to": {"skip": 51}}
COMBINED: list[dict[str, Any]] = [
    {"type": "age", "max": "P2Y", "corrected": True},
    SKIPPING,
    {"type": "washout", "codes": ["ATC:L01FA01"], "for": "P3M", "half_lives": 5},
    {"type": "since", "codes": SYMPTOMS, "op": "<=", "value": "P5Y"},
    {"type": "delta", "codes": ["CLEIO:mrss"], "op": ">=", "value": 3, "over": "P6M"},
    {"type": "computed", "formula": "bmi", "op": "<", "value": 30},
    {"type": "computed", "formula": "egfr_schwartz_2009", "op": ">=", "value": 60},
    {"type": "ratio", "numerator": ["CLEIO:ast"], "denominator": ["CLEIO:alt"], "op": ">", "value": 1},
    {"type": "score", "set": "CLEIO:acr-eular-2013-ssc", "op": ">=", "value": 9},
]


def exposure_of(wanted: dict[str, Any]) -> dict[str, Any]:
    start = subtract(AS_OF, parse(wanted["duration"])) - timedelta(days=5)
    return {"start": start.isoformat()}


def variant_of(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return a variant with every relevant attribute, each with its first allowed value."""
    variant: dict[str, Any] = {"gene": wanted["gene"], "origin": wanted["origin"]}
    for name, field in (("types", "type"), ("zygosity", "zygosity"), ("hgvs", "hgvs")):
        if wanted[name] is not None:
            variant[field] = wanted[name][0]
    if wanted["exons"] is not None:
        variant["exon_from"], variant["exon_to"] = wanted["exons"]["within"] or wanted["exons"]["overlaps"][0]
    if wanted["copies"]:
        variant["copies"] = 2
    if wanted["frame"] is not None:
        variant["frame"] = wanted["frame"]
    if wanted["amenable_to"] is not None:
        exon = wanted["amenable_to"]["skip"] + 1
        variant |= {"type": "deletion", "exon_from": exon, "exon_to": exon}
    return variant


def number_of(wanted: dict[str, Any]) -> float:
    """Return a number that satisfies the first comparison; without any, one that the others are as well."""
    if not wanted["comparisons"]:
        return 1
    first = wanted["comparisons"][0]
    bound: float = first["value"] * {"xULN": HIGH, "xLLN": LOW}.get(first["basis"], 1)
    return bound + {">": 1, "<": -bound / 2}.get(first["op"], 0)


def fact_of(name: str, wanted: dict[str, Any], status: str) -> dict[str, Any]:
    fact: dict[str, Any] = {"id": name, "kind": wanted["kind"], "status": status, "date": AS_OF.isoformat()}
    if wanted["codes"]:
        fact["codes"] = wanted["codes"][:20] if status == "absent" else wanted["codes"][:1]
    if wanted["relative"]:
        fact["relative"] = wanted["relative"]
    if wanted["assay"]:
        fact["assay"] = wanted["assay"]
    if wanted["kind"] == "answer":
        fact |= {"question": wanted["question"], "answer": wanted["values"][0]}
    if wanted["kind"] == "variant":
        fact["variant"] = {"gene": wanted["variant"]["gene"], "assay": "genome", "origin": wanted["variant"]["origin"]}
    if status == "absent":
        return fact
    if wanted["kind"] == "variant":
        fact["variant"] = variant_of(wanted["variant"])
    if wanted["value"] == "number":
        fact |= {"value": number_of(wanted)} | ({"unit": wanted["unit"]} if wanted["unit"] else {})
    if wanted["value"] == "last_day":
        del fact["date"]
        fact |= {"start": "2025-11-01", "end": "2025-11-01"}
    if wanted["value"] == "level":
        fact["value"] = wanted["values"][0]
    if wanted["value"] == "dose":
        fact["dose"] = {"value": number_of(wanted), "unit": wanted["unit"], "per_kg": wanted["per_kg"]}
    if wanted["reference_range"]:
        fact |= {"ref_low": LOW, "ref_high": HIGH, "unit": wanted["unit"] or "1"}
    fact |= {name: values[0] for name, values in (wanted["attributes"] or {}).items() if values}
    if wanted["duration"]:
        del fact["date"]
        fact |= exposure_of(wanted)
    return fact


def answered(patient: dict[str, Any], question: dict[str, Any], preferred: str) -> dict[str, Any]:
    """Return the patient with all wanted facts of the question. ``preferred``: present or absent, if both answer it."""
    patient = {**patient, "facts": list(patient["facts"]), "domains_complete": list(patient["domains_complete"])}
    for number, wanted in enumerate(question["facts"]):
        if wanted["field"] is not None:
            patient[wanted["field"]] = wanted["values"][0] if wanted["values"] else FIELDS[wanted["field"]]
            continue
        status = preferred if preferred in wanted["statuses"] else wanted["statuses"][0]
        name = f"q{len(patient['facts'])}-{number}"
        patient["facts"].append(fact_of(name, wanted, status))
        if wanted["over"] is not None:
            earlier = subtract(AS_OF, parse(wanted["over"]))
            patient["facts"].append(
                {**patient["facts"][-1], "id": f"{name}-before", "date": earlier.isoformat(), "value": 0}
            )
        if wanted["value"] == "occurrences":
            days = [AS_OF - timedelta(days=number) for number in range(1, int(wanted["comparisons"][0]["value"]) + 1)]
            patient["facts"] += [
                {**patient["facts"][-1], "id": f"{name}-{day}", "date": day.isoformat()} for day in days
            ]
        if wanted["domain"] and "absent" not in wanted["statuses"]:
            patient["domains_complete"].append({"domain": wanted["domain"], "to": AS_OF.isoformat()})
    return patient


async def questions_of(
    matching_client: httpx.AsyncClient, criteria: dict[str, Any], patient: dict[str, Any]
) -> dict[str, Any]:
    response = await matching_client.post(DRY_RUN, json={"criteria": criteria, "patient": patient})
    assert response.status_code == 200, response.text
    return {question["code"]: question for question in response.json()["ask_next"]}


@pytest.mark.parametrize("preferred", ["present", "absent"])
@pytest.mark.parametrize("trial", CRITERIA)
async def test_every_question_of_the_sample_is_answered_by_program(
    matching_client: httpx.AsyncClient, trial: str, preferred: str
) -> None:
    empty: dict[str, Any] = {"as_of": AS_OF.isoformat(), "facts": [], "domains_complete": []}
    questions = await questions_of(matching_client, CRITERIA[trial], empty)
    assert questions
    for code, question in questions.items():
        patient = answered(empty, question, preferred)
        left = await questions_of(matching_client, CRITERIA[trial], patient)
        assert code not in left, (code, question["facts"], patient)


@pytest.mark.parametrize("preferred", ["present", "absent"])
@pytest.mark.parametrize("leaf", COMBINED, ids=lambda leaf: leaf["type"])
async def test_every_question_of_a_leaf_of_several_facts_is_answered_by_program(
    matching_client: httpx.AsyncClient, leaf: dict[str, Any], preferred: str
) -> None:
    line = {"id": "c", "kind": "include", "expr": leaf}
    criteria = {"trial": "CLEIO-TEST-0001", "grade": "registry", "criteria": [line]}
    empty: dict[str, Any] = {"as_of": AS_OF.isoformat(), "facts": [], "domains_complete": []}
    ((code, question),) = (await questions_of(matching_client, criteria, empty)).items()
    assert not question["text"]["fr"].endswith(code)
    left = await questions_of(matching_client, criteria, answered(empty, question, preferred))
    assert left == {}, question["facts"]


@pytest.mark.parametrize("name", ["duchenne-boy", "sickle-cell-girl"])
async def test_every_question_about_the_worked_patients_is_answered_by_program(
    matching_client: httpx.AsyncClient, name: str
) -> None:
    patient = {"domains_complete": [], **example(name)}
    answer = (await matching_client.post("/matching/v1/match", json=patient)).json()
    assert answer["ask_next"]
    for question in answer["ask_next"]:
        after = (await matching_client.post("/matching/v1/match", json=answered(patient, question, "absent"))).json()
        assert question["code"] not in {one["code"] for one in after["ask_next"]}, question
