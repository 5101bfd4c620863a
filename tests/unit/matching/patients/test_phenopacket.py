"""Phenopackets to native patients: what is converted, what is left out, and that nothing is added."""

import lzma
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from services.matching.patients.draft import ReadPatient
from services.matching.patients.mapping import to_engine
from services.matching.patients.phenopacket.reader import is_phenopacket, read_phenopacket
from shared.values.problems import InvalidBodyError
from shared.values.strict_json import Limits, loads

CREATED = date(2016, 8, 3)
BORN = {"subject": {"id": "s", "dateOfBirth": "2010-05-01T00:00:00Z"}}


def read(packet: dict[str, Any]) -> ReadPatient:
    return read_phenopacket(packet).finish(None)


def facts(**packet: Any) -> list[dict[str, Any]]:
    patient = read({**BORN, **packet}).patient
    return [fact.model_dump(exclude_none=True, exclude_defaults=True) for fact in patient.facts]


def left_out(**packet: Any) -> list[tuple[str, str]]:
    return list(read({**BORN, **packet}).warnings)


def variant(progress: str = "SOLVED", status: str = "CAUSATIVE", **descriptor: Any) -> dict[str, Any]:
    described = {"geneContext": {"valueId": "HGNC:2928", "symbol": "DMD"}, **descriptor}
    interpreted = {"acmgPathogenicityClassification": "PATHOGENIC", "variationDescriptor": described}
    genomic = {"subjectOrBiosampleId": "s", "interpretationStatus": status, "variantInterpretation": interpreted}
    return {
        "progressStatus": progress,
        "diagnosis": {"disease": {"id": "ORPHA:98896"}, "genomicInterpretations": [genomic]},
    }


def test_a_phenopacket_is_recognised_by_its_metadata() -> None:
    assert is_phenopacket({"metaData": {"phenopacketSchemaVersion": "2.0"}})
    assert is_phenopacket({"phenotypic_features": []})
    assert not is_phenopacket({"facts": []})


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ({"sex": "FEMALE", "dateOfBirth": "2010-05-01T00:00:00Z"}, {"sex": "female", "birth_date": "2010-05-01"}),
        (
            {"sex": "UNKNOWN_SEX", "timeAtLastEncounter": {"age": {"iso8601duration": "P6Y3M"}}},
            {"age": "P6Y3M", "age_at_most": "P6Y3M", "age_on": CREATED},
        ),
        (
            {"dateOfBirth": "2010-05-01T00:00:00Z", "timeAtLastEncounter": {"age": {"iso8601duration": "P6Y"}}},
            {"birth_date": "2010-05-01"},
        ),
        (
            {"timeAtLastEncounter": {"age": {"iso8601duration": "P1DT5H"}}},
            {"age": "P1D", "age_at_most": "P1D", "age_on": CREATED},
        ),
        (
            {
                "timeAtLastEncounter": {
                    "ageRange": {"start": {"iso8601duration": "P30Y"}, "end": {"iso8601duration": "P39Y"}}
                }
            },
            {"age": "P30Y", "age_at_most": "P39Y", "age_on": CREATED},
        ),
        ({"timeAtLastEncounter": {"gestationalAge": {"weeks": 33}}}, {}),
        ({"timeAtLastEncounter": {"age": {"iso8601duration": "six years"}}}, {}),
        ({"timeAtLastEncounter": {"ontologyClass": {"id": "HP:0003621"}}}, {}),
        ({"timeAtLastEncounter": {"age": {"iso8601duration": "P999Y"}}}, {}),
        ({"dateOfBirth": "1900-01-01T00:00:00Z"}, {}),
        ({"dateOfBirth": "2022-04-01T00:00:00+02:00"}, {"birth_date": "2022-04-01"}),
        ({"dateOfBirth": "2022-03-31T22:00:00Z"}, {"birth_date": "2022-04-01"}),
        ({"dateOfBirth": "2021-12-31T23:00:00Z"}, {"birth_date": "2022-01-01"}),
        ({"dateOfBirth": "2022-04-01"}, {"birth_date": "2022-04-01"}),
        # The two contradict each other: every age from 3 years is possible.
        (
            {"dateOfBirth": "1970-01-01T00:00:00Z", "timeAtLastEncounter": {"age": {"iso8601duration": "P3Y"}}},
            {"age": "P3Y", "age_at_most": "P120Y", "age_on": CREATED},
        ),
    ],
)
def test_the_subject(subject: dict[str, Any], expected: dict[str, Any]) -> None:
    about = {"created": "2016-08-03T10:00:00Z", "phenopacketSchemaVersion": "2.0"}
    packet = {"subject": {"id": "s", **subject}, "diseases": [{"term": {"id": "ORPHA:232"}}], "metaData": about}
    patient = read(packet).patient.model_copy(update={"facts": []})
    assert patient.model_dump(exclude_none=True, exclude_defaults=True) == expected


@pytest.mark.parametrize(
    ("onset", "expected"),
    [
        ({"timestamp": "2016-08-03T10:00:00Z"}, "2016-08-03"),
        ({"timestamp": "2016-08-03T23:30:00.563273906-02:00"}, "2016-08-03"),
        ({"timestamp": "2016-08-02T22:00:00Z"}, "2016-08-03"),
        ({"age": {"iso8601duration": "P6Y3M10D"}}, "2016-08-11"),
        ({"age": {"iso8601duration": "P6Y3M"}}, "2016-08"),
        ({"age": {"iso8601duration": "P6Y"}}, None),  # from May to the next April: no one year
        ({"ontologyClass": {"id": "HP:0003577"}}, None),
        ({"timestamp": "2016-02-31T10:00:00Z"}, None),
    ],
)
def test_an_onset_is_no_more_precise_than_given(onset: dict[str, Any], expected: str | None) -> None:
    converted = facts(phenotypicFeatures=[{"type": {"id": "HP:0001250", "label": "Seizure"}, "onset": onset}])
    dated = {"date": expected} if expected else {}
    assert converted == [{"id": "phenotypicFeatures/0", "kind": "observation", "codes": ["HP:0001250"], **dated}]


def test_an_onset_at_an_age_is_no_date_without_a_birth_date() -> None:
    found = read({"diseases": [{"term": {"id": "OMIM:310200"}, "onset": {"age": {"iso8601duration": "P6Y3M10D"}}}]})
    assert found.patient.facts[0].date is None
    assert list(found.warnings) == [("/diseases/0/onset", "no_date")]


def test_excluded_is_absent_and_resolved_has_an_end() -> None:
    assert facts(
        diseases=[
            {"term": {"id": "Orphanet:98896"}, "excluded": True, "onset": {"timestamp": "2016-08-03T10:00:00Z"}},
            {
                "term": {"id": "MONDO:0005108"},
                "onset": {"timestamp": "2016-08-03T10:00:00Z"},
                "resolution": {"timestamp": "2016-09-01T10:00:00Z"},
            },
        ]
    ) == [
        {"id": "diseases/0", "kind": "condition", "codes": ["ORPHA:98896"], "status": "absent"},
        {
            "id": "diseases/1",
            "kind": "condition",
            "codes": ["MONDO:0005108"],
            "start": "2016-08-03",
            "end": "2016-09-01",
        },
    ]


def test_a_measurement_keeps_unit_range_and_day() -> None:
    unit = {"id": "UCUM:U/L"}
    quantity = {"unit": unit, "value": 60.5, "referenceRange": {"unit": unit, "low": 5, "high": 35}}
    measured = {
        "assay": {"id": "LOINC:1742-6"},
        "value": {"quantity": quantity},
        "timeObserved": {"timestamp": "2025-10-20T08:00:00Z"},
    }
    expected = {
        "id": "measurements/0",
        "kind": "observation",
        "codes": ["LOINC:1742-6"],
        "date": "2025-10-20",
        "value": 60.5,
        "unit": "U/L",
    }
    assert facts(measurements=[measured]) == [{**expected, "ref_low": 5, "ref_high": 35}]
    other = {
        **measured,
        "value": {"quantity": {**quantity, "referenceRange": {"unit": {"id": "UCUM:g/L"}, "high": 1}}},
    }
    assert facts(measurements=[other]) == [expected]
    assert left_out(measurements=[other]) == [("/measurements/0/value/quantity/referenceRange", "range_not_understood")]


@pytest.mark.parametrize(
    ("answer", "status"), [("SNOMED:10828004", None), ("LOINC:LA6577-6", "absent"), ("NCIT:C1", "unconfirmed")]
)
def test_a_coded_answer_is_present_or_absent_where_it_is_known(answer: str, status: str | None) -> None:
    measurement = {"assay": {"id": "LOINC:5196-1"}, "value": {"ontologyClass": {"id": answer}}}
    converted = facts(measurements=[measurement])
    assert [fact.get("status") for fact in converted] == [status]


def test_treatments_are_exposures_and_prescriptions_are_orders() -> None:
    interval = {
        "interval": {"start": "2024-01-15T00:00:00Z", "end": "2024-06-30T00:00:00Z"},
        "quantity": {"value": 20, "unit": {"id": "UCUM:mg"}},
    }
    packet = {
        "medicalActions": [
            {
                "treatment": {
                    "agent": {"id": "ATC:H02AB07"},
                    "doseIntervals": [interval, {"interval": {"start": "2024-07-01T00:00:00Z"}}],
                }
            },
            {"treatment": {"agent": {"id": "ATC:H02AB07"}, "drugType": "PRESCRIPTION"}},
            {"procedure": {"code": {"id": "NCIT:C15431"}, "performed": {"timestamp": "2020-02-03T00:00:00Z"}}},
            {"adverseEvents": []},
        ]
    }
    medication = {"kind": "medication", "codes": ["ATC:H02AB07"]}
    assert facts(**packet) == [
        {"id": "medicalActions/0/treatment/doseIntervals/0", **medication, "start": "2024-01-15", "end": "2024-06-30"},
        {"id": "medicalActions/0/treatment/doseIntervals/1", **medication, "start": "2024-07-01"},
        {"id": "medicalActions/1/treatment", **medication, "status": "ordered"},
        {"id": "medicalActions/2/procedure", "kind": "procedure", "codes": ["NCIT:C15431"], "date": "2020-02-03"},
    ]
    assert left_out(**packet) == [
        ("/medicalActions/0/treatment/doseIntervals/0/quantity", "dose_not_understood"),
        ("/medicalActions/3", "not_read"),
    ]


def test_a_causative_variant_of_a_solved_case_is_present_under_each_of_its_names() -> None:
    expressions = [
        {"syntax": "hgvs.p", "value": "NP_003997.2:p.(Arg2098Ter)"},
        {"syntax": "hgvs.c", "value": "NM_004006.3:c.6292C>T"},
    ]
    converted = facts(interpretations=[variant(allelicState={"id": "GENO:0000134"}, expressions=expressions)])
    assert [fact["kind"] for fact in converted] == ["condition", "variant", "variant"]
    assert converted[1]["variant"] == {
        "gene": "DMD",
        "type": "nonsense",
        "zygosity": "hemizygous",
        "hgvs": "NM_004006.3:c.6292C>T",
    }
    assert converted[2]["variant"]["hgvs"] == "NP_003997.2:p.(Arg2098Ter)"


@pytest.mark.parametrize(
    ("progress", "status", "expected"),
    [
        ("SOLVED", "CAUSATIVE", None),
        ("SOLVED", "CANDIDATE", "unconfirmed"),
        ("UNSOLVED", "CAUSATIVE", "unconfirmed"),
        ("IN_PROGRESS", "CONTRIBUTORY", "unconfirmed"),
    ],
)
def test_a_finding_of_an_unsolved_case_is_not_confirmed(progress: str, status: str, expected: str | None) -> None:
    converted = facts(interpretations=[variant(progress, status)])
    assert converted[-1].get("status") == expected
    assert converted[0].get("status") == (None if progress == "SOLVED" else "unconfirmed")


def test_a_rejected_variant_and_one_without_a_gene_are_left_out_and_an_unclassified_one_is_uncertain() -> None:
    place = "/interpretations/0/diagnosis/genomicInterpretations/0"
    assert left_out(interpretations=[variant(status="REJECTED")]) == [(place, "variant_rejected")]
    assert left_out(interpretations=[variant(geneContext=None)]) == [(place, "no_gene")]
    unclassified = variant()
    del unclassified["diagnosis"]["genomicInterpretations"][0]["variantInterpretation"][
        "acmgPathogenicityClassification"
    ]
    assert facts(interpretations=[unclassified])[-1]["variant"]["significance"] == "uncertain"


@pytest.mark.parametrize(
    ("hgvs", "kind"),
    [
        ("NP_078942.3:p.(Asn59IlefsTer51)", "frameshift"),
        ("NP_003997.2:p.Arg2098*", "nonsense"),
        ("NP_000509.1:p.(Glu7Val)", "missense"),
        ("NP_000483.3:p.(Phe508del)", None),
        ("NP_000509.1:p.(Glu7=)", None),
    ],
)
def test_the_type_of_a_variant_is_set_only_if_it_is_certain(hgvs: str, kind: str | None) -> None:
    converted = facts(interpretations=[variant(expressions=[{"syntax": "hgvs.p", "value": hgvs}])])
    assert converted[-1]["variant"].get("type") == kind


def test_a_family_is_read_for_its_proband() -> None:
    family = {"proband": {**BORN, "diseases": [{"term": {"id": "ORPHA:232"}}]}, "relatives": [], "metaData": {}}
    patient = read(family).patient
    assert (patient.facts[0].id, patient.birth_date) == ("diseases/0", "2010-05-01")


@pytest.mark.parametrize(
    ("packet", "pointer"),
    [
        ({"subject": []}, "/subject"),
        ({"subject": {"sex": 2}}, "/subject/sex"),
        ({"diseases": {}}, "/diseases"),
        ({"diseases": ["ORPHA:232"]}, "/diseases/0"),
        ({"diseases": [{"term": {"id": 232}}]}, "/diseases/0/term/id"),
        ({"diseases": [{"term": {"id": "ORPHA:232"}, "onset": {"timestamp": 2016}}]}, "/diseases/0/onset/timestamp"),
        (
            {"measurements": [{"assay": {"id": "LOINC:1-1"}, "value": {"quantity": {"value": "60"}}}]},
            "/measurements/0/value/quantity/value",
        ),
        ({"proband": {"diseases": 1}}, "/proband/diseases"),
        ({"phenotypicFeatures": [{"type": {"id": "HP:0001250"}}] * 5001}, ""),
    ],
)
def test_a_wrong_type_is_refused_with_its_place(packet: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidBodyError) as refused:
        read(packet)
    assert refused.value.faults[0].pointer == pointer


@pytest.mark.real_data
@pytest.mark.parametrize(("every", "count"), [(20, 523), pytest.param(1, 10_456, marks=pytest.mark.full)])
def test_every_published_case_becomes_a_patient(real_data: Path, every: int, count: int) -> None:
    total = features = 0
    with lzma.open(real_data / "patients_phenopackets" / "phenopacket_store.jsonl.xz", "rb") as lines:
        for line in islice(lines, 0, None, every):
            packet = loads(line, Limits(string=256 * 1024))
            patient = read(packet).patient
            to_engine(patient, date(2025, 11, 22))
            total += 1
            features += len(packet.get("phenotypicFeatures", [])) - sum(
                fact.id.startswith("phenotypicFeatures") for fact in patient.facts
            )
    assert (total, features) == (count, 0)
