"""FHIR Bundles: the patient, references, pages, and what is no Bundle of one patient."""

from typing import Any

import pytest

from services.matching.patients.reading import read_patient
from shared.values.problems import InvalidBodyError, Problem
from tests.unit.matching.patients.fhir import BOY, bundle, condition, observation, read


def test_a_page_with_more_pages_says_so() -> None:
    link = [{"relation": "next", "url": "https://hospital.example/page2"}]
    for more in ({"link": link, "total": 2}, {"total": 40}, {}):
        assert ("", "incomplete_page") in list(read(condition(), kind="searchset", **more).warnings)
    assert list(read(condition(), kind="searchset", total=2).warnings) == []


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ({"birthDate": "2020"}, {"birth_date": "2020"}),
        ({"address": [{"postalCode": "20137"}]}, {"place": "2A"}),
        ({"address": [{"postalCode": "97400", "country": "FR"}]}, {"place": "974"}),
        ({"address": [{"postalCode": "02138", "country": "US"}]}, {"place": None}),
        ({"gender": "unknown"}, {"sex": None}),
        ({"deceasedBoolean": True}, {"deceased": True}),
        ({"birthDate": "1900-01-01"}, {"birth_date": None}),
    ],
)
def test_the_patient(person: dict[str, Any], expected: dict[str, Any]) -> None:
    found = read_patient(bundle({**BOY, **person}, condition())).patient
    assert {name: getattr(found, name) for name in expected} == expected


def test_identity_is_dropped_and_reported_once() -> None:
    found = read_patient(bundle({**BOY, "name": [{"family": "Zyx"}], "identifier": [{"value": "1"}]}, condition()))
    assert list(found.warnings) == [("/entry/0/resource", "identity_dropped")]


def test_the_references_of_a_bundle() -> None:
    url = "urn:uuid:1e208b6b-77f1-4808-a32b-9f9caf1ec334"
    own = [
        {"reference": one} for one in (url, "Patient/p", "https://ehr.example/fhir/Patient/p", "Patient/p/_history/2")
    ]
    resources = [condition(subject=one) for one in (*own, {"reference": "Patient/other"})]
    sent = bundle(*resources)
    sent["entry"].insert(0, {"fullUrl": url, "resource": BOY})
    found = read_patient(sent)
    assert len(found.patient.facts) == 4
    assert list(found.warnings) == [("/entry/5/resource", "not_this_patient")]


def test_a_patient_without_an_id_is_the_one_that_all_resources_are_about() -> None:
    anonymous = {name: value for name, value in BOY.items() if name != "id"}
    found = read_patient(bundle(anonymous, *[condition(subject={"reference": "Patient/p"})] * 2))
    assert (len(found.patient.facts), list(found.warnings)) == (2, [])


def test_other_resources_and_unreadable_values_are_reported() -> None:
    broken = observation(valueQuantity={"value": "310"})
    found = read({"resourceType": "Claim"}, {"resourceType": "Claim"}, broken)
    assert [(one["pointer"], one["reason"], one["count"]) for one in found.warnings.answer()] == [
        ("/entry/1/resource", "resource_not_read", 2),
        ("/entry/3/resource/valueQuantity/value", "value_not_understood", 1),
    ]
    assert [(fact.status, fact.codes) for fact in found.patient.facts] == [("unconfirmed", [])]


@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        (bundle(BOY, {**BOY, "id": "q"}), "several_patients", "/entry/1/resource"),
        (
            bundle(condition(subject={"reference": "a/1"}), condition(subject={"reference": "a/2"})),
            "several_patients",
            "",
        ),
        (bundle(), "empty_bundle", ""),
        (bundle({"resourceType": "Claim"}), "empty_bundle", ""),
        (BOY, "format_not_supported", "/resourceType"),
        (bundle(BOY, kind="message"), "format_not_supported", "/type"),
    ],
)
def test_what_is_no_bundle_of_one_patient_is_refused(document: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(Problem) as refused:
        read_patient(document)
    assert [(fault.code, fault.pointer) for fault in refused.value.faults] == [(code, pointer)]


def test_too_many_facts_are_refused() -> None:
    with pytest.raises(InvalidBodyError) as refused:
        read(*[condition()] * 5001)
    assert refused.value.faults[0].code == "too_many_facts"
