"""Every answer in the examples has exactly the fields and types of its schema."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.matching.criteria.examples import CHECKED, DOCUMENTS, DRY_RUNS, TRIED
from services.matching.criteria.schemas import CheckAnswer, DryRunAnswer
from services.matching.evaluations.examples import ANSWER
from services.matching.evaluations.schemas import MatchAnswer
from services.matching.patients.examples import EXAMPLES as EXAMPLES_OF_PATIENTS
from tests.contract.matching import BOY, EXAMPLES, FACT, MATCH, example

pytestmark = pytest.mark.anyio

CRITERIA = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[2] / "services" / "registry" / "sample" / "criteria").glob("*.json"))
}
LATER = {**FACT, "date": "2025-11-23"}
PATIENTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{
        path.stem: ("", json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(EXAMPLES.glob("*.json"))
        if path.stem != "usdm-study"  # a study, not a patient
    },
    "one result": ("?limit=1", example("sickle-cell-girl")),
    "short timeline": ("?horizon=P1M", example("duchenne-boy")),
    "dosing date": ("?dosing_date=2026-03-01", example("duchenne-boy")),
    "nothing known": ("", {}),
    "ignored fact": ("", {**BOY, "facts": [FACT, {**LATER, "id": "later"}]}),
}


@pytest.mark.parametrize("name", PATIENTS)
async def test_a_match_has_the_form_of_its_schema(matching_client: httpx.AsyncClient, name: str) -> None:
    query, patient = PATIENTS[name]
    response = await matching_client.post(f"{MATCH}{query}", json=patient)
    assert response.status_code == 200, response.text
    answer = MatchAnswer.model_validate_json(response.content)
    assert json.loads(answer.model_dump_json(by_alias=True)) == response.json()


async def test_the_examples_of_the_openapi_document_are_real(matching_client: httpx.AsyncClient) -> None:
    MatchAnswer.model_validate_json(json.dumps(ANSWER))
    for patient in EXAMPLES_OF_PATIENTS.values():
        assert (await matching_client.post(MATCH, json=patient["value"])).status_code == 200
    checks = [
        (await matching_client.post("/matching/v1/criteria/check", json=document["value"])).json()
        for document in DOCUMENTS.values()
    ]
    assert checks[0] == CHECKED
    assert [one | {"sentences": CHECKED["sentences"]} for one in checks] == [CHECKED] * len(checks)
    for trial in DRY_RUNS.values():
        answer = (await matching_client.post("/matching/v1/criteria/dry-run", json=trial["value"])).json()
        assert answer | {"terminology_version": ""} == TRIED | {"terminology_version": ""}


@pytest.mark.parametrize("trial", CRITERIA)
async def test_a_check_and_a_dry_run_have_the_form_of_their_schemas(
    matching_client: httpx.AsyncClient, trial: str
) -> None:
    criteria = CRITERIA[trial]
    checked = await matching_client.post("/matching/v1/criteria/check", json=criteria)
    assert json.loads(CheckAnswer.model_validate_json(checked.content).model_dump_json()) == checked.json()
    for patient in ("duchenne-boy", "sickle-cell-girl"):
        tried = await matching_client.post(
            "/matching/v1/criteria/dry-run", json={"criteria": criteria, "patient": example(patient)}
        )
        assert tried.status_code == 200, tried.text
        answer = DryRunAnswer.model_validate_json(tried.content)
        assert json.loads(answer.model_dump_json(by_alias=True)) == tried.json()


@pytest.mark.parametrize(
    ("patient", "codes"),
    [
        (
            {"birth_date": "2020-01-01", "sex": "female"},
            {"parental-authority", "social-security", "liberty"},
        ),
        (
            {"birth_date": "1990-01-01", "sex": "female"},
            {"legal-protection", "social-security", "liberty", "breastfeeding"},
        ),
        ({"birth_date": "1990-01-01", "sex": "male"}, {"legal-protection", "social-security", "liberty"}),
        ({}, {"parental-authority", "legal-protection", "social-security", "liberty", "breastfeeding"}),
    ],
)
async def test_the_lines_that_french_law_adds_are_listed_for_whom_they_may_concern(
    matching_client: httpx.AsyncClient, patient: dict[str, str], codes: set[str]
) -> None:
    answer = await matching_client.post(MATCH, json={"as_of": "2026-01-01", **patient})
    assert {one["code"] for one in answer.json()["consent"]} == codes
