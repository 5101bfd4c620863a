"""What the templates of the workbench show of an outcome. Pure."""

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from services.portal.clients.problems import ApiError, in_words
from services.portal.pages.codes import WORDS
from services.portal.pages.formats import Formats
from services.portal.pages.visitors import Visitor
from services.portal.workbench import view
from services.portal.workbench.comparing import unknown_criteria
from services.portal.workbench.facts import detail_of, name_of, names_of_facts
from services.portal.workbench.model import Outcome
from services.portal.workbench.questions import FIRST, questions_view
from services.portal.workbench.service import EXAMPLES
from services.portal.workbench.state import Record, patient_of

# Fields of the patient that the form does not have.
_UNSHOWN = ("gestation", "age_at_most", "age_on", "deceased", "dosing_date")
_FACT = re.compile(r"/facts/(\d{1,6})(?:/|$)")
# A field of a question.
_QUESTION = re.compile(r"q\d+f\d+-")


def presented(outcome: Outcome, visitor: Visitor, today: date) -> dict[str, Any]:
    """Return the values of a page for an outcome."""
    formats = Formats(visitor.language)
    answer = None if outcome.answer is None else view.answer_view(outcome.answer, formats)
    names = names_of_facts(outcome.state, outcome.names, formats)
    problem = None if outcome.problem is None else in_words(outcome.problem, visitor.language)
    at_fields, other_faults = _placed(problem, outcome.kept)
    faults = at_fields | {name: formats.label(label) for name, label in outcome.faults.items()}
    return {
        "state": outcome.state,
        "outcome": outcome,
        "problem": problem,
        "other_faults": other_faults,
        # What has no field of its own while there is no answer travels on, for the next try.
        "carried": _carried(outcome),
        "answer": answer,
        "questions": []
        if answer is None
        else questions_view(answer.answer, outcome.state.record, outcome.names, formats),
        "first_questions": FIRST,
        "facts": [*_fields(outcome.state.record, _UNSHOWN, formats), *_facts(outcome, outcome.state.record, formats)],
        "supposed_facts": [
            *_fields(outcome.state.supposed, ("birth_date", "sex", *_UNSHOWN), formats),
            *_facts(outcome, outcome.state.supposed, formats),
        ],
        "person": _person(outcome, formats),
        "kept": lambda name: outcome.kept.get(name, ""),
        "today": today,
        "record_text": json.dumps(patient_of(outcome.state.record), ensure_ascii=False, indent=2),
        "subject_of": lambda pointer: _subject(pointer, outcome, names),
        "window": view.window_of(answer.listed if answer else (), outcome.first),
        "detailed": view.DETAILED,
        "marks": {one.trial["id"]: one.direction for one in outcome.effect or ()},
        "supposed_marks": {one.trial["id"]: one.direction for one in outcome.supposed},
        "kinds": [
            (kind, formats.word("fact_kind", kind)) for kind in WORDS["fact_kind"] if kind not in {"answer", "variant"}
        ],
        "variant_types": [(code, formats.word("variant_type", code)) for code in WORDS["variant_type"]],
        "unknown": unknown_criteria,
        "may_refer": view.may_refer(visitor.me),
        "examples": [(name, formats.label(label)) for name, label in EXAMPLES.items()],
        "fault": lambda name: faults.get(name, ""),
        "wrong_in": lambda prefix: any(name == prefix or name.startswith(f"{prefix}f") for name in outcome.faults),
        "exact": lambda value: view.exact(value, formats),
        "limit_in_words": lambda limit: view.limit_in_words(limit, formats),
        "found_in_words": lambda details: view.found_in_words(details, names, formats),
        "evidence_in_words": lambda evidence, found: view.evidence_in_words(evidence, found, names, formats),
    }


def _placed(problem: ApiError | None, kept: Mapping[str, str]) -> tuple[dict[str, str], list[Mapping[str, Any]]]:
    """Return what the API refuses of the fields that were filled in, and what else it refuses."""
    faults = problem.faults if problem else ()
    names = {f"/{name}": name for name, value in kept.items() if value}
    at_fields = {names[one["pointer"]]: str(one["detail"]) for one in faults if one["pointer"] in names}
    return at_fields, [one for one in faults if one["pointer"] not in names]


def _fields(record: Record, names: tuple[str, ...], formats: Formats) -> list[dict[str, Any]]:
    """Return fields of the patient that have no field of the form."""
    return [
        {
            "part": "field",
            "id": name,
            "kind": "",
            "name": formats.word("patient_field", name),
            "detail": _in_words(record[name], formats),
            "added": name == "dosing_date",
        }
        for name in names
        if record.get(name)
    ]


def _subject(pointer: str, outcome: Outcome, names: Mapping[str, str]) -> str:
    """Return the name of the fact that a warning of the match is about; empty: of none."""
    place = _FACT.match(pointer)
    facts = outcome.state.record.get("facts", [])
    return names.get(str(facts[int(place[1])].get("id")), "") if place and int(place[1]) < len(facts) else ""


def _in_words(value: Any, formats: Formats) -> str:
    if value is True:
        return formats.word("answer", "yes")
    text = str(value)
    if text.startswith("P"):
        return view.duration_in_words(text, formats)
    return formats.day(text) if text[:1].isdigit() else formats.word("patient_sex", text)


def _facts(outcome: Outcome, record: Record, formats: Formats) -> list[dict[str, Any]]:
    found = [
        {
            "part": "fact",
            "id": fact.get("id"),
            # The name of a variant says that it is one.
            "kind": "" if fact.get("variant") else formats.word("fact_kind", str(fact.get("kind"))),
            "name": name_of(fact, outcome.state, outcome.names, formats),
            "detail": detail_of(fact, formats),
            "added": str(fact.get("id")).startswith("added-"),
        }
        for fact in record.get("facts", [])
    ]
    complete = "dossier complet" if formats.language == "fr" else "complete record"
    return found + [
        {
            "part": "domain",
            "id": one.get("domain"),
            "kind": complete,
            "name": formats.word("domain", one.get("domain")),
            "detail": " – ".join(formats.day(one[key]) for key in ("from", "to") if one.get(key)),
            "added": False,
        }
        for one in record.get("domains_complete", [])
    ]


def _person(outcome: Outcome, formats: Formats) -> dict[str, str]:
    record, kept = outcome.state.record, outcome.kept
    stored = {name: str(record.get(name) or "") for name in ("birth_date", "age", "sex", "place", "as_of")}
    stored["age"] = view.duration_in_words(stored["age"], formats)
    return {name: kept.get(name, value) for name, value in stored.items()}


def _carried(outcome: Outcome) -> dict[str, str]:
    if not outcome.retry:
        return {}
    return {name: value for name, value in outcome.kept.items() if value and _QUESTION.match(name)}
