"""Forms of Phenopackets: version 1, Family, names of Protobuf; what is no patient is refused."""

from typing import Any

import pytest

from services.matching.patients.draft import ReadPatient
from services.matching.patients.phenopacket.reader import read_phenopacket
from shared.values.problems import InvalidBodyError

V1 = {"phenopacketSchemaVersion": "1.0.0", "created": "2025-11-01T00:00:00Z"}
V2 = {"phenopacketSchemaVersion": "2.0", "created": "2025-11-01T00:00:00Z"}
SEIZURE = {"type": {"id": "HP:0001250"}}
DUCHENNE = {"term": {"id": "ORPHA:98896"}}


def read(packet: dict[str, Any]) -> ReadPatient:
    return read_phenopacket(packet).finish(None)


def facts(packet: dict[str, Any]) -> list[dict[str, Any]]:
    return [fact.model_dump(exclude_none=True, exclude_defaults=True) for fact in read(packet).patient.facts]


def test_version_1_negates_with_its_own_word() -> None:
    packet = {
        "subject": {"id": "s", "sex": "MALE", "ageAtCollection": {"age": "P27Y"}},
        "phenotypicFeatures": [
            {**SEIZURE, "negated": True},
            {**SEIZURE, "classOfOnset": {"id": "HP:0003577"}},
        ],
        "genes": [{"id": "HGNC:2928", "symbol": "DMD"}],
        "variants": [{"hgvsAllele": {"hgvs": "NM_004006.3:c.6292C>T"}, "zygosity": {"id": "GENO:0000134"}}],
        "metaData": V1,
    }
    found = read(packet)
    assert (found.patient.sex, found.patient.age) == ("male", "P27Y")
    assert [fact.status for fact in found.patient.facts] == ["absent", "present", "unconfirmed"]
    variant = found.patient.facts[2].variant
    assert variant is not None
    assert (variant.gene, variant.hgvs, variant.zygosity, variant.significance) == (
        "DMD",
        "NM_004006.3:c.6292C>T",
        "hemizygous",
        "uncertain",
    )
    assert list(found.warnings) == [("/phenotypicFeatures/1/classOfOnset", "no_date")]


def test_a_packet_that_says_no_version_is_read_as_its_members_say() -> None:
    assert facts({"phenotypicFeatures": [{**SEIZURE, "negated": True}]})[0]["status"] == "absent"
    assert facts({"phenotypicFeatures": [{**SEIZURE, "excluded": True}]})[0]["status"] == "absent"


def test_names_of_protobuf_are_names_too() -> None:
    packet = {
        "subject": {"time_at_last_encounter": {"age": {"iso8601duration": "P27Y"}}},
        "phenotypic_features": [{**SEIZURE, "onset": {"ontology_class": {"id": "HP:0003577"}}}],
        "meta_data": {"phenopacket_schema_version": "2.0", "created": "2025-11-01T00:00:00Z"},
    }
    found = read(packet)
    assert (found.patient.age, len(found.patient.facts)) == ("P27Y", 1)
    assert list(found.warnings) == [("/phenotypic_features/0/onset", "no_date")]


@pytest.mark.parametrize(
    ("packet", "pointer", "code"),
    [
        ({"metaData": V2}, "", "empty_packet"),
        ({"subject": {"id": "s"}, "metaData": V2}, "", "empty_packet"),
        ({"id": "c", "members": [{"diseases": [DUCHENNE]}], "metaData": V2}, "/members", "not_a_patient"),
        (
            {"phenotypicFeatures": [{**SEIZURE, "exclude": True}], "metaData": V2},
            "/phenotypicFeatures/0/exclude",
            "member_misspelt",
        ),
        (
            {"phenotypicFeatures": [{**SEIZURE, "negated": True}], "metaData": V2},
            "/phenotypicFeatures/0/negated",
            "member_misspelt",
        ),
        (
            {"phenotypicFeatures": [{**SEIZURE, "excluded": True}], "metaData": V1},
            "/phenotypicFeatures/0/excluded",
            "member_misspelt",
        ),
        ({"disease": [DUCHENNE], "metaData": V2}, "/disease", "member_misspelt"),
        ({"phenotypicfeatures": [SEIZURE], "metaData": V2}, "/phenotypicfeatures", "member_misspelt"),
        (
            {"diseases": [DUCHENNE], "metaData": {"phenopacketSchemaVersion": "3.0"}},
            "/metaData/phenopacketSchemaVersion",
            "version_not_supported",
        ),
    ],
)
def test_what_is_no_patient_or_misspelt_is_refused(packet: dict[str, Any], pointer: str, code: str) -> None:
    with pytest.raises(InvalidBodyError) as refused:
        read(packet)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [(pointer, code)]


def test_what_is_not_read_is_reported() -> None:
    packet = {
        "subject": {"id": "s", "alternateIds": ["x"], "sex": "MALE"},
        "phenotypicFeatures": [{**SEIZURE, "modifiers": [{"id": "HP:0012833"}]}, {"type": {"label": "Fits"}}],
        "diseases": [{**DUCHENNE, "diseaseStage": [{"id": "NCIT:C1"}], "laterality": {"id": "HP:0012833"}}],
        "medicalActions": [{"procedure": {"code": {"id": "NCIT:C1"}}, "responseToTreatment": {"id": "NCIT:C2"}}],
        "_path": "x",
        "metaData": V2,
    }
    assert list(read(packet).warnings) == [
        ("/subject", "identity_dropped"),
        ("/phenotypicFeatures/0/modifiers", "not_read"),
        ("/diseases/0/diseaseStage", "not_read"),
        ("/diseases/0/laterality", "not_read"),
        ("/medicalActions/0/responseToTreatment", "not_read"),
        ("/_path", "unknown_member"),
        ("/phenotypicFeatures/1", "no_code"),
    ]


def test_a_value_that_is_not_understood_leaves_a_fact_that_decides_nothing() -> None:
    quantity = {"unit": {"id": "NCIT:C126101", "label": "Not Available"}, "value": 1e300}
    measured = {"assay": {"id": "LOINC:1742-6"}, "value": {"quantity": quantity}}
    found = read({"measurements": [measured], "metaData": V2})
    assert [fact.status for fact in found.patient.facts] == ["unconfirmed"]
    assert list(found.warnings) == [
        ("/measurements/0/value/quantity/unit", "unknown_unit"),
        ("/measurements/0/value/quantity/value", "value_not_understood"),
    ]


def test_a_family_gives_the_conditions_of_relatives() -> None:
    def member(name: str, code: str) -> dict[str, Any]:
        return {"subject": {"id": name}, "diseases": [{"term": {"id": code}}]}

    persons = [
        {"individualId": "boy", "maternalId": "mother", "paternalId": "father"},
        {"individualId": "brother", "maternalId": "mother", "paternalId": "father"},
        {"individualId": "mother", "maternalId": "0", "paternalId": "0"},
        {"individualId": "father"},
        {"individualId": "uncle"},
    ]
    family = {
        "proband": member("boy", "ORPHA:98896"),
        "relatives": [member(name, "ORPHA:232") for name in ("brother", "mother", "father", "uncle")],
        "pedigree": {"persons": persons},
        "metaData": V2,
    }
    found = read(family)
    assert [(fact.id, fact.relative) for fact in found.patient.facts] == [
        ("diseases/0", None),
        ("relatives/0/diseases/0", "sibling"),
        ("relatives/1/diseases/0", "mother"),
        ("relatives/2/diseases/0", "father"),
        ("relatives/3/diseases/0", "other"),
    ]
    assert list(found.warnings) == []


def test_an_age_grows_from_the_day_of_its_packet() -> None:
    subject = {"id": "s", "timeAtLastEncounter": {"age": {"iso8601duration": "P3Y"}}}
    dated = read({"subject": subject, "metaData": {**V2, "created": "2020-01-01T00:00:00Z"}}).patient
    assert (dated.age, str(dated.age_on)) == ("P3Y", "2020-01-01")
    undated = read({"subject": subject, "metaData": {"phenopacketSchemaVersion": "2.0"}})
    assert (undated.patient.age, undated.patient.age_at_most) == ("P3Y", "P120Y")
    assert list(undated.warnings) == [("/subject/timeAtLastEncounter", "age_of_undated_record")]


def test_a_treatment_that_ends_before_it_begins_has_an_unknown_end() -> None:
    interval = {"start": "2015-01-10T00:00:00Z", "end": "1970-01-01T00:00:00Z"}
    treatment = {"agent": {"id": "ATC:H02AB07"}, "doseIntervals": [{"interval": interval}]}
    found = read({"medicalActions": [{"treatment": treatment}], "metaData": V2})
    assert (found.patient.facts[0].start, found.patient.facts[0].end) == ("2015-01-10", "1970-01-01")
    assert list(found.warnings) == [("/medicalActions/0/treatment/doseIntervals/0/interval/end", "ends_before_start")]
