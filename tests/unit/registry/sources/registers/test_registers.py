"""What the readers of CTIS, EUCTR and ECLAIRE make of the points where their formats differ."""

import json
from typing import Any

import pytest

from services.registry.model.trial import TrialInput
from services.registry.sources.persons import without_persons
from services.registry.sources.places import centre_rules
from services.registry.sources.reader import SourceReading
from services.registry.sources.registers.ctis_codes import STATUS
from services.registry.sources.registers.eclaire_record import records as eclaire_records
from services.registry.sources.registers.euctr_record import flat
from services.registry.terminology.terminology import Terminology
from tests.unit.registry.sources.registers.corpus import READERS, trial_of

TERMS = Terminology.from_json(
    {"diseases": [{"code": "ORPHA:98896", "label": {"fr": "Myopathie de Duchenne", "en": "Duchenne dystrophy"}}]},
)
RULES = centre_rules([("fr-necker", "CIC Biothérapies Necker", "Paris")])


def read(source: str, record: Any) -> SourceReading:
    return READERS[source].read(record, TERMS, RULES)


def trial(source: str, record: Any) -> TrialInput:
    return trial_of(source, read(source, record).reading)


def ctis(**changes: Any) -> dict[str, Any]:
    """Return a record of CTIS in the present shape."""
    application = changes.pop("application", {})
    return {"ctNumber": "2024-512345-12-01", "authorizedApplication": application, **changes}


@pytest.mark.parametrize("code", STATUS)
def test_ctis_has_a_status_for_each_public_code(code):
    words, status = STATUS[code]
    found = trial("ctis", ctis(ctPublicStatusCode=int(code)))
    assert (found.status, found.source_status) == (status, f"{code} {words}")


@pytest.mark.parametrize(
    ("countries", "overall", "status", "words"),
    [
        (["France:5", "Spain:2"], 2, "active_not_recruiting", f"France: 5 {STATUS['5'][0]}; trial: 2 {STATUS['2'][0]}"),
        (["Spain:8", "France:4"], 4, "recruiting", "France: 4 Ongoing, recruiting; trial: 4 Ongoing, recruiting"),
        (["Spain:6"], 4, "recruiting", "4 Ongoing, recruiting"),
        (["France:7"], 4, "suspended", "France: 7 Suspended; trial: 4 Ongoing, recruiting"),
        (["France"], 6, "suspended", "6 Temporarily halted"),
    ],
)  # fmt: skip
def test_where_france_takes_part_the_status_is_that_of_france(countries, overall, status, words):
    found = trial("ctis", ctis(trialCountries=countries, ctPublicStatusCode=overall))
    assert (found.status, found.source_status) == (status, words)


def test_an_unknown_status_is_told_and_not_guessed():
    found = read("ctis", ctis(trialCountries=["France:13"], ctPublicStatusCode=4))
    assert "status" in found.reading.unreadable
    assert found.reading.values["source_status"] == "France: 13; trial: 4 Ongoing, recruiting"
    assert [(one.pointer, one.code) for one in found.warnings] == [("/trialCountries", "unknown_code")]


def test_the_status_of_an_application_is_not_that_of_the_trial():
    assert "status" not in read("ctis", ctis(ctStatus=4)).reading.values


def test_the_shape_of_2023_has_words_for_numbers():
    record = {
        "ctNumber": "2023-500000-12-00",
        "ctStatus": "Ongoing, recruiting",
        "trialCountries": "DE:Authorised, not started, FR:Suspended",
        "lastUpdated": "2024-05-06",
    }
    found = trial("ctis", record)
    assert (found.status, found.countries) == ("suspended", ["DE", "FR"])
    assert found.source_status == "France: Suspended; trial: Ongoing, recruiting"


def test_a_row_of_a_search_supposes_its_texts_and_says_nothing_of_ages():
    row = {"ctNumber": "2024-512345-12-00", "ctTitle": "AAV9 gene therapy", "conditions": "Duchenne dystrophy"}
    reading = read("ctis", {**row, "trialCountries": ["France:4"], "gender": "Male"}).reading
    assert reading.inferred["titles.en"] == "AAV9 gene therapy"
    assert [one["code"] for one in reading.inferred["conditions"]] == ["ORPHA:98896"]
    assert reading.values["status"] == "recruiting"
    assert not {"titles.en", "conditions", "eligibility"} & reading.values.keys()


def test_all_submissions_of_a_trial_are_one_record():
    reader = READERS["ctis"]
    assert {reader.source_id({"ctNumber": f"2024-512345-12-0{last}"}) for last in "012"} == {"2024-512345-12"}
    assert [one.value for one in trial("ctis", ctis()).identifiers] == ["2024-512345-12-01"]
    assert reader.dated(ctis(lastUpdated="19/08/2025", lastPublicationUpdate="02/09/2025")) == "2025-09-02"


@pytest.mark.parametrize(
    ("therapy", "atmp_class", "warned"),
    [
        ({"advancedTherapyType": "Gene therapy medicinal product"}, "gene_therapy", False),
        ({"advancedTherapyType": "Somatic cell therapy"}, "somatic_cell", False),
        ({"advancedTherapyTypeName": "Tissue engineered product"}, "tissue_engineered", False),
        ({"advancedTherapyType": "3"}, None, True),
        ({"advancedTherapyType": 3, "geneOfInterest": "DMD"}, "gene_therapy", True),
        ({"somaticCellTherapy": {"somaticCellOrigin": "Autologous"}}, "somatic_cell", False),
    ],
)
def test_the_class_of_a_therapy_is_read_from_words_and_parts_never_from_a_number(therapy, atmp_class, warned):
    products = [
        {"part1MpRoleTypeCode": "1", "productName": "XY-001", "orphanDrugEdit": True, "therapies": [therapy]},
        {"part1MpRoleTypeCode": "5", "productName": "Lentiviral gene therapy", "therapies": []},
    ]
    found = read("ctis", ctis(application={"authorizedPartI": {"products": products}}))
    product = found.reading.values["product"]
    assert (product["name"], product["atmp_class"], product["orphan_designation"]) == ("XY-001", atmp_class, True)
    assert ("unknown_code" in {one.code for one in found.warnings}) is warned


def test_the_places_of_a_ctis_trial_have_no_status_while_the_country_recruits():
    sites = [
        {
            "organisationAddressInfo": {
                "organisation": {"name": "Hôpital Necker Enfants Malades"},
                "address": {"city": "Paris", "postcode": "75015", "countryName": "France"},
            }
        }
    ]
    application = {"authorizedPartsII": [{"mscInfo": {"countryName": "France"}, "trialSites": sites}]}
    for code, place, centre in ((4, None, "unknown"), (6, "suspended", "suspended")):
        found = trial("ctis", ctis(trialCountries=[f"France:{code}"], application=application))
        assert [(one.postcode, one.country, one.status) for one in found.locations] == [("75015", "FR", place)]
        assert [(one.centre, one.status) for one in found.sites] == [("fr-necker", centre)]


def test_a_record_with_places_but_no_member_centre_says_that_none_takes_part():
    elsewhere = {"mscInfo": {"countryName": "Spain"}, "trialSites": []}
    assert read("ctis", ctis(application={"authorizedPartsII": [elsewhere]})).reading.values["sites"] == []
    assert "sites" not in read("ctis", ctis()).reading.values


def test_french_titles_of_ctis_are_french():
    names = {
        "publicTitle": "Gene therapy for the treatment of children with sickle cell disease",
        "fullTitle": "Étude de phase I/II d'une thérapie génique chez des enfants",
        "publicTitleTranslations": [
            {"languageDescription": "Greek", "attributeTranslation": "Γονιδιακή"},
            {"languageDescription": "French", "attributeTranslation": "Thérapie génique de la drépanocytose"},
        ],
    }
    part = {"trialDetails": {"clinicalTrialIdentifiers": names}}
    found = trial("ctis", ctis(application={"authorizedPartI": part}))
    assert found.titles.fr == "Thérapie génique de la drépanocytose"
    assert found.titles.en == "Gene therapy for the treatment of children with sickle cell disease"
    assert found.official_titles.fr == "Étude de phase I/II d'une thérapie génique chez des enfants"


def test_the_flags_of_euctr_type_the_product():
    record = {
        "A. Protocol Information": {
            "A.1 Member State Concerned": "France - ANSM",
            "A.2 EudraCT number": "2012-000695-42",
        },
        "D. IMP Identification": {
            "D.I1.1.2 and D.1.3 IMP Role": "Test",
            "D.I1.2.5 The IMP has been designated in this indication as an orphan drug in the Community": "Yes",
            "D.I1.3.1 Product name": "LentiGlobin",
            "D.I1.3.11.3 Advanced Therapy IMP (ATIMP)": "Yes",
            "D.I1.3.11.3.2 Gene therapy medical product": "Yes",
            "D.I1.3.11.3.4 Combination ATIMP (i.e. one involving a medical device)": "Yes",
            "D.I2.1.2 and D.1.3 IMP Role": "Comparator",
            "D.I2.3.1 Product name": "Busulfan",
            "D.I2.3.11.3.1 Somatic cell therapy medicinal product": "Yes",
        },
        "Trial Status": "Ongoing",
    }  # fmt: skip
    converted = flat(without_persons(record))
    assert READERS["euctr"].source_id(converted) == "2012-000695-42-FR"
    found = trial("euctr", converted)
    assert found.product.atmp_class == "gene_therapy"
    assert (found.product.combined, found.product.orphan_designation) == (True, True)
    assert [one.name for one in found.interventions] == ["LentiGlobin", "Busulfan"]
    assert (found.status, found.countries) == ("unknown", ["FR"])
    assert read("euctr", converted).reading.values["source_status"] == "Ongoing (FR)"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Optimisation de la prescription du tacrolimus en transplantation hpatique pdiatrique", None),
        ("Évaluation du tacrolimus en transplantation hépatique pédiatrique chez l'enfant", "same"),
    ],
)
def test_french_texts_of_euctr_that_lost_their_letters_are_left_out(text, kept):
    record = {
        "a2_eudract_number": "2013-000615-24",
        "a31_title_of_the_trial": "A trial",
        "a31_title_of_the_trial_fr": text,
    }
    found = read("euctr", record)
    assert found.reading.values.get("titles.fr") == (text if kept else None)
    assert ("letters_lost" in {one.code for one in found.warnings}) is (kept is None)


R5 = "hl7.org/fhir/5.0/StructureDefinition/extension-ResearchStudy"
R4_PAGE = "hl7.org/fhir/R4/researchstudy-definitions.html"


def study(**changes: Any) -> dict[str, Any]:
    """Return a ResearchStudy as the live server sends it."""
    return {
        "resourceType": "ResearchStudy",
        "id": "2022-500014-26-00",
        "identifier": {"use": "official", "value": "2022-500014-26-00"},
        **changes,
    }


def extension(address: str, **value: Any) -> dict[str, Any]:
    return {"url": address, **value}


@pytest.mark.parametrize(
    ("status", "recruitment", "state", "expected"),
    [
        ("active", "recruiting", None, "recruiting"),
        ("active", "upcoming", None, "not_yet_recruiting"),
        ("active", "completed-recruiting", None, "active_not_recruiting"),
        ("active", None, None, "unknown"),
        ("approved", None, None, "not_yet_recruiting"),
        ("temporarily-closed-to-accrual", "recruiting", "SUSPENDUE", "suspended"),
        ("withdrawn", None, "EXPIREE", "expired"),
        ("withdrawn", None, "ABANDONNEE", "withdrawn"),
        ("administratively-completed", None, None, "terminated"),
    ],
)
def test_the_status_of_eclaire(status, recruitment, state, expected):
    given = study(status=status)
    if recruitment is not None:
        concept = {"coding": [{"code": recruitment}]}
        address = "https://interop.esante.gouv.fr/ig/fhir/eclaire/StructureDefinition/eclaire-recruitment-status"
        given["extension"] = [extension(address, valueCodeableConcept=concept)]
    if state is not None:
        given["text"] = {"div": f"<div><ul><li> etat: {state} </li><li> contact_nom: DUPONT </li></ul></div>"}
    record = without_persons(given)
    assert trial("eclaire", record).status == expected
    assert "DUPONT" not in json.dumps(record)


def test_a_recruitment_that_waits_is_not_open_though_the_server_of_eclaire_sends_so():
    address = "https://interop.esante.gouv.fr/ig/fhir/eclaire/StructureDefinition/eclaire-recruitment-status"
    sent = extension(address, valueCodeableConcept={"coding": [{"code": "recruiting"}]})
    narrative = "<ul><li> etat: EN_COURS </li><li> statut_recrutement: Recrutement en attente </li></ul>"
    record = without_persons(study(status="active", extension=[sent], text={"div": narrative}))
    assert trial("eclaire", record).status == "not_yet_recruiting"


def test_extensions_of_eclaire_are_known_by_the_end_of_their_address():
    def party(role: str, name: str, address: str) -> dict[str, Any]:
        role_part = extension("role", valueCodeableConcept={"coding": {"code": role}})
        return extension(address, extension=[extension("name", valueString=name), role_part])

    label = "https://interop.esante.gouv.fr/ig/fhir/eclaire/StructureDefinition-eclaire-label-r5.html"
    kind = extension("type", valueCodeableConcept={"coding": [{"code": "acronym"}]})
    record = study(
        title="Essai d'une thérapie génique chez l'enfant",
        extension=[
            party("lead-sponsor", "AP-HP", f"https://{R5}.associatedParty"),
            party("primary-investigator", "DUPONT", f"http://{R5}.associatedParty"),
            extension(f"https://{R4_PAGE}#ResearchStudy.descriptionSummary", valueMarkdown="Résumé."),
            extension(label, extension=[kind, extension("value", valueString="INDISPONIBLE")]),
        ],
        principalInvestigator={"display": "DUPONT"},
        contact=[{"name": "DUPONT"}],
    )  # fmt: skip
    kept = without_persons(record)
    found = trial("eclaire", kept)
    assert "DUPONT" not in json.dumps(kept)
    assert (found.sponsor.name, found.summary.fr, found.acronym) == ("AP-HP", "Résumé.", None)
    assert (found.titles.fr, found.titles.en) == ("Essai d'une thérapie génique chez l'enfant", None)


def test_an_invalid_group_of_eclaire_is_read():
    def other(text: str, description: str | None, *, exclude: bool) -> dict[str, Any]:
        given = {"code": {"coding": {"code": "grp-other"}}, "valueCodeableConcept": {"coding": [{"display": text}]}}
        return {**given, "exclude": exclude, **({"description": description} if description else {})}

    band = {"low": {"unit": "years", "value": 0}, "high": {"unit": "years", "value": 17}}
    group = {
        "resourceType": "Group", "id": "g", "quantity": 21,
        "characteristic": [
            {"code": {"coding": [{"code": "grp-age"}]}, "valueRange": band},
            {"code": {"coding": [{"code": "grp-gender"}]}, "valueCodeableConcept": {"coding": {"code": "female"}}},
            {"code": {"coding": [{"code": "grp-studypop"}]}, "valueCodeableConcept": {"coding": [{"code": "minors"}]}},
            other("Drépanocytose confirmée", "eligibility-criteria", exclude=False),
            other("Grossesse", "eligibility-criteria", exclude=True),
            other("Survie à un an", "judgement-criteria", exclude=False),
        ],
    }  # fmt: skip
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {"resource": study(enrollment={"reference": "https://example.org/R4/Group/g"})},
            {"resource": group},
            {"resource": study(id="other", enrollment=[{"reference": "Group/h"}])},
        ],
    }
    first, second = eclaire_records(bundle)
    found = trial("eclaire", first)
    assert found.eligibility.text == (
        "Critères d'inclusion :\n\n* Drépanocytose confirmée\n\nCritères d'exclusion :\n\n* Grossesse"
    )
    assert (found.eligibility.minimum_age, found.eligibility.maximum_age) == (None, "P17Y")
    assert (found.eligibility.sex, found.eligibility.populations, found.enrolment.count) == ("female", ["minors"], 21)
    assert "eligibility" not in read("eclaire", second).reading.values


def test_codes_of_eclaire_count_where_the_words_do_not():
    condition = {"coding": {"system": "http://www.orpha.net/", "code": "98896"}, "text": "Maladie neuromusculaire XYZ"}
    found = trial("eclaire", study(condition=condition))
    assert [(one.code, one.text) for one in found.conditions] == [("ORPHA:98896", "Maladie neuromusculaire XYZ")]


def test_a_number_of_zeros_joins_nothing():
    found = read("euctr", {"a2_eudract_number": "2020-001331-26", "a52_us_nct": "NCT00000000"})
    assert [one["type"] for one in found.reading.values["identifiers"]] == ["eudract"]
    assert [one.code for one in found.warnings] == ["no_number"]
