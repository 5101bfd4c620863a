"""Every kind of question of the API has fields that answer it, in words of both languages."""

from typing import Any

import pytest

from services.portal.pages.formats import Formats
from services.portal.workbench.answering import NotUnderstoodError, facts_of_answer
from services.portal.workbench.questions import questions_view
from services.portal.workbench.state import State, parameters_of, patient_of

NOTHING: dict[str, Any] = {
    "field": None, "kind": None, "codes": [], "question": None, "text": None, "statuses": ["present"], "value": None,
    "values": [], "comparisons": [], "unit": None, "per_kg": False, "reference_range": False, "assay": None,
    "variant": None, "attributes": None, "relative": None, "within": None, "each": None, "over": None,
    "duration": None, "domain": None,
}  # fmt: skip
VARIANT: dict[str, Any] = {
    "gene": "DMD", "types": ["deletion"], "exons": {"within": [1, 9], "overlaps": None}, "zygosity": None,
    "copies": True, "frame": "in", "hgvs": ["c.1A>T"], "origin": "germline", "amenable_to": None,
}  # fmt: skip
BOTH = ["present", "absent"]
NAMES = {"X:1": {"fr": "un", "en": "one"}, "X:2": {"fr": "deux", "en": "two"}}
AS_OF = "2026-11-30"
NUMBER = {"kind": "observation", "codes": ["LOINC:1"], "value": "number"}

# The wanted fact, the names of its fields, what a person fills in, and the facts or fields that this gives.
KINDS: list[tuple[str, dict[str, Any], str, dict[str, str], Any]] = [
    (
        "a day of birth", {"field": "birth_date"}, "birth_date", {"birth_date": "20/12/2021"},
        {"birth_date": "2021-12-20"},
    ),
    ("a sex", {"field": "sex", "values": ["male", "female"]}, "sex", {"sex": "male"}, {"sex": "male"}),
    ("a pregnancy", {"field": "gestation"}, "gestation", {"gestation": "30+4"}, {"gestation": "P30W4D"}),
    (
        "a day of dosing", {"field": "dosing_date"}, "dosing_date", {"dosing_date": "2027-01-31"},
        {"dosing_date": "2027-01-31"},
    ),
    (
        "yes or no", {"kind": "answer", "question": "q-1", "values": ["yes", "no"]}, "answer", {"answer": "no"},
        [{"kind": "answer", "question": "q-1", "answer": "no", "date": AS_OF}],
    ),
    (
        "one of several codes", {"kind": "condition", "codes": ["X:1", "X:2"], "statuses": BOTH}, "presence code date",
        {"code": "X:2", "date": "2026-01"},
        [{"kind": "condition", "status": "present", "codes": ["X:2"], "date": "2026-01"}],
    ),
    (
        "none of several codes", {"kind": "condition", "codes": ["X:1", "X:2"], "statuses": BOTH}, "presence code date",
        {"presence": "absent", "date": AS_OF},
        [{"kind": "condition", "status": "absent", "codes": ["X:1", "X:2"], "date": AS_OF}],
    ),
    (
        "attributes",
        {
            "kind": "condition", "codes": ["X:1"], "statuses": BOTH, "relative": "mother",
            "attributes": {"outcome": ["failed"], "body_site": None, "severity": ["severe"]},
        },
        "presence outcome severity date", {"presence": "present", "outcome": "failed", "date": AS_OF},
        [{
            "kind": "condition", "status": "present", "codes": ["X:1"], "relative": "mother", "outcome": "failed",
            "date": AS_OF,
        }],
    ),
    (
        "a number with its unit", {**NUMBER, "unit": "10*9/L"}, "value unit date", {"value": "12,5", "unit": "10⁹/L"},
        [{
            "kind": "observation", "status": "present", "codes": ["LOINC:1"], "value": 12.5, "unit": "10*9/L",
            "date": AS_OF,
        }],
    ),
    (
        "a number of any unit", NUMBER, "value unit date", {"value": "<5", "unit": "mg/L"},
        [{
            "kind": "observation", "status": "present", "codes": ["LOINC:1"], "value": 5, "comparator": "<",
            "unit": "mg/L", "date": AS_OF,
        }],
    ),
    (
        "a score", {**NUMBER, "codes": ["X:1"]}, "value date", {"value": "21"},
        [{"kind": "observation", "status": "present", "codes": ["X:1"], "value": 21, "date": AS_OF}],
    ),
    (
        "a reference range", {**NUMBER, "reference_range": True}, "value ref_high ref_low date",
        {"value": "50", "ref_high": "40"},
        [{
            "kind": "observation", "status": "present", "codes": ["LOINC:1"], "value": 50, "ref_high": 40,
            "date": AS_OF,
        }],
    ),
    (
        "two measurements", {**NUMBER, "codes": ["X:1"], "over": "P6M"}, "value earlier-value earlier-date date",
        {"value": "30", "earlier-value": "20", "earlier-date": "2026-07-01"},
        [
            {"kind": "observation", "status": "present", "codes": ["X:1"], "value": 20, "date": "2026-07-01"},
            {"kind": "observation", "status": "present", "codes": ["X:1"], "value": 30, "date": AS_OF},
        ],
    ),
    (
        "a titre by an assay", {**NUMBER, "codes": ["X:1"], "assay": "elisa"}, "value date", {"value": "50"},
        [{"kind": "observation", "status": "present", "codes": ["X:1"], "assay": "elisa", "value": 50, "date": AS_OF}],
    ),
    (
        "a level of a scale",
        {"kind": "observation", "codes": ["CLEIO:mgfa"], "value": "level", "values": ["I", "IIa"]}, "value date",
        {"value": "IIa"},
        [{"kind": "observation", "status": "present", "codes": ["CLEIO:mgfa"], "value": "IIa", "date": AS_OF}],
    ),
    (
        "a stable dose",
        {
            "kind": "medication", "codes": ["X:1"], "statuses": BOTH, "value": "dose", "unit": "mg/d", "per_kg": True,
            "duration": "P12W",
        },
        "presence value unit start end", {"value": "0,75", "unit": "mg/d", "start": "01/10/2026"},
        [{
            "kind": "medication", "status": "present", "codes": ["X:1"],
            "dose": {"value": 0.75, "unit": "mg/d", "per_kg": True}, "start": "2026-10-01",
        }],
    ),
    (
        "the last day", {"kind": "procedure", "codes": ["X:1"], "statuses": BOTH, "value": "last_day"},
        "presence start end", {"start": "2026-01-01", "end": "2026-01-02"},
        [{"kind": "procedure", "status": "present", "codes": ["X:1"], "start": "2026-01-01", "end": "2026-01-02"}],
    ),
    (
        "the first day", {"kind": "condition", "codes": ["X:1"], "statuses": BOTH, "value": "first_day"},
        "presence start", {"start": "2020-01-01"},
        [{"kind": "condition", "status": "present", "codes": ["X:1"], "start": "2020-01-01"}],
    ),
    (
        "episodes", {"kind": "event", "codes": ["X:1"], "value": "occurrences", "domain": "encounters"},
        "dates complete", {"dates": "2026-01-01 03/02/2026"},
        [{"kind": "event", "codes": ["X:1"], "date": day} for day in ("2026-01-01", "2026-02-03")],
    ),
    (
        "a variant", {"kind": "variant", "statuses": BOTH, "variant": VARIANT},
        "presence type exon_from exon_to zygosity frame copies hgvs date", {"type": "missense", "hgvs": "c.1A>T"},
        [{
            "kind": "variant", "status": "present", "variant": {"gene": "DMD", "type": "missense", "hgvs": "c.1A>T"},
            "date": AS_OF,
        }],
    ),
]  # fmt: skip


def question(*facts: dict[str, Any], code: str = "q") -> dict[str, Any]:
    return {
        "code": code,
        "text": {"fr": "Question ?", "en": "Question?"},
        "facts": [{**NOTHING, **one} for one in facts],
    }


@pytest.mark.parametrize(
    ("wanted", "fields", "typed", "given"), [one[1:] for one in KINDS], ids=[one[0] for one in KINDS]
)
def test_each_kind_of_question_is_answered_in_place(
    wanted: dict[str, Any], fields: str, typed: dict[str, str], given: Any
) -> None:
    for language in ("fr", "en"):
        answer = {"ask_next": [question(wanted)], "as_of": AS_OF}
        (view,) = questions_view(answer, {}, NAMES, Formats(language))
        ((name, inputs),) = view.facts
        assert name == ""
        assert [one.name for one in inputs] == [f"q0f0-{one}" for one in fields.split()]
        assert all(one.label and one.label != one.name for one in inputs)
        for one in inputs:
            assert not {"X:1", "X:2"} & {text for _, text in one.options}  # words, not codes
    found = facts_of_answer({**NOTHING, **wanted}, "q0f0-", lambda name: typed.get(name[5:], ""), AS_OF)
    assert found == ({"facts": given} if isinstance(given, list) else {"person": given})


def test_a_secondary_question_is_asked_in_words() -> None:
    words = {"fr": "Échec de l'hydroxycarbamide", "en": "Failure of hydroxyurea"}
    secondary = {"kind": "answer", "question": "hydroxyurea-failure", "values": ["yes", "no"]}
    asked = question({"kind": "condition", "codes": ["X:1"]}, {**secondary, "text": words}, code="hydroxyurea")
    (view,) = questions_view({"ask_next": [asked], "as_of": AS_OF}, {}, NAMES, Formats("fr"))
    assert [name for name, _ in view.facts] == ["un", "Échec de l'hydroxycarbamide"]
    # Two questions of one criterion have its text: each keeps what sets it apart.
    twice = question({**secondary, "text": words}, {**secondary, "question": "hydroxyurea-declined", "text": words})
    (view,) = questions_view({"ask_next": [twice], "as_of": AS_OF}, {}, NAMES, Formats("fr"))
    assert [name for name, _ in view.facts] == [
        "Échec de l'hydroxycarbamide (hydroxyurea failure)",
        "Échec de l'hydroxycarbamide (hydroxyurea declined)",
    ]


def test_a_year_of_birth_is_asked_again_and_an_earlier_value_needs_its_day() -> None:
    answer = {"ask_next": [question({"field": "birth_date"})], "as_of": AS_OF}
    assert questions_view(answer, {"birth_date": "2021-12-20"}, NAMES, Formats("en")) == []
    assert len(questions_view(answer, {"birth_date": "2021"}, NAMES, Formats("en"))) == 1
    typed = {"value": "30", "earlier-value": "20"}
    with pytest.raises(NotUnderstoodError):
        facts_of_answer({**NOTHING, **NUMBER, "over": "P6M"}, "", lambda name: typed.get(name, ""), AS_OF)


def test_a_supposed_birth_date_replaces_the_age_and_a_day_of_dosing_is_a_parameter() -> None:
    state = State({"age": "P7Y", "facts": []}).supposing({"birth_date": "2020-01-02"})
    assert state.hypothetical == {"facts": [], "birth_date": "2020-01-02"}
    planned = state.with_person({"dosing_date": "2027-01-31"})
    assert (patient_of(planned.record), parameters_of(planned.record)) == (
        {"age": "P7Y", "facts": []}, {"dosing_date": "2027-01-31"}
    )  # fmt: skip
    assert "age" not in state.with_person({"birth_date": "2020-01-02"}).record
