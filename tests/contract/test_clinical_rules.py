"""Rules that clinicians gave, each through the API of matching and the built-in terminology (`clinical_rules.json`)."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio

CASES = json.loads((Path(__file__).parent / "clinical_rules.json").read_text(encoding="utf-8"))
SIGNED = {"grade": "signed", "authored_by": "A. Martin", "signed_by": "B. Petit", "signed_at": "2025-11-01T09:00:00Z"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
async def test_a_clinical_rule(matching_client: httpx.AsyncClient, case: dict[str, Any]) -> None:
    criterion = {"id": "C", "text": {"fr": "cas", "en": "case"}} | {
        name: case[name] for name in ("kind", "role", "expr") if name in case
    }
    document = {"trial": "CLEIO-TEST-0001", **SIGNED, "criteria": [criterion]}
    answer = await matching_client.post(
        "/matching/v1/criteria/dry-run", json={"criteria": document, "patient": case["patient"]}
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    (criterion,) = found["criteria"]
    asked = [question["code"] for question in found["ask_next"]]
    actual = {**found, **{name: criterion[name] for name in ("state", "reason", "evidence", "clears_on")}}
    assert {name: actual[name] for name in case["expect"] if name != "asked"} == {
        name: value for name, value in case["expect"].items() if name != "asked"
    }
    assert asked == case["expect"].get("asked", asked)
