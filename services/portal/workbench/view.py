"""From the answer of a match to what the pages of the workbench show. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.portal.pages import ages
from services.portal.pages.formats import Formats
from services.portal.pictures.verdicts import Timeline, timeline

Document = Mapping[str, Any]
_SIGNS = {"<=": "≤", ">=": "≥", "<": "<", ">": ">", "=": "="}
_STATES = ("not_met", "unknown", "met")
_LISTED = frozenset({"compatible", "possible", "not_yet"})
_RECRUITS = frozenset({"open", "not_yet_open", "unknown"})
_REFERRERS = frozenset({"hospital", "centre"})
# Below it, ten digits are all that a value has.
_LARGE = 1e10
# Trials with all criteria on the page; the others are a line until asked for.
DETAILED = 10


@dataclass(frozen=True, slots=True)
class TrialView:
    """A trial of the answer with what its card needs beside the JSON."""

    trial: Document
    criteria: Sequence[Document]
    counts: Mapping[str, int]
    picture: Timeline
    cohort: str
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class AnswerView:
    """The answer: ``listed`` trials are possible now or later; ``others`` are not, with the reason."""

    answer: Document
    listed: Sequence[TrialView]
    others: Sequence[TrialView]
    understood: bool


def answer_view(answer: Document, formats: Formats) -> AnswerView:
    """Return the view of an answer of a match."""
    views = [trial_view(one, formats) for one in answer["results"]]
    unknown_codes = {"unknown_code", "unknown_system", "no_code"}
    return AnswerView(
        answer,
        [one for one in views if is_listed(one.trial)],
        [one for one in views if not is_listed(one.trial)],
        not any(one["reason"] in unknown_codes for one in answer["warnings"]),
    )


@dataclass(frozen=True, slots=True)
class Window:
    """Listed trials on the page: ``shown`` with all criteria, those ``before`` and ``after`` it as lines.

    ``first``: the position of the first one shown, from 0.
    """

    first: int
    before: Sequence[TrialView]
    shown: Sequence[TrialView]
    after: Sequence[TrialView]

    @property
    def nearest(self) -> tuple[int | None, int | None]:
        """Return where the windows before and after this one begin; None: there is none."""
        following = self.first + DETAILED
        return max(0, self.first - DETAILED) if self.before else None, following if self.after else None


def window_of(listed: Sequence[TrialView], first: int) -> Window:
    """Return the window that begins at a position; a position that is none of a trial is the first one."""
    begins = first if 0 <= first < len(listed) else 0
    return Window(begins, listed[:begins], listed[begins : begins + DETAILED], listed[begins + DETAILED :])


def is_listed(trial: Document) -> bool:
    """Return whether a trial is possible now or later, and may recruit in the country."""
    return trial["verdict"] in _LISTED and trial["recruitment"] in _RECRUITS


def trial_view(trial: Document, formats: Formats) -> TrialView:
    """Return the view of one trial: criteria that fail first, then unknown ones."""
    criteria = sorted(trial["criteria"], key=lambda one: _STATES.index(one["state"]))
    labels = {one["id"]: formats.label(one["label"]) for one in trial["cohorts"]}
    return TrialView(
        trial,
        criteria,
        {state: sum(1 for one in criteria if one["state"] == state) for state in _STATES},
        timeline(trial["timeline"], trial["refer_before"]),
        labels.get(trial["cohort"]) or trial["cohort"] or "",
        _reasons(trial, formats),
    )


def _reasons(trial: Document, formats: Formats) -> list[str]:
    found = [] if trial["recruitment"] in _RECRUITS else [formats.label(trial["recruitment_text"])]
    found += [formats.label(one["text"]) for one in trial["criteria"] if one["state"] == "not_met"]
    return found


def exact(value: float | str, formats: Formats) -> str:
    """Write a clinical value with all its digits; text as it is."""
    if isinstance(value, str):
        return value
    text = f"{value:.10g}" if abs(value) < _LARGE else f"{value:.0f}"
    return text.replace(".", ",") if formats.language == "fr" else text


def limit_in_words(limit: Document, formats: Formats) -> str:
    """Write a bound: ``≥ 50 %``, ``≤ 3 × the upper limit of the laboratory``, ``≥ 4 years``."""
    value = limit["value"]
    number = duration_in_words(value, formats) if isinstance(value, str) else exact(value, formats)
    parts = [_SIGNS[limit["op"]], number, unit_in_words(limit["unit"], formats), formats.word("basis", limit["basis"])]
    return " ".join(part for part in parts if part)


def found_in_words(details: Sequence[Document], names: Mapping[str, str], formats: Formats) -> list[str]:
    """Write the facts that were found, those of one name together: value, status, date, and why one does not count."""
    grouped: dict[str, list[str]] = {}
    for found in (one for detail in details for one in detail["found"]):
        said = grouped.setdefault(names.get(found["fact"], found["fact"]), [])
        if (text := _found(found, formats)) and text not in said:
            said.append(text)
    colon, semicolon = ("\u00a0: ", "\u00a0; ") if formats.language == "fr" else (": ", "; ")
    return [f"{name}{colon}{semicolon.join(said)}" if said else name for name, said in grouped.items()]


def _found(found: Document, formats: Formats) -> str:
    value = found["value"]
    measured = ""
    if value is not None:
        measured = " ".join(
            part for part in (found["comparator"], exact(value, formats), unit_in_words(found["unit"], formats)) if part
        )
    status = "" if found["status"] == "present" else formats.word("fact_status", found["status"])
    parts = (measured, status, formats.day(found["date"]), formats.label(found["not_counted"]))
    return ", ".join(part for part in parts if part)


def evidence_in_words(
    evidence: Sequence[str], found: Sequence[str], names: Mapping[str, str], formats: Formats
) -> list[str]:
    """Write what else a state rests on than the facts ``found``: fields of the patient, complete domains."""
    return [_evidence(one, names, formats) for one in evidence if one.startswith("#") or not found]


def _evidence(one: str, names: Mapping[str, str], formats: Formats) -> str:
    name, _, domain = one.partition(":")
    if name == "#complete":
        whole = "dossier complet\u00a0: " if formats.language == "fr" else "complete record of "
        return whole + formats.word("domain", domain)
    return formats.word("evidence", name) if name.startswith("#") else names.get(one, one)


_UNITS = {"10*9/L": "10⁹/L", "10*12/L": "10¹²/L", "mL/min/{1.73_m2}": "mL/min/1.73 m²", "m2": "m²", "kg/m2": "kg/m²"}


def unit_in_words(unit: str | None, formats: Formats) -> str:
    """Write a UCUM unit as a laboratory does."""
    if unit is None or unit in {"1", "{score}"}:
        return ""
    text = _UNITS.get(unit, unit)
    return text.replace("1.73", "1,73") if formats.language == "fr" else text


def duration_in_words(duration: str, formats: Formats) -> str:
    """Write an ISO duration: ``P3Y4M`` is *3 ans 4 mois*; other text as it is."""
    return ages.duration(duration, formats.language) or duration


def may_refer(me: Mapping[str, Any] | None) -> bool:
    """Return whether a visitor may refer patients, as far as the pages know; the API decides."""
    return me is not None and me["kind"] in _REFERRERS
