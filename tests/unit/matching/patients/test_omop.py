"""OMOP rows of one patient: CSV files in a zip; what is no such archive is refused."""

import io
import zipfile

import pytest

from services.matching.patients.reading import read_patient
from shared.values.problems import InvalidBodyError

PERSON = (
    "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,person_source_value\n7,8507,2019,3,,X1\n"
)
CONCEPTS = """concept_id,concept_name,vocabulary_id,concept_code
1,ALT,LOINC,1742-6
2,unit,UCUM,U/L
3,prednisone,ATC,H02AB07
4,Duchenne,Orphanet,98896
5,transplant,SNOMED,23719005
"""


def archive(**tables: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in tables.items():
            packed.writestr(f"export/{name.upper()}.csv", text)
    return content.getvalue()


def test_the_rows_of_one_patient() -> None:
    found = read_patient(
        archive(
            person=PERSON,
            concept=CONCEPTS,
            condition_occurrence=(
                "person_id,condition_concept_id,condition_start_date,condition_end_date,condition_source_value\n"
                "7,4,2022-02-01,,\n7,0,2024-01-01,2024-01-09,CIM10:J189\n8,4,2022-02-01,,\n7,99,2020-13-01,,F84\n"
            ),
            drug_exposure=(
                "person_id;drug_concept_id;drug_exposure_start_date;drug_exposure_end_date;drug_type_concept_id\n"
                "7;3;2024-01-01;2024-06-01;32818\n7;3;2024-07-01;2024-12-01;32838\n"
            ),
            measurement=(
                "person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number,"
                "value_as_concept_id,unit_concept_id,range_low,range_high\n"
                "7,1,2025-10-01,4171756,310.0,,2,5,40\n7,1,2025-10-02,,,9189,,,\n7,1,2025-10-03,,,,,,\n"
            ),
            procedure_occurrence="person_id,procedure_concept_id,procedure_date\n7,5,2020-05-06\n",
            death="person_id,death_date\n7,2025-11-01\n",
            note="person_id,note_text\n7,secret\n",
        )
    )
    patient = found.patient
    assert (patient.sex, patient.birth_date, str(patient.deceased)) == ("male", "2019-03", "2025-11-01")
    shown = [one.model_dump(exclude_none=True, exclude_defaults=True, exclude={"kind"}) for one in patient.facts]
    assert shown == [
        {"id": "condition_occurrence/0", "codes": ["ORPHA:98896"], "date": "2022-02-01"},
        {"id": "condition_occurrence/1", "codes": ["ICD10:J18.9"], "start": "2024-01-01", "end": "2024-01-09"},
        {"id": "condition_occurrence/3"},
        {"id": "drug_exposure/0", "codes": ["ATC:H02AB07"], "start": "2024-01-01", "end": "2024-06-01"},
        {"id": "drug_exposure/1", "codes": ["ATC:H02AB07"], "status": "ordered", "date": "2024-07-01"},
        {
            "id": "measurement/0",
            "codes": ["LOINC:1742-6"],
            "date": "2025-10-01",
            "value": 310,
            "comparator": "<",
            "unit": "U/L",
            "ref_low": 5,
            "ref_high": 40,
        },
        {"id": "measurement/1", "codes": ["LOINC:1742-6"], "date": "2025-10-02", "status": "absent"},
        {"id": "measurement/2", "codes": ["LOINC:1742-6"], "date": "2025-10-03", "status": "unconfirmed"},
        {"id": "procedure_occurrence/0", "codes": ["SNOMED:23719005"], "date": "2020-05-06"},
    ]
    assert list(found.warnings) == [
        ("/person/0/person_source_value", "identity_dropped"),
        ("/condition_occurrence/2", "not_this_patient"),
        ("/condition_occurrence/3/condition_start_date", "unreadable_date"),
        ("/condition_occurrence/3", "no_code"),
        ("/measurement/2", "no_value"),
        ("/death/0", "deceased"),
        ("/note", "resource_not_read"),
    ]


def test_codes_may_stand_in_columns_instead_of_a_concept_table() -> None:
    rows = "condition_concept_id,condition_vocabulary_id,condition_concept_code\n4,ICD10,G71.0\n"
    found = read_patient(archive(person=PERSON, condition_occurrence=rows))
    assert [fact.codes for fact in found.patient.facts] == [["ICD10:G71.0"]]


def bomb() -> bytes:
    return archive(person=PERSON, measurement="person_id\n" + "7" * 17_000_000)


@pytest.mark.parametrize(
    ("content", "pointer", "code"),
    [
        (b"PK\x03\x04 nothing", "", "zip_form"),
        (b"", "", "zip_form"),
        (archive(concept=CONCEPTS), "/person", "several_patients"),
        (archive(person=f"{PERSON}8,8507,2019,3,,\n"), "/person", "several_patients"),
        (archive(person=PERSON, death='person_id\n7,"\n'), "/death", "csv_form"),
        (archive(person=PERSON, **{f"t{number}": "" for number in range(40)}), "", "archive_too_large"),
        (bomb(), "", "archive_too_large"),
    ],
    ids=["no zip", "empty", "no person", "two persons", "no csv", "many files", "bomb"],
)
def test_another_archive_is_refused(content: bytes, pointer: str, code: str) -> None:
    with pytest.raises(InvalidBodyError) as refused:
        read_patient(content)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [(pointer, code)]


def test_a_cut_archive_is_refused() -> None:
    content = archive(person=PERSON, concept=CONCEPTS)
    for length in range(0, len(content), 7):
        with pytest.raises(InvalidBodyError):
            read_patient(content[:length])
