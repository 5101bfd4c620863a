"""What the page of a trial says, from the JSON of the API."""

from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

from services.portal.pages.formats import Formats
from services.portal.pictures.timeline import Mark, timeline
from services.portal.trial_pages.history_view import Change, changes_of
from services.portal.trial_pages.participation import participation_of
from services.portal.trial_pages.reading import TrialParts
from services.portal.trial_pages.view import address_of, people, trial_view

FR, EN = Formats("fr"), Formats("en")
TODAY = date(2026, 11, 30)
BOTH = {"fr": None, "en": None}


def _trial(**fields: Any) -> dict[str, Any]:
    return {
        "id": "CL00000001",
        "identifier": "NCT00000001",
        "identifiers": [{"type": "nct", "value": "NCT00000001"}],
        "acronym": None,
        "titles": {"fr": None, "en": "A title"},
        "official_titles": BOTH,
        "summary": {"fr": None, "en": "A cure without risk."},
        "conditions": [{"code": "ORPHA:98896", "text": "DMD", "role": "target"}],
        "product": {"atmp_class": "gene_therapy", "name": "X-1"},
        "phase": "phase-3",
        "sponsor": {"name": "Genethon"},
        "eligibility": {"text": None, "minimum_age": "P4Y", "maximum_age": "P8Y", "sex": "male"},
        "dates": dict.fromkeys(("first_posted", "start", "primary_completion", "completion")),
        "criteria": None,
        "contact": None,
        "locations": [],
        **fields,
    }


def _parts(trial: dict[str, Any], source: str) -> TrialParts:
    return TrialParts(
        trial=trial,
        criteria=None,
        sentences={},
        sites=[],
        near_error="",
        origins=[{"path": "summary.en", "source": source, "source_id": "NCT00000001", "dated": "2026-05-03"}],
        centres={},
        follow_up=None,
        holds=[],
        path=None,
        names={"ORPHA:98896": {"fr": "Dystrophie musculaire de Duchenne", "en": "Duchenne muscular dystrophy"}},
    )


def test_a_text_that_no_person_approved_gives_way_to_neutral_facts() -> None:
    found = trial_view(_parts(_trial(), "ctgov"), FR, TODAY)
    assert found.summary is None
    assert found.neutral == [
        "Maladie étudiée : Dystrophie musculaire de Duchenne.",
        "Produit à l'essai : thérapie génique : X-1.",
        "Étape de la recherche : Phase 3.",
        "Qui peut participer : garçons et hommes, de 4 à 8 ans.",
        "Responsable de l'essai : Genethon.",
    ]
    assert found.origins["summary"][0].source == "ClinicalTrials.gov"
    assert found.origins["summary"][0].dated == "3 mai 2026"


def test_a_text_of_the_coordination_is_shown_in_its_own_language() -> None:
    found = trial_view(_parts(_trial(), "curated"), FR, TODAY).summary
    assert found is not None
    assert (found.text, found.lang) == ("A cure without risk.", "en")


def test_what_taking_part_involves_is_said_or_said_to_be_unknown() -> None:
    said = {
        "visits_first_year": 1, "hospital_nights": 0, "remote_visits": False, "duration": "P60M", "follow_up": "P15Y",
        "travel_paid": True, "companion_paid": False, "note": {"fr": "Un mot.", "en": None},
    }  # fmt: skip
    usual = {"years": 15, "by": "usual", "visits": [{"months": 3}, {"months": 6}]}
    found = participation_of({"participation": said}, usual, FR)
    assert found.visits[:2] == ["1 visite au centre la première année", "0 nuit à l'hôpital, en tout"]
    assert found.visits[2].startswith("Aucune visite ne se fait à domicile")
    assert (found.duration, found.follow_up, found.usual, found.calendar) == ("5 ans", "15 ans", False, [3, 6])
    assert (found.paid, found.not_known) == (["les trajets"], ["l'hébergement près du centre"])
    english = participation_of({"participation": said}, None, EN)
    assert (found.note, found.note_lang, english.note, english.note_lang) == ("Un mot.", None, "Un mot.", "fr")
    shorter = participation_of({"participation": {**said, "follow_up": "P5Y"}}, usual, FR)
    assert (shorter.follow_up, shorter.calendar) == ("5 ans", []), "the usual calendar is of another length"
    by_sponsor = participation_of({"participation": said}, {**usual, "by": "sponsor", "years": 10}, FR)
    assert (by_sponsor.follow_up, by_sponsor.usual) == ("10 ans", False)
    unknown = participation_of({}, usual, EN)
    assert (unknown.visits, unknown.duration, unknown.follow_up, unknown.usual) == ([], "", "15 years", True)


def test_without_any_origin_a_text_is_not_approved() -> None:
    assert trial_view(replace(_parts(_trial(), "curated"), origins=[]), EN, TODAY).summary is None


def test_ages_in_words() -> None:
    ages = {"minimum_age": "P6M", "maximum_age": "P3Y", "sex": "all"}
    assert people(ages, FR) == "personnes des deux sexes, de 6 mois à 3 ans"
    assert people({**ages, "maximum_age": None}, EN) == "people of both sexes, from 6 months"
    assert people({**ages, "minimum_age": None, "maximum_age": None}, FR).endswith("sans limite d'âge indiquée")


def test_a_number_that_is_no_segment_of_a_path_is_replaced_by_the_id() -> None:
    assert address_of(_trial()) == "NCT00000001"
    assert address_of(_trial(identifier="CODE 1/2")) == "CL00000001"


def test_a_planned_day_that_has_passed_is_said_to_be_unconfirmed() -> None:
    dates = {
        "first_posted": {"date": "2018-02-01", "type": "estimated"},
        "start": {"date": "2019-11-15", "type": "estimated"},
        "primary_completion": None,
        "completion": {"date": "2030", "type": "estimated"},
    }
    found = trial_view(_parts(_trial(dates=dates), "ctgov"), FR, TODAY)
    assert [one.state for one in found.milestones] == ["actual", "overdue", "planned"]


def test_words_of_close_dates_do_not_overlap_in_the_picture() -> None:
    marks = [Mark(one, one, one, is_planned=False) for one in ("2019-01", "2019-02", "2019-02-03", "2031")]
    picture = timeline(marks, TODAY)
    places = [one.text_y for one in picture.marks]
    assert all(later - earlier >= 40 for earlier, later in pairwise(places))
    assert picture.today is not None
    assert picture.marks[0].y < picture.today < picture.marks[-1].y


def test_differences_in_words() -> None:
    long = "\n".join(f"line {number} of the criteria" for number in range(40))
    items = [
        {"path": "status", "before": "recruiting", "after": "suspended"},
        {"path": "eligibility.maximum_age", "before": None, "after": "P15Y"},
        {"path": "dates.start", "before": None, "after": {"date": "2024-03-04", "type": "actual"}},
        {"path": "countries", "before": ["FR"], "after": ["FR", "BE"]},
        {"path": "eligibility.text", "before": long, "after": long.replace("line 7 ", "line seven ")},
    ]
    assert changes_of({"items": items}, FR) == [
        Change("Statut", ["Recrutement ouvert"], ["Suspendu"]),
        Change("Âge maximal", [], ["15 ans"]),
        Change("Date de début", [], ["4 mars 2024 (réelle)"]),
        Change("Pays", ["FR"], ["FR", "BE"]),
        Change("Texte des critères", ["line 7 of the criteria"], ["line seven of the criteria"]),
    ]
