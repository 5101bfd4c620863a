"""What a visitor types, and the words of cards."""

from typing import Any

import pytest
from starlette.datastructures import QueryParams

from services.portal.find.cards import people
from services.portal.find.contacts import centres_to_contact
from services.portal.find.departements import DEPARTEMENTS, departement_of, places_of
from services.portal.find.search import Search
from services.portal.networks.networks import NETWORKS, networks_named, networks_of
from services.portal.pages.ages import age_range
from services.portal.pages.formats import Formats


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("59", "59"),
        ("59 Nord", "59"),
        ("nord", "59"),
        ("59000", "59"),
        ("2a", "2A"),
        ("20200", "2B"),
        ("20090", "2A"),
        ("97400", "974"),
        ("97133", "977"),
        ("1", "01"),
        ("cotes d armor", "22"),
        ("Côtes-d'Armor", "22"),
        ("00", None),
        ("Atlantis", None),
    ],
)
def test_a_departement_is_named_in_many_ways(typed: str, code: str | None) -> None:
    found = departement_of(typed)
    assert (found and found.code) == code


def test_a_postal_code_is_tried_as_it_is_first() -> None:
    assert places_of("59000") == ["59000", DEPARTEMENTS["59"].place]
    assert places_of("Saint-Denis, 974") == ["Saint-Denis, 974"]


@pytest.mark.parametrize(
    ("least", "most", "french", "english"),
    [
        ("P3Y", "P15Y", "De 3 à 15 ans", "From 3 to 15 years"),
        (
            "P3Y6M",
            "P15Y6M",
            "De 3 ans et 6 mois à 15 ans et 6 mois",
            "From 3 years and 6 months to 15 years and 6 months",
        ),
        ("P6M", "P2Y", "De 6 mois à 2 ans", "From 6 months to 2 years"),
        (None, "P1Y", "Jusqu'à 1 an", "Up to 1 year"),
        ("P0D", "P180D", "Jusqu'à 180 jours", "Up to 180 days"),
        ("P18Y", None, "À partir de 18 ans", "From 18 years"),
        (None, "soon", "", ""),
    ],
)
def test_ages_are_words(least: str | None, most: str | None, french: str, english: str) -> None:
    assert (age_range(least, most, "fr"), age_range(least, most, "en")) == (french, english)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"minimum_age": "P3Y", "maximum_age": "P15Y", "sex": "male"}, "De 3 à 15 ans, garçons"),
        ({"minimum_age": "P18Y", "sex": "female"}, "À partir de 18 ans, femmes"),
        ({"sex": "male"}, "Garçons et hommes"),
        ({"sex": "all"}, ""),
    ],
)
def test_who_may_take_part(stated: dict[str, Any], words: str) -> None:
    assert people(stated, Formats("fr")) == words


def test_a_search_leaves_out_what_no_filter_has() -> None:
    search = Search.of(
        QueryParams("q=+a+&status=recruiting&status=x&age=8&unit=months&near=59&sort=best&radius=7&departement=75,x")
    )
    assert search.parameters("50.4,3.2") == {
        "q": "a",
        "status": "recruiting",
        "region": "",
        "departement": "75",
        "condition": "",
        "atmp_class": "",
        "phase": "",
        "centre": "",
        "open": "true",  # where it is open
        "age": "P8M",
        "near": "50.4,3.2",
        "radius": "",
        "sort": "",
    }
    assert Search.of(QueryParams("age=1000")).has_wrong_age


def test_the_centres_to_contact_are_the_nearest_and_one_of_them_has_a_contact() -> None:
    contact = {"function": {"fr": "Unité d'essais", "en": "Trials unit"}, "phone": "+33 1 99 00 12 34"}

    def centre(city: str, lat: float, lon: float, **fields: Any) -> dict[str, Any]:
        return {"city": city, "lat": lat, "lon": lon, "member": True, "label": "candidate", "contact": None, **fields}

    centres = [
        centre("Marseille", 43.3, 5.4, contact=contact),
        centre("Lyon", 45.7, 4.9, contact=contact, label="suspended"),
        centre("Strasbourg", 48.57, 7.77),
        centre("Lille", 50.6, 3.0),
        centre("Paris", 48.8, 2.3),
        centre("Brest", 48.4, -4.5, contact=contact),
    ]
    near = centres_to_contact(centres, DEPARTEMENTS["67"], Formats("fr"))
    assert [one.centre["city"] for one in near] == ["Strasbourg", "Paris", "Lille", "Marseille"]
    assert near[0].distance is not None
    assert near[0].distance < 40
    assert [one.centre["city"] for one in centres_to_contact(centres, None, Formats("fr"))] == ["Brest", "Marseille"]


def test_the_network_of_a_disease() -> None:
    def concept(code: str, name: str, *above: str) -> dict[str, Any]:
        return {"code": code, "label": {"fr": name, "en": name}, "synonyms": {}, "same_as": [], "parents": [*above]}

    assert len(NETWORKS) == 23
    muscle = concept("ORPHA:98896", "Dystrophie musculaire de Duchenne", "ORPHA:68381")
    assert [one.name for one in networks_of(muscle)] == ["FILNEMUS"]
    assert networks_of(concept("CLEIO:x", "Hernie discale")) == []
    assert [one.name for one in networks_named("une hémophilie")] == ["MHEMO"]


@pytest.mark.parametrize(
    ("name", "networks"),
    [
        ("Syndrome de microdélétion 22q11", "AnDDI-Rares"),
        ("Syndrome de Gilles de la Tourette", "BRAIN-TEAM"),
        ("Cardiomyopathie hypertrophique", "CARDIOGEN"),
        ("Syndrome de Rett", "DéfiScience"),
        ("Sclérodermie systémique", "FAI²R"),
        ("Syndrome de Marfan", "FAVA-Multi"),
        ("Atrésie des voies biliaires", "FilFoie"),
        ("Myopathie de Duchenne", "FILNEMUS"),
        ("Sclérose latérale amyotrophique", "FilSLAN"),
        ("Épidermolyse bulleuse", "FIMARAD"),
        ("Atrésie de l'œsophage", "FIMATHO"),
        ("Hyperplasie congénitale des surrénales", "FIRENDO"),
        ("Maladie de Wilson", "G2M"),
        ("Granulomatose septique chronique", "MaRIH"),
        ("Drépanocytose", "MCGRE"),
        ("Maladie de Willebrand", "MHEMO"),
        ("Mucoviscidose", "MUCO-CFTR"),
        ("Spina bifida", "NeuroSphinx"),
        ("Syndrome d'Alport", "ORKiD"),
        ("Ostéogenèse imparfaite", "OSCAR"),
        ("Hypertension artérielle pulmonaire", "RespiFIL"),
        ("Amaurose congénitale de Leber", "SENSGENE"),
        ("Craniosténose", "TÊTECOU"),
        ("Leucodystrophie métachromatique", "BRAIN-TEAM G2M"),
        ("Maladie de Hirschsprung", "FIMATHO NeuroSphinx"),
        ("Œsophage de Barrett", ""),
        ("Crétinisme", ""),
        ("Sclérose en plaques", ""),
    ],
)
def test_each_network_is_named_for_its_diseases_and_for_no_other(name: str, networks: str) -> None:
    assert [one.name for one in networks_named(name)] == networks.split()
