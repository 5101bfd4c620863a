"""One question for several trials, free ones first, then those that decide most for their cost."""

from datetime import date

from services.matching.engine import Patient, PatientIndex, Terminology, ask_next, compile_criteria, match
from shared.criteria.model import CriteriaDocument

TERMINOLOGY = Terminology()
INDEX = PatientIndex(Patient(), TERMINOLOGY, date(2025, 11, 22))
SIGNED = {"grade": "signed", "authored_by": "A", "signed_by": "B", "signed_at": "2025-11-01T09:00:00Z"}
TITRE = {"type": "titre", "codes": ["CLEIO:anti-aav9"], "op": "<", "reciprocal": 50}
HIV = {"type": "has", "codes": ["CLEIO:hiv"], "within": "P3M"}
SEX = {"type": "sex", "value": "male"}


def trial(name, *exprs, **criterion):
    criteria = [{"id": f"c{number}", "kind": "include", "expr": expr, **criterion} for number, expr in enumerate(exprs)]
    return compile_criteria(
        CriteriaDocument.model_validate({"trial": name, **SIGNED, "criteria": criteria}), TERMINOLOGY, "FR"
    )


def questions_of(*trials):
    return [
        (question.code, question.trials) for question in ask_next([(one, match(one, INDEX)) for one in trials], INDEX)
    ]


def test_one_question_for_every_window_and_trial():
    assert questions_of(trial("T2", {**HIV, "within": "P1Y"}), trial("T1", {"not": HIV})) == [
        ("has:CLEIO:hiv", ("T1", "T2"))
    ]


def test_free_first_then_trials_decided_for_the_cost():
    codes = [
        code
        for code, _ in questions_of(
            trial("T1", TITRE, HIV, SEX), trial("T2", TITRE), trial("T3", TITRE), trial("T4", TITRE)
        )
    ]
    assert codes == ["sex", "titre:CLEIO:anti-aav9", "has:CLEIO:hiv"]


def test_the_authors_own_question_has_its_own_code_text_and_cost():
    ask = {"code": "aav9", "fr": "Titre anti-AAV9 ?", "en": "Anti-AAV9 titre?", "who": "sponsor_lab", "cost": 0}
    one = trial("T1", TITRE, ask=ask)
    (question,) = ask_next([(one, match(one, INDEX))], INDEX)
    assert (question.code, question.text.fr, question.who, question.cost) == (
        "aav9",
        "Titre anti-AAV9 ?",
        "sponsor_lab",
        0,
    )


def test_a_question_that_cannot_decide_a_trial_is_left_out():
    opinion = {"type": "human", "question": "suitable", "role": "investigator"}
    decided = {"any": [HIV, {"not": {"all": [HIV, {"type": "age", "min": "P1Y"}]}}]}
    assert questions_of(trial("T1", opinion)) == []
    assert questions_of(trial("T1", HIV, role="indication")) == []
    assert [code for code, _ in questions_of(trial("T1", decided))] == ["age", "has:CLEIO:hiv"]
