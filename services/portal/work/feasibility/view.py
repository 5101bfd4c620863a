"""Questionnaires as pages show them, and what their forms send. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.portal.pages.forms import Form

Row = Mapping[str, Any]
_NUMBERS = frozenset({"number", "months"})
_DECLINE = (
    "no_patients",
    "competing_trial",
    "no_staff",
    "no_investigator",
    "lacking_capability",
    "start_too_early",
    "terms",
    "no_interest",
    "no_answer",
)
_NOT_SELECT = ("enough_centres", "too_few_patients", "unsuitable", "starts_too_late", "no_site_in_france")
# action → codes of its reason
REASONS: Mapping[str, Sequence[str]] = {"decline": _DECLINE, "not_select": _NOT_SELECT}
WITH_TEXT = frozenset({"ask_question", "answer_question"})


def field_of(question: Row) -> str:
    """Return the name of the field of a question; one of a disease has its code after a slash."""
    return f"q/{question['question']}/{question['condition'] or ''}"


def answers_of(sheet: Row, form: Form) -> dict[str, Any]:
    """Return the body of ``PUT …/answers``: the questions that the form answers."""
    answers = []
    for question in sheet["questions"]:
        value: Any = form.one(field_of(question))
        if not value:
            continue
        if question["type"] in _NUMBERS and value.isdecimal():
            value = int(value)
        condition = {"condition": question["condition"]} if question["condition"] else {}
        answers.append({"question": question["question"], **condition, "value": value})
    return {"answers": answers, "may_be_named": bool(form.one("may_be_named"))}


def by_section(sheet: Row) -> Sequence[tuple[Row, Sequence[Row]]]:
    """Return the sections of a questionnaire with their questions."""
    groups = (
        (section, [one for one in sheet["questions"] if one["section"] == section["code"]])
        for section in sheet["sections"]
    )
    return [(section, questions) for section, questions in groups if questions]


def side_by_side(sheets: Mapping[str, Row]) -> Sequence[tuple[Row, Sequence[Any]]]:
    """Return each question that any centre answered, with the submitted answer of each centre. None: none."""
    rows: dict[str, tuple[Row, dict[str, Any]]] = {}
    for centre, sheet in sheets.items():
        for question in sheet["questions"]:
            if question["submitted"] is not None:
                rows.setdefault(field_of(question), (question, {}))[1][centre] = question["submitted"]
    return [(question, [given.get(centre) for centre in sheets]) for question, given in rows.values()]


def step_of(form: Form) -> dict[str, Any]:
    """Return the body of a step."""
    return {name: form.one(name) for name in ("action", "reason", "text", "on") if form.one(name)}


def asked_first(requests: Iterable[Row]) -> Sequence[Row]:
    """Return the requests: those with the nearest deadline first, then the newest."""
    newest = sorted(requests, key=lambda one: one["requested_at"], reverse=True)
    return sorted(
        newest,
        key=lambda one: (one["state"] != "questionnaire_sent", one["deadline"] or "9999"),
    )
