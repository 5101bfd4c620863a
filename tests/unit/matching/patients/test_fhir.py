"""FHIR resources to facts: statuses, dates, values, doses, what is absent."""

from typing import Any

import pytest

from tests.unit.matching.patients.fhir import (
    ALT,
    DUCHENNE,
    STEROID,
    UCUM,
    concept,
    condition,
    facts,
    medicine,
    observation,
    read,
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, DUCHENNE),
        ({"onsetDateTime": "2022-02"}, {**DUCHENNE, "date": "2022-02"}),
        ({"clinicalStatus": concept("active"), "onsetDateTime": "2022-02"}, {**DUCHENNE, "start": "2022-02"}),
        (
            {"onsetDateTime": "2022", "abatementDateTime": "2023-01-05"},
            {**DUCHENNE, "start": "2022", "end": "2023-01-05"},
        ),
        ({"recordedDate": "2024-02-01"}, {**DUCHENNE, "date": "2024-02-01"}),
        ({"onsetAge": {"value": 3, "code": "a", "system": UCUM}}, DUCHENNE),
        ({"onsetAge": {"value": 30, "code": "mo", "system": UCUM}}, {**DUCHENNE, "date": "2021"}),
        (
            {"verificationStatus": concept("refuted"), "recordedDate": "2025-10-01"},
            {**DUCHENNE, "status": "absent", "date": "2025-10-01"},
        ),
        ({"verificationStatus": concept("provisional")}, {**DUCHENNE, "status": "unconfirmed"}),
        ({"verificationStatus": concept("differential")}, {**DUCHENNE, "status": "unconfirmed"}),
        ({"verificationStatus": concept("entered-in-error")}, None),
        ({"modifierExtension": [{"url": "x"}]}, {**DUCHENNE, "status": "unconfirmed"}),
        ({"code": concept("ICD10:G710", "ORPHA:98896")}, {"codes": ["ICD10:G71.0", "ORPHA:98896"]}),
        ({"code": {"text": "Duchenne"}}, {}),
    ],
)
def test_a_condition(given: dict[str, Any], expected: dict[str, Any] | None) -> None:
    assert facts(condition(**given)) == ([] if expected is None else [expected])


def test_a_condition_that_is_over_ended_on_an_unknown_day() -> None:
    over = condition(clinicalStatus=concept("resolved"), recordedDate="2024-02-01")
    perhaps = {**DUCHENNE, "status": "unconfirmed", "end": "2024-02-01"}
    assert facts({**over, "onsetDateTime": "2022-01-05"}) == [
        {**DUCHENNE, "start": "2022-01-05", "end": "2022-01-05"},
        {**perhaps, "start": "2022-01-05"},
    ]
    assert facts(over) == [perhaps]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"valueQuantity": {"value": 310, "unit": "UI/L", "system": UCUM, "code": "[iU]/L"}},
            {**ALT, "value": 310, "unit": "[iU]/L"},
        ),
        (
            {"valueQuantity": {"value": 5, "comparator": "<", "unit": "UI/L"}},
            {**ALT, "value": 5, "comparator": "<", "unit": "[IU]/L"},
        ),
        ({"status": "preliminary", "valueInteger": 3}, {**ALT, "status": "unconfirmed", "value": 3}),
        ({"status": "registered"}, {**ALT, "status": "unconfirmed"}),
        ({"status": "cancelled", "valueInteger": 3}, None),
        ({"status": "entered-in-error", "valueInteger": 3}, None),
        ({"status": "amended", "valueInteger": 3}, {**ALT, "value": 3}),
        ({"dataAbsentReason": concept("unknown")}, None),
        ({"valueCodeableConcept": concept("SNOMED:260385009")}, {**ALT, "status": "absent"}),
        ({"valueCodeableConcept": concept("LOINC:LA6576-8")}, ALT),
        ({"valueCodeableConcept": concept("LOINC:LA9623-5")}, {**ALT, "value": 1}),
        ({"valueCodeableConcept": concept("SNOMED:266919005")}, {**ALT, "status": "unconfirmed"}),
        ({"valueString": "Négatif"}, {**ALT, "status": "absent"}),
        ({"valueString": "1:400"}, {**ALT, "value": 400}),
        ({"valueString": "< 12,5 UI/L"}, {**ALT, "value": 12.5, "comparator": "<", "unit": "[IU]/L"}),
        ({"valueString": "see comment"}, {**ALT, "status": "unconfirmed"}),
        ({"valueBoolean": False}, {**ALT, "status": "absent"}),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 400}}}, {**ALT, "value": 400}),
        (
            {"valueRange": {"low": {"value": 40, "unit": "U/L"}}},
            {**ALT, "value": 40, "comparator": ">=", "unit": "U/L"},
        ),
        ({"valueRange": {"low": {"value": 4}, "high": {"value": 9}}}, {**ALT, "status": "unconfirmed"}),
        ({"effectiveDateTime": "2025-11-02T00:30:00+01:00", "valueInteger": 3}, {**ALT, "value": 3}),
        ({"effectiveDateTime": "2025-11-01T23:00:00Z", "valueInteger": 3}, {**ALT, "value": 3}),
        ({"valueQuantity": {"value": -99, "unit": "U/L"}}, None),
    ],
)
def test_an_observation(given: dict[str, Any], expected: dict[str, Any] | None) -> None:
    assert facts(observation(**given)) == ([] if expected is None else [expected])


def limits(high: int, **more: Any) -> dict[str, Any]:
    return {"high": {"value": high, "unit": "U/L"}, **more}


def years(low: int | None, high: int | None) -> dict[str, Any]:
    bounds = {"low": low, "high": high}
    return {name: {"value": value, "code": "a"} for name, value in bounds.items() if value is not None}


@pytest.mark.parametrize(
    ("ranges", "ref_high"),
    [
        ([limits(40)], 40),
        ([limits(40, age=years(None, 18)), limits(55, age=years(18, None))], 40),
        ([limits(40, appliesTo=[concept("female")]), limits(55, appliesTo=[concept("male")])], 55),
        ([limits(40, text="women"), limits(55, text="men")], None),
        ([limits(40, type=concept("therapeutic"))], None),
        ([{"high": {"value": 0.7, "unit": "µkat/L"}}], 42),
        ([{"high": {"value": 42, "unit": "UI/L"}}], 42),
        ([{"high": {"value": 7, "unit": "g/L"}}], None),
    ],
)
def test_the_reference_range_is_that_of_this_patient(ranges: list[dict[str, Any]], ref_high: int | None) -> None:
    found = read(observation(valueQuantity={"value": 60, "unit": "U/L"}, referenceRange=ranges))
    assert found.patient.facts[0].ref_high == ref_high
    assert [reason for _, reason in found.warnings] == ([] if ref_high else ["range_not_understood"])


def test_the_components_of_a_panel_are_facts_and_the_panel_is_none() -> None:
    pressure = [
        {"code": concept("LOINC:8480-6"), "valueQuantity": {"value": 120, "unit": "mmHg"}},
        {"code": concept("LOINC:8462-4"), "dataAbsentReason": concept("unknown")},
    ]
    found = read(observation(code=concept("LOINC:85354-9"), component=pressure))
    assert [(fact.id, fact.codes, fact.value) for fact in found.patient.facts] == [
        ("entry/1/resource/component/0", ["LOINC:8480-6"], 120)
    ]
    assert list(found.warnings) == [("/entry/1/resource/component/1", "no_value")]


DAILY = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}


def dosage(timing: dict[str, Any], unit: str = "mg", **more: Any) -> list[dict[str, Any]]:
    return [{"timing": timing, "doseAndRate": [{"doseQuantity": {"value": 15, "unit": unit}}], **more}]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (medicine(status="active", effectivePeriod={"start": "2015-01-10"}), {**STEROID, "date": "2015-01-10"}),
        (
            medicine(status="active", effectivePeriod={"start": "2015-01-10"}, dateAsserted="2025-11-01"),
            {**STEROID, "start": "2015-01-10"},
        ),
        (
            medicine(status="completed", effectivePeriod={"start": "2015-01-10", "end": "2015-03-01"}),
            {**STEROID, "start": "2015-01-10", "end": "2015-03-01"},
        ),
        (
            medicine(status="stopped", effectivePeriod={"start": "2015-01-10"}, dateAsserted="2025-11-01"),
            {**STEROID, "date": "2015-01-10"},
        ),
        (
            medicine(status="not-taken", dateAsserted="2025-11-01"),
            {**STEROID, "status": "absent", "date": "2025-11-01"},
        ),
        (medicine(status="intended"), {**STEROID, "status": "ordered"}),
        (medicine(status="entered-in-error"), None),
        (medicine(status="unknown"), {**STEROID, "status": "unconfirmed"}),
        (
            medicine("MedicationRequest", status="active", intent="order", authoredOn="2025-11-01"),
            {**STEROID, "status": "ordered", "date": "2025-11-01"},
        ),
        (
            medicine("MedicationDispense", status="completed", whenHandedOver="2025-11-01"),
            {**STEROID, "status": "ordered", "date": "2025-11-01"},
        ),
        (
            medicine("MedicationAdministration", status="completed", effectiveDateTime="2025-11-01"),
            {**STEROID, "start": "2025-11-01", "end": "2025-11-01"},
        ),
        (
            medicine("MedicationAdministration", status="not-done", effectiveDateTime="2025-11-01"),
            {**STEROID, "status": "absent", "date": "2025-11-01"},
        ),
        (medicine(status="active", dosage=dosage(DAILY)), {**STEROID, "dose": {"value": 30, "unit": "mg/d"}}),
        (
            medicine(status="active", dosage=dosage(DAILY, "mg/kg")),
            {**STEROID, "dose": {"value": 30, "unit": "mg/d", "per_kg": True}},
        ),
        (
            medicine(status="active", dosage=dosage({"repeat": {"frequency": 1, "period": 8, "periodUnit": "h"}})),
            {**STEROID, "dose": {"value": 45, "unit": "mg/d"}},
        ),
        (
            medicine(status="active", dosage=dosage({"code": concept("BID")})),
            {**STEROID, "dose": {"value": 30, "unit": "mg/d"}},
        ),
        (medicine(status="active", dosage=dosage(DAILY, asNeededBoolean=True)), STEROID),
        (medicine(status="active", dosage=dosage(DAILY, "tablet")), STEROID),
        (medicine(status="active", dosage=dosage({})), STEROID),
    ],
)
def test_a_medicine(given: dict[str, Any], expected: dict[str, Any] | None) -> None:
    assert facts(given) == ([] if expected is None else [expected])


def test_a_medicine_may_be_a_resource_of_its_own() -> None:
    inside = {"resourceType": "Medication", "id": "m", "code": concept("ATC:H02AB07")}
    contained = medicine(status="active", contained=[inside], medicationReference={"reference": "#m"})
    entry = medicine(status="active", medicationReference={"reference": "Medication/m"})
    lost = medicine(status="active", medicationReference={"reference": "Medication/other"})
    for statement in (contained, entry, lost):
        del statement["medicationCodeableConcept"]
    assert facts(contained, entry, inside, lost) == [STEROID, STEROID, {}]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"status": "completed", "performedDateTime": "2020-01-02"}, {"date": "2020-01-02"}),
        (
            {"status": "completed", "performedPeriod": {"start": "2020-01-02", "end": "2020-01-05"}},
            {"start": "2020-01-02", "end": "2020-01-05"},
        ),
        ({"status": "not-done", "performedDateTime": "2020-01-02"}, {"status": "absent", "date": "2020-01-02"}),
        ({"status": "preparation"}, {"status": "ordered"}),
        ({"status": "stopped"}, {"status": "unconfirmed"}),
        ({"status": "entered-in-error"}, None),
    ],
)
def test_a_procedure(given: dict[str, Any], expected: dict[str, Any] | None) -> None:
    procedure = {"resourceType": "Procedure", "code": concept("SNOMED:23719005"), **given}
    wanted = [] if expected is None else [{"codes": ["SNOMED:23719005"], **expected}]
    assert facts(procedure) == wanted


def test_immunizations_allergies_and_relatives() -> None:
    vaccine = {"resourceType": "Immunization", "vaccineCode": concept("ATC:J07BD52")}
    history = {
        "resourceType": "FamilyMemberHistory",
        "status": "completed",
        "relationship": concept("ROLE:NBRO"),
        "condition": [{"code": concept("ORPHA:98896")}],
    }
    allergy = {"resourceType": "AllergyIntolerance", "code": concept("ATC:J01CA04"), "recordedDate": "2020-01-01"}
    found = read(
        {**vaccine, "status": "completed", "occurrenceDateTime": "2024-05-01"},
        {**vaccine, "status": "not-done", "occurrenceDateTime": "2024-05-01"},
        {**vaccine, "status": "completed", "occurrenceString": "last spring"},
        history,
        allergy,
    )
    assert [(fact.kind, fact.codes, fact.status, fact.date, fact.relative) for fact in found.patient.facts] == [
        ("immunization", ["ATC:J07BD52"], "present", "2024-05-01", None),
        ("immunization", ["ATC:J07BD52"], "absent", "2024-05-01", None),
        ("immunization", ["ATC:J07BD52"], "present", None, None),
        ("condition", ["ORPHA:98896"], "present", None, "sibling"),
        # What the patient reacts to is not what the patient takes.
        ("condition", [], "present", "2020-01-01", None),
    ]
    assert list(found.warnings) == [("/entry/3/resource/occurrenceString", "unreadable_date")]


@pytest.mark.parametrize(
    ("resource", "domains"),
    [
        (
            {
                "resourceType": "List",
                "code": concept("LOINC:11450-4"),
                "emptyReason": concept("nilknown"),
                "date": "2025-11-01",
            },
            [("conditions", None, "2025-11-01")],
        ),
        (
            {
                "resourceType": "List",
                "code": concept("LOINC:10160-0"),
                "emptyReason": concept("nilknown"),
                "date": "2025-11-01",
            },
            [("medications", "2025-11-01", "2025-11-01")],
        ),
        (
            {
                "resourceType": "List",
                "code": concept("LOINC:11450-4"),
                "emptyReason": concept("notasked"),
                "date": "2025-11-01",
            },
            [],
        ),
        ({"resourceType": "List", "code": concept("LOINC:11450-4"), "emptyReason": concept("nilknown")}, []),
        (
            condition(code=concept("IPS:no-known-problems"), recordedDate="2025-11-01"),
            [("conditions", None, "2025-11-01")],
        ),
        (condition(code=concept("IPS:no-problem-info"), recordedDate="2025-11-01"), []),
        (
            {
                "resourceType": "Composition",
                "date": "2025-11-01",
                "section": [{"code": concept("LOINC:47519-4"), "emptyReason": concept("nilknown")}],
            },
            [("procedures", None, "2025-11-01")],
        ),
    ],
)
def test_what_is_said_to_be_empty_is_complete(
    resource: dict[str, Any], domains: list[tuple[str, str | None, str]]
) -> None:
    found = read(resource).patient
    assert found.facts == []
    assert [
        (one.domain, None if one.from_ is None else str(one.from_), str(one.to)) for one in found.domains_complete
    ] == domains
    # A page of search results is never complete.
    page = read(resource, kind="searchset", total=2)
    assert page.patient.domains_complete == []


def test_a_variant_of_a_genetic_report() -> None:
    components = {
        "48018-6": {"valueCodeableConcept": {"coding": [{"code": "HGNC:2928", "display": "DMD"}]}},
        "48004-6": {"valueCodeableConcept": {"coding": [{"code": "NM_004006.3:c.6292C>T"}]}},
        "53034-5": {"valueCodeableConcept": concept("LOINC:LA6707-9")},
        "53037-8": {"valueCodeableConcept": concept("LOINC:LA6668-3")},
    }
    parts = [{"code": concept(f"LOINC:{code}"), **value} for code, value in components.items()]
    report = observation(code=concept("LOINC:69548-6"), component=parts)
    variant = {"gene": "DMD", "zygosity": "hemizygous", "hgvs": "NM_004006.3:c.6292C>T"}
    assert facts(report) == [{"date": "2025-11-02", "variant": variant}]
    assert facts({**report, "status": "preliminary"})[0]["status"] == "unconfirmed"


def weeks(value: float, unit: str = "wk", **more: Any) -> dict[str, Any]:
    at_birth = {"code": concept("LOINC:76516-4"), "effectiveDateTime": "2019-05-03"}
    return observation(**{**at_birth, "valueQuantity": {"value": value, "code": unit, "system": UCUM}, **more})


def text(written: str) -> dict[str, Any]:
    given = weeks(0, valueString=written)
    del given["valueQuantity"]
    return given


@pytest.mark.parametrize(
    ("given", "gestation", "warnings"),
    [
        ([weeks(34)], "P34W", []),
        ([weeks(240, "d")], "P34W2D", []),
        ([text("34+2")], "P34W2D", []),
        ([weeks(34), weeks(240, "d")], "P34W2D", []),
        ([weeks(34, code=concept("SNOMED:412726003"), effectiveDateTime="2024-01-05")], "P34W", []),
        ([weeks(34, code=concept("LOINC:11884-4"))], "P34W", []),
        ([weeks(34), weeks(36), weeks(34)], None, ["value_not_understood"] * 2),
        ([weeks(34.4)], None, ["value_not_understood"]),
        ([weeks(12)], None, ["value_not_understood"]),
        # Of a pregnancy of the patient, or of an unknown one.
        ([weeks(34, effectiveDateTime="2045-01-05")], None, ["not_read"]),
        ([weeks(34, focus=[{"display": "baby"}])], None, ["not_read"]),
        ([weeks(34, effectiveDateTime=None)], None, ["no_date", "not_read"]),
    ],
)
def test_the_gestation_of_which_the_patient_was_born(
    given: list[dict[str, Any]], gestation: str | None, warnings: list[str]
) -> None:
    found = read(*given)
    assert (found.patient.gestation, found.patient.facts) == (gestation, [])
    assert [reason for _, reason in found.warnings] == warnings


def test_the_gestation_of_a_pregnancy_of_the_patient_stays_an_observation() -> None:
    found = read(weeks(34, code=concept("LOINC:11884-4"), effectiveDateTime="2045-01-05"))
    assert (found.patient.gestation, [one.value for one in found.patient.facts]) == (None, [34])
