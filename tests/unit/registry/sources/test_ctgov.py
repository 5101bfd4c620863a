"""ClinicalTrials.gov records, correct and faulty, to trials."""

import copy
import json
import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.records.canonical import canonical_hash
from services.registry.sources.ctgov import InvalidStudyError, read_study
from services.registry.sources.places import centre_rules
from services.registry.sources.registry_criteria import registry_criteria
from services.registry.terminology.terminology import Terminology, builtin
from shared.criteria.model import CriteriaDocument
from tests.unit.registry.sources.coverage import coverage

TERMS = Terminology.from_json(
    {"diseases": [{"code": "ORPHA:275752", "label": {"fr": "Drépanocytose", "en": "Sickle cell disease"}}]},
)
RULES = centre_rules(
    [("fr-necker", "CIC Biothérapies Necker", "Paris"), ("fr-toulouse", "CIC Biothérapies Toulouse", "Toulouse")]
)
RECORD = {
    "protocolSection": {
        "identificationModule": {
            "nctId": "NCT03964792",
            "orgStudyIdInfo": {"id": "DREPAGLOBE"},
            "secondaryIdInfos": [
                {"id": "2018-001968-33", "type": "EUDRACT_NUMBER"},
                {"id": "Extension of NCT01234567"},
                {"id": "R01-HL-1"},
            ],
            "briefTitle": "Autologous CD34+ cells modified ex vivo, GLOBE1 lentiviral vector &amp; sickle cell disease",
            "acronym": "DREPAGLOBE",
        },
        "statusModule": {
            "overallStatus": "RECRUITING",
            "startDateStruct": {"date": "2019-11", "type": "ACTUAL"},
            "completionDateStruct": {"date": "2036-05-30", "type": "ESTIMATED"},
            "lastUpdatePostDateStruct": {"date": "2024-02-29", "type": "ACTUAL"},
        },
        "sponsorCollaboratorsModule": {
            "leadSponsor": {"name": "Assistance Publique - Hôpitaux de Paris", "class": "OTHER"},
            "collaborators": [{"name": "Imagine Institute"}],
        },
        "descriptionModule": {"briefSummary": "First line.\r\nSecond line."},
        "conditionsModule": {"conditions": ["Sickle Cell Disease", "Stem Cell Transplant"]},
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE2", "PHASE1"],
            "enrollmentInfo": {"count": 10, "type": "ESTIMATED"},
        },
        "armsInterventionsModule": {
            "interventions": [
                {"type": "GENETIC", "name": "DREPAGLOBE drug product"},
                {"type": "DRUG", "name": "Placebo"},
            ]
        },
        "eligibilityModule": {
            "eligibilityCriteria": "Inclusion Criteria:\n\n* HbSS\n\nExclusion Criteria:\n\n* Pregnancy",
            "sex": "ALL",
            "minimumAge": "5 Years",
            "maximumAge": "35 Years",
            "healthyVolunteers": False,
        },
        "contactsLocationsModule": {
            "centralContacts": [{"name": "Marina", "phone": "+33 1 44 49 46 68", "email": "marina@example.org"}],
            "locations": [
                {
                    "facility": "Hôpital Necker - Enfants Malades",
                    "city": "Paris Cedex 15",
                    "country": "France",
                    "status": "RECRUITING",
                },
                {"facility": "Fondation Necker de Bienfaisance", "city": "Marseille", "country": "France"},
                {
                    "facility": "University Hospital",
                    "city": "Toulouse",
                    "country": "France",
                    "contacts": [{"name": "Someone"}],
                },
            ],
        },
    }
}


def changed(path: str, value) -> dict:
    """Return the record with one value changed; the path is below protocolSection."""
    record = copy.deepcopy(RECORD)
    place = record["protocolSection"]
    *steps, last = path.split("/")
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value
    return record


def read(record):
    return read_study(record, TERMS, RULES)


def test_a_full_record_is_read_completely():
    reading = read(RECORD)
    trial = reading.trial
    assert reading.source_id == "NCT03964792"
    assert [(one.type, one.value) for one in trial.identifiers] == [
        ("nct", "NCT03964792"),
        ("sponsor", "DREPAGLOBE"),
        ("eudract", "2018-001968-33"),
    ]
    assert trial.titles.en is not None
    assert trial.titles.en.endswith("vector & sickle cell disease")
    assert trial.summary.en == "First line.\nSecond line."
    assert [(one.text, one.code, one.role) for one in trial.conditions] == [
        ("Sickle Cell Disease", "ORPHA:275752", "target"),
        ("Stem Cell Transplant", None, "related"),
    ]
    assert (trial.phase, trial.study_type, trial.status, trial.source_status) == (
        "phase-1-phase-2",
        "interventional",
        "recruiting",
        "RECRUITING",
    )
    assert (trial.sponsor.name, trial.sponsor.kind) == ("Assistance Publique - Hôpitaux de Paris", "academic")
    assert (trial.enrolment.count, trial.enrolment.type) == (10, "estimated")
    assert (trial.dates.start.date, trial.dates.start.type) == ("2019-11", "actual")
    assert (trial.dates.completion.date, trial.dates.last_update.date) == ("2036-05-30", "2024-02-29")
    assert trial.countries == ["FR"]
    assert (trial.eligibility.minimum_age, trial.eligibility.maximum_age, trial.eligibility.sex) == (
        "P5Y",
        "P35Y",
        "all",
    )
    product = trial.product
    assert (product.name, product.atmp_class, product.delivery, product.vector) == (
        "DREPAGLOBE drug product",
        "gene_therapy",
        "ex_vivo",
        "lentiviral",
    )
    assert (product.cell_origin, product.genes) == ("autologous", ["HBB"])


def test_only_a_clear_location_is_a_member_centre():
    assert [(site.centre, site.status) for site in read(RECORD).trial.sites] == [("fr-necker", "recruiting")]


def test_another_trial_s_number_is_never_an_identifier():
    reading = read(RECORD)
    assert "NCT01234567" not in reading.trial.model_dump_json()
    assert [(one.pointer, one.code) for one in reading.warnings] == [
        ("/protocolSection/identificationModule/secondaryIdInfos/1/id", "other_trial")
    ]


def test_no_contact_reaches_the_trial():
    written = read(RECORD).trial.model_dump_json()
    assert not any(secret in written for secret in ("Marina", "+33", "@", "Someone"))


def test_a_record_may_lack_every_module():
    reading = read({"protocolSection": {"identificationModule": {"nctId": "NCT00000001"}}})
    assert reading.warnings == ()
    assert (reading.trial.status, reading.trial.source_status, reading.trial.conditions) == ("unknown", None, [])


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        "NCT00000001",
        {},
        {"protocolSection": None},
        {"protocolSection": {"identificationModule": {}}},
        {"protocolSection": {"identificationModule": {"nctId": 3964792}}},
        {"protocolSection": {"identificationModule": {"nctId": "NCT1"}}},
    ],
)
def test_a_record_that_is_no_study_is_invalid(record):
    with pytest.raises(InvalidStudyError) as refused:
        read(record)
    (fault,) = refused.value.faults
    assert fault.pointer in {"", "/protocolSection/identificationModule/nctId"}


@pytest.mark.parametrize(
    ("path", "value", "pointer", "code"),
    [
        ("statusModule", ["x"], "/protocolSection/statusModule", "wrong_type"),
        ("statusModule/overallStatus", "OPEN-SECRET", "/protocolSection/statusModule/overallStatus", "unknown_code"),
        ("statusModule/overallStatus", 5, "/protocolSection/statusModule/overallStatus", "wrong_type"),
        (
            "statusModule/startDateStruct",
            {"date": "2019-02-30"},
            "/protocolSection/statusModule/startDateStruct/date",
            "date_form",
        ),
        (
            "statusModule/startDateStruct",
            {"date": "November 2019"},
            "/protocolSection/statusModule/startDateStruct/date",
            "date_form",
        ),
        ("designModule/phases", "PHASE1", "/protocolSection/designModule/phases", "wrong_type"),
        ("designModule/phases", ["PHASE1", "PHASE4"], "/protocolSection/designModule/phases", "unknown_code"),
        ("designModule/phases", ["PHASE1", 2], "/protocolSection/designModule/phases/1", "wrong_type"),
        (
            "designModule/enrollmentInfo",
            {"count": "10"},
            "/protocolSection/designModule/enrollmentInfo/count",
            "wrong_type",
        ),
        (
            "designModule/enrollmentInfo",
            {"count": True},
            "/protocolSection/designModule/enrollmentInfo/count",
            "wrong_type",
        ),
        (
            "designModule/enrollmentInfo",
            {"count": -1},
            "/protocolSection/designModule/enrollmentInfo/count",
            "wrong_type",
        ),
        ("eligibilityModule/minimumAge", "five", "/protocolSection/eligibilityModule/minimumAge", "age_form"),
        (
            "eligibilityModule/eligibilityCriteria",
            "x" * 60_001,
            "/protocolSection/eligibilityModule/eligibilityCriteria",
            "too_long",
        ),
        (
            "conditionsModule/conditions",
            [{"a": 1}, "Lupus"],
            "/protocolSection/conditionsModule/conditions/0",
            "wrong_type",
        ),
        (
            "contactsLocationsModule/locations",
            [{"country": "Atlantis"}],
            "/protocolSection/contactsLocationsModule/locations/0/country",
            "unknown_country",
        ),
        (
            "contactsLocationsModule/locations",
            ["Paris"],
            "/protocolSection/contactsLocationsModule/locations/0",
            "wrong_type",
        ),
        (
            "armsInterventionsModule/interventions",
            {"a": 1},
            "/protocolSection/armsInterventionsModule/interventions",
            "wrong_type",
        ),
        (
            "sponsorCollaboratorsModule/leadSponsor",
            "AP-HP",
            "/protocolSection/sponsorCollaboratorsModule/leadSponsor",
            "wrong_type",
        ),
    ],
)
def test_an_invalid_value_is_reported_by_its_place_without_its_content_and_the_rest_is_read(path, value, pointer, code):
    reading = read(changed(path, value))
    assert (pointer, code) in {(one.pointer, one.code) for one in reading.warnings}
    texts = [text for one in reading.warnings for text in (one.detail.fr, one.detail.en)]
    assert not any(word in text for word in ("SECRET", "Atlantis") for text in texts)
    assert reading.trial.acronym == "DREPAGLOBE"


@pytest.mark.parametrize(
    ("written", "age"),
    [
        ("18 Years", "P18Y"),
        ("1 Month", "P1M"),
        ("6 Weeks", "P6W"),
        ("3 days", "P3D"),
        ("36 Hours", "P1D"),
        ("N/A", None),
        ("0 Years", "P0Y"),
    ],
)
def test_an_age_keeps_its_unit(written, age):
    reading = read(changed("eligibilityModule/minimumAge", written))
    assert reading.trial.eligibility.minimum_age == age


PRODUCTS = [
    (
        ["rAAVrh74.MHCK7.microdystrophin"],
        "Gene transfer in Duchenne",
        {"atmp_class": "gene_therapy", "vector": "aav", "serotype": "AAVrh74", "delivery": "in_vivo", "genes": ["DMD"]},
    ),
    (["AAV2CUhCLN2"], "Gene transfer", {"vector": "aav", "serotype": "AAV2"}),
    (["AAV2 or AAV8 vector"], "Two serotypes", {"vector": "aav", "serotype": None}),
    (["recombinant adenovirus containing a gene"], "x", {"atmp_class": "gene_therapy", "vector": "adenoviral"}),
    (["in vivo CAR-T drug based on LNP-mRNA"], "x", {"vector": "mrna_lnp", "delivery": "in_vivo"}),
    (
        ["Autologous anti-CD19 CAR-T cells"],
        "x",
        {"atmp_class": "gene_therapy", "vector": None, "delivery": "ex_vivo", "cell_origin": "autologous"},
    ),
    (["Autologous anti-CD19 CAR-T cells"], "x", {"cell_type": "CAR-T cells"}),
    (["CAR-T lentiviral vector drug"], "x", {"vector": "lentiviral", "delivery": None}),
    (
        ["human umbilical cord mesenchymal stem cells"],
        "x",
        {"atmp_class": "somatic_cell", "vector": None, "cell_origin": "allogeneic"},
    ),
    (["Autologous and allogeneic mesenchymal stem cells"], "x", {"atmp_class": "somatic_cell", "cell_origin": None}),
    (["Tissue engineered skin"], "x", {"atmp_class": "tissue_engineered"}),
    (
        ["Rituximab"],
        "Rituximab in patients with AAV vasculitis",
        {"atmp_class": None, "vector": None, "name": "Rituximab"},
    ),
    (["Islet transplantation"], "Mesenchymal cells after islets", {"atmp_class": None}),
    (["Placebo"], "A study", {"atmp_class": None, "name": None}),
]


@pytest.mark.parametrize(("interventions", "title", "expected"), PRODUCTS)
def test_the_product_is_classified_by_its_own_words(interventions, title, expected):
    record = changed(
        "armsInterventionsModule/interventions", [{"type": "DRUG", "name": name} for name in interventions]
    )
    record["protocolSection"]["identificationModule"]["briefTitle"] = title
    product = read(record).trial.product.model_dump()
    assert {key: product[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "atmp_class"), [("DTX301", "gene_therapy"), ("DNA analysis", None), ("gene expression profiling", None)]
)
def test_the_type_genetic_counts_unless_it_is_a_test(name, atmp_class):
    record = changed("armsInterventionsModule/interventions", [{"type": "GENETIC", "name": name}])
    record["protocolSection"]["identificationModule"]["briefTitle"] = "A study"
    assert read(record).trial.product.atmp_class == atmp_class


def test_the_hash_of_a_record_is_that_of_its_content():
    record = {"a": "é", "b": [1, {"c": None, "d": True}]}
    assert canonical_hash(record) == canonical_hash({"b": [1, {"d": True, "c": None}], "a": "e\u0301"})
    assert canonical_hash(record) != canonical_hash({"a": "é", "b": [{"c": None, "d": True}, 1]})
    assert canonical_hash({"a": 1}) != canonical_hash({"a": "1"})


def test_coverage_counts_given_and_mapped_fields():
    records = [RECORD, changed("eligibilityModule/minimumAge", "five")]
    table = {row.field: (row.given, row.mapped) for row in coverage((one, read(one).trial) for one in records)}
    assert table["minimum_age"] == (2, 1)
    assert table["title"] == (2, 2)
    assert table["why_stopped"] == (0, 0)


def test_an_american_hospital_of_the_same_name_is_no_member():
    record = changed(
        "contactsLocationsModule/locations",
        [{"facility": "Hôpital Necker", "city": "Paris", "country": "United States"}],
    )
    assert read(record).trial.sites == []


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("files", "count"),
    [
        ("ctgov_atmp/*.json", 889),
        ("ctgov_v2_native/studies.jsonl.xz", 691),
        ("ctgov_oncology_decoys/decoys.jsonl.xz", 72),
    ],
)
def test_every_real_record_is_read_and_reported(real_data, files, count, figure):
    texts = [
        lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        for path in sorted(real_data.glob(files))
    ]
    lines = [line for text in texts for line in (text.splitlines() if files.endswith(".xz") else [text])]
    records = [json.loads(line) for line in lines]
    readings = [read_study(record, builtin()) for record in records]
    assert len(readings) == count
    assert len({reading.source_id for reading in readings}) == count
    for reading in readings:
        document = {**registry_criteria(reading.trial, builtin()), "version": 1}
        CriteriaDocument.model_validate_json(json.dumps(document))
    rows = {row.field: row for row in coverage(zip(records, (reading.trial for reading in readings), strict=True))}
    for row in rows.values():
        figure(f"{files}: {row.field}", f"given by {row.given} of {count}, mapped in {row.mapped}")
    for field in (
        "title",
        "summary",
        "conditions",
        "status",
        "start",
        "locations",
        "countries",
        "eligibility_text",
        "minimum_age",
        "sex",
    ):
        assert rows[field].mapped == rows[field].given, field


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def places(value, path=()):
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


@given(path=st.sampled_from([path for path in places(RECORD) if path]), junk=JUNK)
def test_no_value_anywhere_stops_the_reader(path, junk):
    record = copy.deepcopy(RECORD)
    place = record
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = junk
    try:
        reading = read(record)
    except InvalidStudyError:
        assert path[:3] in {
            ("protocolSection",),
            ("protocolSection", "identificationModule"),
            ("protocolSection", "identificationModule", "nctId"),
        }
    else:
        assert reading.source_id == "NCT03964792"


def test_a_list_that_is_too_long_is_cut_and_reported():
    reading = read(
        changed(
            "contactsLocationsModule/locations",
            [{"city": f"City {number}", "country": "France"} for number in range(1001)],
        )
    )
    assert len(reading.trial.locations) == 1000
    assert ("/protocolSection/contactsLocationsModule/locations", "too_many") in {
        (one.pointer, one.code) for one in reading.warnings
    }


@pytest.mark.parametrize(
    ("facility", "city", "centre"),
    [
        ("CHU de Toulouse", "Toulouse", "fr-toulouse"),
        ("Hopital Purpan", "TOULOUSE Cedex 9", "fr-toulouse"),
        ("Necker-Enfants Malades Hospital", "Paris", "fr-necker"),
        ("Hôpital Cochin", "Paris", None),
        ("CHU de Toulouse", "Paris", None),
        ("Clinique Pasteur", "Toulouse", None),
    ],
)
def test_a_member_is_recognised_by_its_hospital_and_its_city(facility, city, centre):
    sites = read(
        changed("contactsLocationsModule/locations", [{"facility": facility, "city": city, "country": "France"}])
    ).trial.sites
    assert [site.centre for site in sites] == ([centre] if centre else [])
