"""The screening of dossiers: each text of its findings has a case, and each WHO item counts."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.registry import submissions
from services.registry.scope import judge
from services.registry.sources.places import by_name
from services.registry.submissions.content import SubmissionContent
from services.registry.submissions.screening import missing_items, screen
from services.registry.terminology.terminology import builtin
from services.registry.trials.rules import TrialRules

FOLDER = Path(submissions.__file__).parent
CASES = json.loads(Path(__file__).with_name("screening_cases.json").read_text("utf-8"))
TEXTS = json.loads((FOLDER / "findings.json").read_text("utf-8"))
ITEMS = json.loads((FOLDER / "who_items.json").read_text("utf-8"))
TODAY = date(2026, 11, 29)
GOOD: dict[str, Any] = {
    "protocol_code": "DMD-101",
    "regulation": "REG536",
    "trial": {
        "conditions": [{"text": "Spinal muscular atrophy"}],
        "product": {"atmp_class": "gene_therapy", "delivery": "in_vivo", "vector": "aav"},
        "study_type": "interventional",
        "phase": "phase-1-phase-2",
        "countries": ["FR"],
        "eligibility": {"sex": "all"},
    },
}
# A value for each path of the WHO items.
GIVEN: dict[str, Any] = {
    "registration.registered_on": "2026-01-02",
    "registration.funding": ["A foundation"],
    "trial.sponsor": {"name": "Sponsor"},
    "trial.collaborators": ["Another hospital"],
    "trial.contact": {"function": {"fr": "Unité d'essais", "en": "Trials unit"}},
    "registration.scientific_contact": {"function": {"fr": "Unité d'essais", "en": "Trials unit"}},
    "trial.titles": {"en": "A title"},
    "trial.official_titles": {"en": "A scientific title"},
    "trial.countries": ["FR"],
    "trial.conditions": [{"text": "Spinal muscular atrophy"}],
    "trial.interventions": [{"name": "A vector"}],
    "trial.eligibility.text": "Boys.",
    "trial.study_type": "interventional",
    "trial.dates.start": {"date": "2026-10"},
    "trial.enrolment": {"count": 12},
    "trial.status": "not_yet_recruiting",
    "trial.primary_outcomes": [{"measure": "Survival"}],
    "trial.secondary_outcomes": [{"measure": "Walking"}],
    "registration.ethics": {"status": "submitted"},
    "trial.dates.completion": {"date": "2030"},
    "registration.results_url": "https://example.org/results",
    "registration.data_sharing": {"plan": "no"},
    "numbers.public": [{"type": "nct", "value": "NCT00000001"}],
}


def rules() -> TrialRules:
    return TrialRules(builtin(), judge, lambda _trial, _terms: {}, by_name)


def changed(good: Any, changes: Any) -> Any:
    if isinstance(good, dict) and isinstance(changes, dict):
        merged = {**good, **{name: changed(good.get(name), value) for name, value in changes.items()}}
        return {name: value for name, value in merged.items() if value is not None}
    return changes


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_the_screening_finds_what_is_wrong_and_nothing_else(case: dict[str, Any]) -> None:
    content = SubmissionContent.model_validate(_read(changed(GOOD, case["changes"])))
    found = screen(content, rules(), TODAY).findings
    assert [[one.code, one.pointer] for one in found if one.code != "who_item_missing"] == case["finds"]
    for one in found:
        assert one.severity == TEXTS[one.code]["severity"]
        assert one.blocks is (one.code == "number_missing")
        assert "{" not in one.detail.fr + one.detail.en


def test_each_finding_has_a_case() -> None:
    assert {code for case in CASES for code, _ in case["finds"]} | {"who_item_missing"} == set(TEXTS)


def _read(document: dict[str, Any]) -> Any:
    return json.loads(SubmissionContent.model_validate_json(json.dumps(document)).model_dump_json())


def test_the_24_items_of_the_who_are_counted_one_by_one() -> None:
    empty = SubmissionContent()
    assert [one.item for one in missing_items(empty)] == list(range(1, 25))
    document: dict[str, Any] = {}
    for row in ITEMS:
        item = row["item"]
        if row["any_of"] == ["numbers.secondary"]:
            document["protocol_code"] = "X-1"
        elif row["any_of"] == ["numbers.public"]:
            document.setdefault("trial", {})["identifiers"] = GIVEN["numbers.public"]
        else:
            _set(document, row["any_of"][0], GIVEN[row["any_of"][0]])
        content = SubmissionContent.model_validate_json(json.dumps(document))
        assert [one.item for one in missing_items(content)] == list(range(item + 1, 25))
        if "nothing" in row:
            said = SubmissionContent.model_validate({"registration": {"nothing": [row["nothing"]]}})
            assert item not in {one.item for one in missing_items(said)}
    assert screen(SubmissionContent.model_validate_json(json.dumps(document)), rules(), TODAY).score == 24


def _set(document: dict[str, Any], path: str, value: Any) -> None:
    *names, last = path.split(".")
    for name in names:
        document = document.setdefault(name, {})
    document[last] = value
