"""The registry's documents are read tolerantly, and writing and reading a document gives the same."""

from typing import Any

import pytest

from services.matching.clients.documents import Centre, Trial, TrialRecord, UnreadableDocumentError

LEAST = {"id": "NCT1", "version": 1, "status": "recruiting"}
FULL: dict[str, Any] = {
    **LEAST,
    "acronym": "ABC",
    "titles": {"fr": "Essai", "en": "Trial"},
    "countries": ["US", "FR"],
    "locations": [
        {"country": "FR", "status": "recruiting"},
        {"country": "US"},
        {"country": "FR", "status": None, "city": "Lille"},
    ],
    "cohorts": [{"id": "1", "label": {"fr": "a", "en": "b"}, "status": None}],
    "illustrative": True,
    "criteria": {"version": 3, "grade": "signed", "outdated": True},
    "eligibility": {"text": "long", "minimum_age": "P4Y", "maximum_age": None, "sex": "all"},
    "a_field_of_next_year": {"x": [1]},
}


@pytest.mark.parametrize(
    "document", [LEAST, FULL, {**LEAST, "titles": None, "locations": None, "cohorts": None, "criteria": None}]
)
def test_a_trial_is_the_same_after_writing_and_reading(document: dict[str, Any]) -> None:
    trial = Trial.read(document)
    assert Trial.read(trial.write()) == trial


def test_a_trial_keeps_the_fields_that_a_match_needs() -> None:
    trial = Trial.read(FULL)
    assert (trial.title_fr, trial.criteria_version, trial.minimum_age) == ("Essai", 3, "P4Y")
    assert trial.criteria_outdated
    assert trial.countries == ("US", "FR")
    assert trial.locations == (("FR", None), ("FR", "recruiting"), ("US", None))


@pytest.mark.parametrize(
    "document",
    [{}, {**LEAST, "id": None} | {"version": None}, {"id": "NCT1", "version": 1}, {**LEAST, "cohorts": [{}]}],
)
def test_a_trial_without_required_fields_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(UnreadableDocumentError):
        Trial.read(document)


@pytest.mark.parametrize(
    "site", [{}, {"centre": "x", "version": 1, "status": "recruiting", "confirmed_at": "yesterday"}, "site"]
)
def test_a_record_with_an_unreadable_site_is_refused(site: Any) -> None:
    with pytest.raises(UnreadableDocumentError):
        TrialRecord.read({"trial": LEAST, "sites": [site]})


def test_a_centre_without_required_fields_is_refused() -> None:
    with pytest.raises(UnreadableDocumentError):
        Centre.read({"id": "fr-necker", "version": 1, "name": "Necker", "city": "Paris", "lat": "north", "lon": 2})
