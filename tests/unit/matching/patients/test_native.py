"""Native patients as hospitals write them: spellings, placeholders, units; each loss is reported."""

from typing import Any

import pytest

from services.matching.patients.reading import read_patient
from shared.values.problems import InvalidBodyError

ALT = {"id": "f", "kind": "observation", "codes": ["LOINC:1742-6"], "value": 35, "unit": "U/L", "date": "2025-10-01"}
STEROID = {"id": "f", "kind": "medication", "codes": ["ATC:H02AB07"]}


def read(fact: dict[str, Any], **patient: Any) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    found = read_patient({"facts": [fact], **patient})
    return [one.model_dump(exclude_none=True, exclude_defaults=True) for one in found.patient.facts], list(
        found.warnings
    )


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("orpha:98896", "ORPHA:98896"),
        ("Orphanet:98896", "ORPHA:98896"),
        ("http://www.orpha.net/ORDO/Orphanet_98896", "ORPHA:98896"),
        ("ICD10:G710", "ICD10:G71.0"),
        ("CIM-10:G71.0", "ICD10:G71.0"),
        ("CIM10:Z991+0", "ICD10:Z99.1"),
        ("HOPITAL:12-3", "HOPITAL:12-3"),
    ],
)
def test_a_code_is_read_in_any_spelling(written: str, read_as: str) -> None:
    facts, warnings = read({"id": "f", "kind": "condition", "codes": [written]})
    assert (facts[0]["codes"], warnings) == ([read_as], [])


def test_a_text_that_is_no_code_is_reported_and_the_fact_stays() -> None:
    facts, warnings = read({"id": "f", "kind": "condition", "codes": ["G71.0?", "ORPHA:98896"]})
    assert facts == [{"id": "f", "kind": "condition", "codes": ["ORPHA:98896"]}]
    assert warnings == [("/facts/0/codes/0", "unknown_code")]
    facts, warnings = read({"id": "f", "kind": "condition", "codes": []})
    assert (facts, warnings) == ([{"id": "f", "kind": "condition"}], [("/facts/0", "no_code")])


@pytest.mark.parametrize(
    ("change", "expected", "warning"),
    [
        ({"unit": "UI/L"}, {"unit": "[IU]/L"}, None),
        ({"unit": "furlong"}, {"unit": "furlong"}, ("/facts/0/unit", "unknown_unit")),
        ({"value": -99}, None, ("/facts/0/value", "placeholder")),
        ({"value": -1}, None, ("/facts/0/value", "placeholder")),
        ({"value": -1, "unit": "{z_score}"}, {"value": -1, "unit": "{z_score}"}, None),
        ({"value": -1, "unit": "°C"}, {"value": -1, "unit": "Cel"}, None),
        ({"value": -1, "unit": "mmol/L", "codes": ["LOINC:1925-7"]}, {"value": -1}, None),
        ({"value": 999}, {"value": 999, "status": "unconfirmed"}, ("/facts/0/value", "placeholder")),
        ({"date": "1900-01-01"}, {"value": 35}, ("/facts/0/date", "placeholder")),
        ({"date": "1970-01-01"}, {"value": 35}, ("/facts/0/date", "placeholder")),
        ({"date": "9999-12-31"}, {"value": 35}, ("/facts/0/date", "placeholder")),
        ({"value": -3.5}, None, ("/facts/0/value", "placeholder")),
        ({"value": -3.5, "unit": "mmol/L"}, {"value": -3.5}, None),
        ({"date": "2025-10-01T00:30:00+02:00"}, {"date": "2025-10-01"}, None),
        ({"date": "2025-09-30T22:00:00Z"}, {"date": "2025-10-01"}, None),
        ({"date": "01/10/2025"}, {"value": 35}, ("/facts/0/date", "unreadable_date")),
        ({"date": "2025-02-31"}, {"value": 35}, ("/facts/0/date", "unreadable_date")),
        ({"date": "2025-10"}, {"date": "2025-10"}, None),
        ({"ref_low": 50, "ref_high": 40}, {"value": 35}, ("/facts/0/ref_low", "range_not_understood")),
        ({"value": "Non détecté", "unit": "U/L"}, {"value": "negative"}, None),
    ],
)
def test_a_result(change: dict[str, Any], expected: dict[str, Any] | None, warning: tuple[str, str] | None) -> None:
    facts, warnings = read({**ALT, **change})
    assert warnings == ([] if warning is None else [warning])
    assert bool(facts) == (expected is not None)
    for name, value in (expected or {}).items():
        assert facts[0][name] == value
    if warning is not None and warning[0].endswith("date"):
        assert "date" not in facts[0]


@pytest.mark.parametrize(
    ("dates", "expected", "reason"),
    [
        (
            {"start": "2015-01-10", "end": "1970-01-01"},
            {"start": "2015-01-10", "end": "1970-01-01"},
            "ends_before_start",
        ),
        ({"start": "2024-05", "end": "2024-04-30"}, {"start": "2024-05", "end": "2024-04-30"}, "ends_before_start"),
        ({"start": "2024-05-01", "end": "9999-12-31"}, {"start": "2024-05-01"}, "placeholder"),
        ({"start": "1900-01-01", "end": "2024-05-01"}, {"end": "2024-05-01"}, "placeholder"),
        ({"start": "2024-05", "end": "2024-05-01"}, {"start": "2024-05", "end": "2024-05-01"}, None),
    ],
)
def test_an_exposure(dates: dict[str, str], expected: dict[str, str], reason: str | None) -> None:
    facts, warnings = read({**STEROID, **dates})
    assert {name: value for name, value in facts[0].items() if name in {"date", "start", "end"}} == expected
    assert [one for _, one in warnings] == ([] if reason is None else [reason])


@pytest.mark.parametrize(
    ("patient", "birth_date", "age", "warning"),
    [
        ({"age": "P999Y"}, None, None, ("/age", "placeholder")),
        ({"birth_date": "1900-01-01"}, None, None, ("/birth_date", "placeholder")),
        ({"birth_date": "1970-01-01"}, "1970-01-01", None, None),
        ({"birth_date": "1970-01-01", "age": "P3Y"}, None, "P3Y", ("/birth_date", "placeholder")),
        ({"birth_date": "9999-12-31"}, None, None, ("/birth_date", "placeholder")),
        ({"birth_date": "2020"}, "2020", None, None),
        ({"birth_date": "2020-05-01T00:00:00+02:00"}, "2020-05-01", None, None),
        ({"birth_date": "01/05/2020"}, None, None, ("/birth_date", "unreadable_date")),
    ],
)
def test_a_birth_date_or_age(
    patient: dict[str, Any], birth_date: str | None, age: str | None, warning: tuple[str, str] | None
) -> None:
    found = read_patient(patient)
    assert (found.patient.birth_date, found.patient.age) == (birth_date, age)
    assert list(found.warnings) == ([] if warning is None else [warning])


def test_a_fault_after_a_fact_that_was_left_out_has_the_place_that_was_sent() -> None:
    with pytest.raises(InvalidBodyError) as refused:
        read_patient({"facts": [{**ALT, "value": -99}, {**ALT, "id": "g", "severity": "so bad"}]}, pointer="/patient")
    assert refused.value.faults[0].pointer == "/patient/facts/1/severity"


def test_alike_warnings_are_one_with_their_number() -> None:
    facts = [{**ALT, "id": f"f{number}", "unit": "furlong"} for number in range(3)]
    found = read_patient({"facts": facts})
    assert [(one["pointer"], one["count"]) for one in found.warnings.answer()] == [("/facts/0/unit", 3)]
