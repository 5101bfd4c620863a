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
FIELDS = {"birth_date": "2015-03-01", "sex": "male"}
LOW, HIGH = 10, 20


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
    return variant


def number_of(wanted: dict[str, Any]) -> float:
    """Return a number that satisfies the first comparison."""
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
