"""The native patient: what is refused, and what the engine gets."""

from datetime import date
from fractions import Fraction

import pytest
from pydantic import ValidationError

from services.matching.engine.facts import ANY_DAY, FOR_EVER, DateBounds
from services.matching.patients.mapping import BirthAfterAsOfError, possible_births, to_engine
from services.matching.patients.schemas import Patient

AS_OF = date(2025, 11, 22)
CONDITION = {"id": "f1", "kind": "condition", "codes": ["ORPHA:98896"]}


def day(text):
    return DateBounds(date.fromisoformat(text), date.fromisoformat(text))


def mapped(**fact):
    return to_engine(Patient.model_validate({"facts": [{**CONDITION, **fact}]}), AS_OF).patient.facts[0]


@pytest.mark.parametrize(
    "patient",
    [
        {"name": "Jeanne"},
        {"birth_date": "2020-01-01", "age": "P5Y"},
        {"as_of": "2020-01-01", "birth_date": "2020-01-02"},
        {"birth_date": "0020-01-02"},
        {"place": "20"},
        {"sex": "M"},
        {"facts": [CONDITION, CONDITION]},
        {"facts": [{**CONDITION, "id": f"f{number}"} for number in range(1001)]},
        {"age_on": "2020-01-01"},
        {"birth_date": "2020-02-30"},
        {"facts": [{**CONDITION, "codes": ["Duchenne muscular dystrophy"]}]},
        {"facts": [{**CONDITION, "date": "2024-02-31"}]},
        {"facts": [{**CONDITION, "date": "0000"}]},
        {"facts": [{**CONDITION, "date": "2024", "start": "2024"}]},
        {"facts": [{**CONDITION, "severity": "a lot worse since Jeanne came"}]},
        {"facts": [{**CONDITION, "value": "free text"}]},
        {"facts": [{**CONDITION, "value": float("inf")}]},
        {"facts": [{**CONDITION, "value": True}]},
        {"facts": [{**CONDITION, "comparator": "<"}]},
        {"facts": [{**CONDITION, "value": 1, "ref_low": 2, "ref_high": 1}]},
        {"facts": [{**CONDITION, "kind": "variant"}]},
        {"facts": [{**CONDITION, "kind": "answer", "question": "consent"}]},
        {"facts": [{**CONDITION, "kind": "variant", "variant": {"gene": "DMD", "exon_from": 52, "exon_to": 45}}]},
        {"domains_complete": [{"domain": "everything", "to": "2025-01-01"}]},
        {"domains_complete": [{"domain": "conditions", "from": "2025-01-02", "to": "2025-01-01"}]},
    ],
)
def test_refused(patient):
    with pytest.raises(ValidationError):
        Patient.model_validate(patient)


def test_a_thousand_facts_are_not_too_many():
    Patient.model_validate({"facts": [{**CONDITION, "id": f"f{number}"} for number in range(1000)]})


@pytest.mark.parametrize(
    ("fact", "first", "last", "exposure"),
    [
        # A condition with a date alone may go on from that day.
        ({"date": "2024-02-29"}, day("2024-02-29"), DateBounds(date(2024, 2, 29), date.max), False),
        ({"kind": "procedure", "date": "2024-02-29"}, day("2024-02-29"), day("2024-02-29"), False),
        (
            {"date": "2024-02"},
            DateBounds(date(2024, 2, 1), date(2024, 2, 29)),
            DateBounds(date(2024, 2, 1), date.max),
            False,
        ),
        (
            {"date": "2024"},
            DateBounds(date(2024, 1, 1), date(2024, 12, 31)),
            DateBounds(date(2024, 1, 1), date.max),
            False,
        ),
        ({}, ANY_DAY, ANY_DAY, False),
        ({"kind": "medication"}, ANY_DAY, ANY_DAY, True),
        ({"start": "2024-02-01"}, day("2024-02-01"), FOR_EVER, True),
        (
            {"start": "2024", "end": "2024-03-01"},
            DateBounds(date(2024, 1, 1), date(2024, 3, 1)),
            day("2024-03-01"),
            True,
        ),
        (
            {"start": "2015-01-10", "end": "1970-01-01"},
            day("2015-01-10"),
            DateBounds(date(2015, 1, 10), date.max),
            True,
        ),
        ({"end": "2024-03-01"}, DateBounds(date.min, date(2024, 3, 1)), day("2024-03-01"), True),
    ],
)
def test_partial_dates_are_the_days_that_they_may_mean(fact, first, last, exposure):
    given = mapped(**fact)
    assert (given.first, given.last, given.exposure) == (first, last, exposure)


def test_numbers_are_exact():
    assert mapped(value=0.1, ref_high=1e-7, dose={"value": 0.75, "unit": "mg/d"}).number == Fraction(1, 10)
    assert mapped(value=1, ref_high=1e-7).ref_high == Fraction(1, 10**7)
    assert mapped(value="IIb").text == "IIb"


def test_unused_facts_are_reported():
    facts = [
        CONDITION,
        {**CONDITION, "id": "wrong", "status": "entered_in_error"},
        {**CONDITION, "id": "later", "date": "2025-11-23"},
        {**CONDITION, "id": "this-year", "date": "2025"},
    ]
    result = to_engine(Patient.model_validate({"facts": facts}), AS_OF)
    assert result.ignored == ("wrong", "later")
    assert [fact.id for fact in result.patient.facts] == ["f1", "this-year"]


@pytest.mark.parametrize(
    ("age", "earliest", "latest"),
    [
        ("P3Y", "2021-11-23", "2022-11-22"),
        ("P3Y4M", "2022-06-23", "2022-07-22"),
        ("P10D", "2025-11-12", "2025-11-12"),
        ("P2W", "2025-11-02", "2025-11-08"),
        ("P0D", "2025-11-22", "2025-11-22"),
        ("P999Y9999M9999W99999D", "0001-01-01", "0001-01-01"),
    ],
)
def test_an_age_is_an_interval_of_birth_dates(age, earliest, latest):
    assert possible_births(age, AS_OF) == DateBounds(date.fromisoformat(earliest), date.fromisoformat(latest))


def test_no_patient_is_matched_before_birth():
    with pytest.raises(BirthAfterAsOfError):
        to_engine(Patient.model_validate({"birth_date": "2025-11-23"}), AS_OF)
