"""Screens the content of a dossier: scope, completeness, consistency. Pure.

The texts of findings (``findings.json``), the WHO items (``who_items.json``) and the diseases of one sex
(``one_sex.json``) are reviewed data.
"""

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final

from services.registry.merge.fields import is_empty
from services.registry.model.trial import TrialInput
from services.registry.submissions.consistency import inconsistencies
from services.registry.submissions.content import SubmissionContent, trial_document
from services.registry.submissions.schemas import SubmissionFinding, SubmissionMissingItem, SubmissionScreening
from services.registry.trials.drafts import validated
from services.registry.trials.rules import TrialRules
from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

_ORDER: Final = ("error", "warning", "info")
_SCOPE: Final = {"out_of_scope": "scope_out", "scope_unclear": "scope_unclear"}
_PACKAGE: Final = "services.registry.submissions"


def screen(content: SubmissionContent, rules: TrialRules, today: date) -> SubmissionScreening:
    """Return what is to be said of a content. ``today``: dates after it are in the future."""
    document = trial_document(content)
    draft, faults = _stored_form(document)
    scope = rules.scope(draft, rules.terminology)
    missing = missing_items(content)
    found = [_fault(one) for one in faults]
    if code := _SCOPE.get(scope.answer):
        found.append(finding(code, "/trial"))
    found += [finding(code, pointer) for code, pointer in inconsistencies(content, today)]
    found += [finding("who_item_missing", one.pointer, one.label) for one in missing]
    found.sort(key=lambda one: _ORDER.index(one.severity))
    of = len(_items())
    return SubmissionScreening(scope=scope, score=of - len(missing), of=of, missing=missing, findings=found)


def faults_of_storage(content: SubmissionContent) -> list[Fault]:
    """Return why the registry could not make a trial of a content; none: it can."""
    return _stored_form(trial_document(content))[1]


def missing_items(content: SubmissionContent) -> list[SubmissionMissingItem]:
    """Return the items of the WHO registration data set that a content does not give."""
    document = content.model_dump(mode="json", exclude_defaults=True)
    document["numbers"] = _numbers(content)
    nothing = set(content.registration.nothing)
    return [
        SubmissionMissingItem(item=row["item"], label=Label(fr=row["fr"], en=row["en"]), pointer=row["pointer"])
        for row in _items()
        if row.get("nothing") not in nothing and all(is_empty(_at(document, path)) for path in row["any_of"])
    ]


def finding(code: str, pointer: str, item: Label | None = None) -> SubmissionFinding:
    """Return a finding with its text. ``item``: what a general text names."""
    row = _texts()[code]
    fr, en = (row["fr"].format(item.fr), row["en"].format(item.en)) if item else (row["fr"], row["en"])
    return SubmissionFinding(
        pointer=pointer, code=code, severity=row["severity"], blocks=False, detail=Label(fr=fr, en=en)
    )


def _stored_form(document: Mapping[str, Any]) -> tuple[TrialInput, list[Fault]]:
    """Return the trial to judge, and why it cannot be stored."""
    try:
        return validated({"identifiers": [], **document}), []
    except InvalidBodyError as error:
        kept = {**document, "identifiers": document.get("identifiers") or []}
        return TrialInput.model_construct(**_parsed(kept)), error.faults


def _parsed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a trial that has no number yet. Its model has checked all others."""
    stand_in = {**document, "identifiers": [{"type": "cleio", "value": "CLEIO-NONE-0000"}]}
    parsed = validated(stand_in)
    return {**{name: getattr(parsed, name) for name in TrialInput.model_fields}, "identifiers": []}


def in_content(fault: Fault) -> str:
    """Return where in the content a fault of its trial is."""
    return "/protocol_code" if fault.pointer == "/identifiers" else f"/trial{fault.pointer}"


def _fault(fault: Fault) -> SubmissionFinding:
    if fault.pointer == "/identifiers":
        return finding("number_missing", in_content(fault)).model_copy(update={"blocks": True})
    return SubmissionFinding(
        pointer=in_content(fault), code=fault.code, severity="error", blocks=True, detail=fault.detail
    )


def _numbers(content: SubmissionContent) -> dict[str, list[str]]:
    numbers = trial_document(content).get("identifiers", [])
    public = [one["value"] for one in numbers if one["type"] not in {"sponsor", "cleio"}]
    others = [one["value"] for one in numbers if one["value"] not in public[:1]]
    return {"public": public, "secondary": others}


def _at(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


@cache
def _items() -> list[dict[str, Any]]:
    return json.loads((resources.files(_PACKAGE) / "who_items.json").read_text("utf-8"))  # type: ignore[no-any-return]


@cache
def _texts() -> dict[str, dict[str, Any]]:
    return json.loads((resources.files(_PACKAGE) / "findings.json").read_text("utf-8"))  # type: ignore[no-any-return]
