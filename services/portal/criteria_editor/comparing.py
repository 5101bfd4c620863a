"""What differs between two versions of criteria, and which patients have another verdict. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.portal.pages.ages import duration
from services.portal.pages.formats import Formats

MOST_PATIENTS = 12
_YEARS = re.compile(r"P([0-9]{1,3})Y")


@dataclass(frozen=True, slots=True)
class Difference:
    """A criterion that differs: ``added``, ``removed`` or ``changed``; what it says and asks, before and after."""

    id: str
    change: str
    before: list[str]
    after: list[str]


@dataclass(frozen=True, slots=True)
class Patient:
    """An example patient: a name, and the native JSON of a match. Invented."""

    name: str
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the criteria in force and the draft say of a patient; ``before``: empty where none are in force."""

    name: str
    before: str
    after: str
    changed: bool


def differences(
    before: Mapping[str, Any] | None,
    said_before: Mapping[str, Any],
    after: Mapping[str, Any],
    said_after: Mapping[str, Any],
    formats: Formats,
) -> list[Difference]:
    """Return the criteria that differ, by id. ``said_…``: the sentence of each criterion."""
    old = {one["id"]: one for one in (before or {"criteria": []})["criteria"]}
    new = {one["id"]: one for one in after["criteria"]}
    found = []
    for name in {**new, **old}:
        was, now = _words(old.get(name), said_before, formats), _words(new.get(name), said_after, formats)
        if name not in old or name not in new:
            found.append(Difference(name, "added" if name in new else "removed", was, now))
        elif _plain(old[name]) != _plain(new[name]):
            found.append(Difference(name, "changed", was, now))
    return found


def patients_for(documents: Iterable[Mapping[str, Any] | None], today: str, formats: Formats) -> list[Patient]:
    """Return example patients: with the disease of the trial and nothing else known, around each limit of age; then
    complete examples.
    """
    criteria = [one for document in documents if document for one in document["criteria"]]
    codes = [
        one["expr"]["codes"][0] for one in criteria if one.get("role") == "indication" and one["expr"].get("codes")
    ]
    limits = {int(one) for one in _YEARS.findall(json.dumps([one["expr"] for one in criteria if _is_of_age(one)]))}
    ages = sorted({age for limit in limits for age in (limit - 1, limit) if age >= 0}) or [5, 30]
    plain = [Patient(_age(age, formats), _plain_patient(age, codes[0], today)) for age in ages] if codes else []
    complete = [Patient(formats.label(one["name"]), one["patient"]) for one in _complete()]
    return [*plain[: MOST_PATIENTS - len(complete)], *complete]


@lru_cache(1)
def _complete() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(Path(__file__).with_name("patients.json").read_text(encoding="utf-8"))
    return found


def _plain_patient(age: int, code: str, today: str) -> dict[str, Any]:
    return {"as_of": today, "age": f"P{age}Y", "facts": [{"id": "disease", "kind": "condition", "codes": [code]}]}


def _age(age: int, formats: Formats) -> str:
    words = duration(f"P{age}Y", formats.language)
    return f"{words}, la maladie seule" if formats.language == "fr" else f"{words}, the disease alone"


def _is_of_age(criterion: Mapping[str, Any]) -> bool:
    return '"age"' in json.dumps(criterion["expr"])


def _words(criterion: Mapping[str, Any] | None, said: Mapping[str, Any], formats: Formats) -> list[str]:
    if criterion is None:
        return []
    kind = formats.word("criterion_kind", criterion["kind"])
    return [
        one for one in (kind, formats.label(criterion.get("text")), formats.label(said.get(criterion["id"]))) if one
    ]


def _plain(criterion: Mapping[str, Any]) -> str:
    """Return a criterion without what is not stated and without defaults that the registry writes out."""
    return json.dumps(_stated(criterion), sort_keys=True)


def _stated(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stated(one) for key, one in value.items() if one not in (None, [], False)}
    if isinstance(value, list):
        return [_stated(one) for one in value]
    return value
