"""Questionnaires as pages show them, and what their forms send. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
SENDS = frozenset({"send_questionnaire", "ask_again"})
ENDS = frozenset({"decline", "not_select", "withdraw"})


@dataclass(frozen=True, slots=True)
class Field:
    """A question with its field: name and id, the value to show, and what is wrong with it (empty: nothing).

    ``meanwhile``: another answer that another person saved in the meantime; None: there is none.
    """

    question: Row
    name: str
    id: str
    value: Any
    wrong: str
    meanwhile: Any


def field_of(question: Row) -> str:
    """Return the name of the field of a question; one of a disease has its code after a slash."""
    return f"q/{question['question']}/{question['condition'] or ''}"


def answers_of(sheet: Row, form: Form) -> dict[str, Any]:
    """Return the body of ``PUT …/answers``: the questions that the form answers."""
    answers = []
    for question in _answered(sheet, form):
        value: Any = form.one(field_of(question))
        if question["type"] in _NUMBERS and value.isdecimal():
            value = int(value)
        condition = {"condition": question["condition"]} if question["condition"] else {}
        answers.append({"question": question["question"], **condition, "value": value})
    return {"answers": answers, "may_be_named": bool(form.one("may_be_named"))}


def _answered(sheet: Row, form: Form) -> list[Row]:
    return [one for one in sheet["questions"] if form.one(field_of(one))]


def sections_of(
    sheet: Row, form: Form, faults: Iterable[Row], *, is_stale: bool = False
) -> Sequence[tuple[Row, Sequence[Field]]]:
    """Return the sections of a questionnaire with their fields.

    ``form``: what was sent, with any answer of it instead of the saved ones, so that nothing typed is lost;
    ``faults``: why the API refused it, by the place of the answer or by the code of the question;
    ``is_stale``: another person saved answers in the meantime, which stay where the form has none.
    """
    typed = {name: form.one(name) for name in form.names() if name.startswith("q/")}
    wrong = _wrong(sheet, form, faults)
    found = []
    for section in sheet["sections"]:
        asked = [one for one in sheet["questions"] if one["section"] == section["code"]]
        fields = [_field(one, typed, wrong, is_stale=is_stale) for one in asked]
        if fields:
            found.append((section, fields))
    return found


def _field(question: Row, typed: Mapping[str, str], wrong: Mapping[str, str], *, is_stale: bool) -> Field:
    name = field_of(question)
    saved = "" if question["value"] is None else question["value"]
    given = typed.get(name, "")
    value = given if given or (typed and not is_stale) else saved
    meanwhile = saved if is_stale and given not in {"", str(saved)} else None
    identity = "-".join(part for part in name.replace(":", "-").split("/") if part)
    return Field(question, name, identity, value, wrong.get(name, ""), meanwhile)


def _wrong(sheet: Row, form: Form, faults: Iterable[Row]) -> dict[str, str]:
    """Return what is wrong by name of field."""
    sent = [field_of(one) for one in _answered(sheet, form)]
    found = {}
    for fault in faults:
        place, _, rest = str(fault.get("pointer") or "").removeprefix("/answers/").partition("/")
        is_place = place.isdecimal() and int(place) < len(sent)
        found[sent[int(place)] if is_place else f"q/{place}/{rest}"] = str(fault["detail"])
    return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """The submitted answers of centres side by side.

    ``centres``: those that answered, in the order of the columns; ``silent``: the requests of those that did not;
    ``sections``: title, and question with one answer for each column (None: none).
    """

    centres: Sequence[Row]
    silent: Sequence[Row]
    sections: Sequence[tuple[Row, Sequence[tuple[Row, Sequence[Any]]]]]


def side_by_side(requests: Sequence[Row], sheets: Sequence[Row | None]) -> Comparison:
    """Return the answers side by side. ``sheets``: of each request; None: not for the visitor."""
    answered = [
        (request, sheet)
        for request, sheet in zip(requests, sheets, strict=True)
        if sheet and any(one["submitted"] is not None for one in sheet["questions"])
    ]
    given = [{field_of(one): one for one in sheet["questions"]} for _, sheet in answered]
    titles: dict[str, Row] = {one["code"]: one for _, sheet in answered for one in sheet["sections"]}
    questions = {name: one for listed in given for name, one in listed.items()}
    rows: dict[str, list[tuple[Row, Sequence[Any]]]] = {}
    for name, question in questions.items():
        values = [listed[name]["submitted"] if name in listed else None for listed in given]
        if any(value is not None for value in values):
            rows.setdefault(question["section"], []).append((question, values))
    columns = [request for request, _ in answered]
    silent = [request for request in requests if request not in columns]
    return Comparison(columns, silent, [(titles[code], rows[code]) for code in titles if code in rows])


def step_of(form: Form) -> dict[str, Any]:
    """Return the body of a step."""
    found: dict[str, Any] = {name: form.one(name) for name in ("action", "reason", "text", "on") if form.one(name)}
    days = form.one("days")
    return {**found, "days": int(days)} if days.isdecimal() else found


def agreement_of(form: Form) -> dict[str, Any]:
    """Return the body of ``PUT …/gate``."""
    return {name: form.one(name) for name in ("finess_ej", "signed_by", "signed_on", "valid_until", "evidence")}


def asked_first(requests: Iterable[Row]) -> Sequence[Row]:
    """Return the requests: those with the nearest deadline first, then the newest."""
    newest = sorted(requests, key=lambda one: one["requested_at"], reverse=True)
    return sorted(
        newest,
        key=lambda one: (one["state"] != "questionnaire_sent", one["deadline"] or "9999"),
    )
