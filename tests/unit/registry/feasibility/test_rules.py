"""The gate, the questionnaire, suggested answers, reminders and the result for the sponsor."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.registry.feasibility.buckets import bucket
from services.registry.feasibility.gate import VISIBLE_FIELDS, age_bands_of, codes_of, shown
from services.registry.feasibility.model import (
    Agreement,
    Answer,
    AnswerSheet,
    FeasibilityRequest,
    gate_state,
)
from services.registry.feasibility.network_result import network_result
from services.registry.feasibility.prefill import prefilled
from services.registry.feasibility.questionnaire import questionnaire
from services.registry.feasibility.reminders import deadline_of, next_reminder, reminder_on

NOW = datetime(2026, 6, 1, tzinfo=UTC)
AGREEMENT = Agreement("S", "750712184", 1, "f", date(2026, 1, 10), date(2026, 12, 31), "e", "a", NOW)
TRIAL = {
    "acronym": "SECRET", "titles": {"fr": "Titre", "en": None}, "sponsor": {"name": "Pharma", "kind": None},
    "product": {"atmp_class": "gene_therapy", "delivery": "in_vivo", "vector": "aav"},
    "eligibility": {"minimum_age": "P4Y", "maximum_age": "P8Y", "sex": "male", "text": "SECRET"},
    "conditions": [
        {"code": "ORPHA:98896", "text": "Duchenne", "role": "target"},
        {"code": "ORPHA:1", "text": "other", "role": "related"},
    ],
    "enrolment": {"count": 24}, "dates": {"start": {"date": "2026-09"}}, "countries": ["FR", "DE"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("day", "state"),
    [("2026-01-09", "closed"), ("2026-01-10", "open"), ("2026-12-31", "open"), ("2027-01-01", "expired")],
)
def test_an_agreement_opens_the_gate_from_its_signature_to_its_last_day(day: str, state: str) -> None:
    assert gate_state(AGREEMENT, date.fromisoformat(day)) == state
    assert gate_state(None, date.fromisoformat(day)) == "closed"


def test_only_the_fields_that_the_sponsor_chose_are_shown() -> None:
    assert shown(TRIAL, []) == {}
    assert shown(TRIAL, ["sponsor", "ages"]) == {
        "sponsor": {"name": "Pharma"},
        "eligibility": {"minimum_age": "P4Y", "maximum_age": "P8Y"},
    }
    everything = shown(TRIAL, VISIBLE_FIELDS)
    assert everything["product"] == {"atmp_class": "gene_therapy", "delivery": "in_vivo"}
    assert "text" not in everything["eligibility"]
    assert shown({}, VISIBLE_FIELDS) == {}


@pytest.mark.parametrize(
    ("low", "high", "bands"),
    [
        ("P4Y", "P8Y", ["child"]), ("P18Y", None, ["adult"]), ("P12Y", "P40Y", ["child", "adult"]),
        (None, None, ["child", "adult"]), (None, "P17Y", ["child"]), (None, "P18Y", ["child", "adult"]),
    ],
)  # fmt: skip
def test_age_bands(low: str | None, high: str | None, bands: list[str]) -> None:
    assert age_bands_of({"eligibility": {"minimum_age": low, "maximum_age": high}}) == bands


def test_the_indication_is_what_the_trial_treats() -> None:
    assert codes_of(TRIAL) == ["ORPHA:98896"]


def faults(*answers: Answer, conditions: tuple[str, ...] = ("ORPHA:98896",)) -> list[tuple[str, str]]:
    return [(one.pointer, one.code) for one in questionnaire().faults(answers, conditions)]


@pytest.mark.parametrize("question", questionnaire().questions.values(), ids=lambda one: one.code)
def test_each_question_takes_its_own_answers_and_no_others(question: Any) -> None:
    right = {"number": 0, "months": 1, "text": "x"}.get(question.type, question.options and question.options[0].code)
    wrong = "x" if question.type != "text" else 1
    condition = "ORPHA:98896" if question.per_condition else None
    assert faults(Answer(question.code, right, condition)) == []
    assert faults(Answer(question.code, wrong, condition)) == [("/answers/0/value", "answer_form")]
    assert faults(Answer(question.code, right, "ORPHA:2")) == [("/answers/0/condition", "unknown_condition")]
    assert question.section in questionnaire().sections
    if question.maximum is not None:
        assert faults(Answer(question.code, question.maximum + 1, condition)) == [("/answers/0/value", "answer_form")]


def test_unknown_repeated_and_missing_answers_are_named() -> None:
    twice = Answer("able", "yes")
    assert faults(Answer("x", 1), twice, twice) == [
        ("/answers/0/question", "unknown_question"),
        ("/answers/2", "repeated"),
    ]
    missing = [(one.code, condition) for one, condition in questionnaire().missing([twice], ["ORPHA:1", "ORPHA:2"])]
    assert ("able", None) not in missing
    assert missing[:2] == [("patients_per_year", "ORPHA:1"), ("patients_per_year", "ORPHA:2")]
    assert faults(Answer("patients_per_year", 3), conditions=()) == []


def test_the_registry_comes_before_the_last_answer() -> None:
    centre = {
        "updated_at": NOW, "populations": ["adult", "child"],
        "capabilities": [
            {"code": "icu", "valid_from": None, "valid_to": date(2026, 5, 1)},
            {"code": "apheresis", "valid_from": date(2026, 1, 1), "valid_to": None},
        ],
    }  # fmt: skip
    last = [
        (date(2026, 3, 1), Answer("icu", "planned")), (date(2025, 3, 1), Answer("icu", "no")),
        (date(2026, 3, 1), Answer("apheresis", "no")), (date(2026, 3, 1), Answer("patients_per_year", 7, "ORPHA:1")),
    ]  # fmt: skip
    found = {
        one.answer.key: (one.answer.value, one.source, one.on)
        for one in prefilled(questionnaire().asked(["ORPHA:1"]), centre, 2, last, date(2026, 6, 1))
    }
    assert found == {
        ("populations", None): ("both", "centre", NOW.date()),
        ("competing_trials", None): (2, "registry", date(2026, 6, 1)),
        ("apheresis", None): ("yes", "centre", NOW.date()),
        ("icu", None): ("planned", "last_answer", date(2026, 3, 1)),
        ("patients_per_year", "ORPHA:1"): (7, "last_answer", date(2026, 3, 1)),
    }


def test_reminders_come_a_week_and_a_day_before_and_once_after_the_deadline() -> None:
    # Fourteen days after Whit Sunday's eve end on a Saturday: the next working day counts.
    deadline = deadline_of(date(2026, 5, 23), 14)
    assert deadline == date(2026, 6, 8)
    days, day = [], date(2026, 5, 23)
    while (following := next_reminder(deadline, day)) is not None:
        days.append((following.isoformat(), reminder_on(deadline, following)))
        day = following
    assert days == [("2026-06-01", "week_before"), ("2026-06-07", "day_before"), ("2026-06-09", "overdue")]
    assert reminder_on(deadline, date(2026, 5, 31)) is None
    assert reminder_on(deadline, date(2026, 7, 1)) == "overdue"


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "<11"),
        (10, "<11"),
        (11, "11–20"),
        (20, "11–20"),
        (21, "21–50"),
        (51, "51–100"),
        (250, "101–250"),
        (251, ">250"),
    ],
)
def test_buckets(count: int, expected: str) -> None:
    assert bucket(count) == expected


def test_the_sponsor_gets_no_number_of_fewer_than_three_answers() -> None:
    request = FeasibilityRequest("F", "S", "fr-lille", 1, "answered", NOW)

    def sheet(able: str, total: int) -> AnswerSheet:
        given = {"able": able, "recruitment_total": total, "recruitment_per_year": 2, "recruitment_months": 12}
        return AnswerSheet("F", 2, submitted=[Answer(*one) for one in given.items()], submitted_on=NOW.date())

    sheets = [sheet("yes", 8), sheet("with_conditions", 6), sheet("no", 50)]
    two = network_result([(request, one) for one in sheets[:2]] + [(replace(request, state="declined"), None)])
    assert (two.asked, two.answered, two.declined, two.expected) == (3, 2, 1, None)
    three = network_result([(request, one) for one in sheets])
    assert three.expected is not None
    assert (three.expected.able, three.expected.total, three.expected.months) == (2, 14, None)
    assert three.expected.buckets == ("11–20", "<11")
