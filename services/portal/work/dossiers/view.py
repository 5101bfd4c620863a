"""Dossiers as their pages show them, and what their forms send. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from services.portal.pages.forms import Form

Row = Mapping[str, Any]
DECISIONS = frozenset({"consent", "decide", "publish"})
# Actions with a form of their own beside the steps.
PARTIES = frozenset({"delegate", "revoke_delegate", "offer_transfer"})
NEED_REASON = frozenset({"return", "withdraw", "drop_amendment", "decide"})
WITHOUT_REASON = frozenset({"consent", "submit", "accept_transfer"})
# The states in which centres can be asked.
ASKABLE = frozenset({"feasibility", "decided", "published"})
VISIBLE = (
    "acronym", "titles", "summary", "sponsor", "product_class", "delivery", "ages", "sex", "study_type", "enrolment",
    "start", "countries",
)  # fmt: skip
CRITERIA = ("indication", "age", "capability")
_SEVERITIES = ("error", "warning", "info")


def possible(dossier: Row) -> Sequence[str]:
    """Return the steps that the visitor can take."""
    return [action for action in dossier["actions"] if action not in PARTIES]


def step_of(form: Form) -> dict[str, Any]:
    """Return the body of a step or decision."""
    names = ("action", "on", "reason", "answer") if form.one("action") == "decide" else ("action", "on", "reason")
    return {name: form.one(name) for name in names if form.one(name)}


def asking_of(form: Form) -> dict[str, Any]:
    """Return the body of ``POST …/feasibility``: the centres by name, or those that fit."""
    if centres := form.every("centres"):
        return {"centres": centres}
    found: dict[str, Any] = {"by": form.every("by")}
    if capabilities := form.every("capabilities"):
        found["capabilities"] = capabilities
    return found


def by_field(screening: Row) -> Sequence[tuple[str, Sequence[Row]]]:
    """Return the findings by field of the content; the field with the gravest finding comes first.

    Missing items of the WHO data set are left out: the page lists them by themselves.
    """
    found: dict[str, list[Row]] = {}
    listed = (one for one in screening["findings"] if one["code"] != "who_item_missing")
    for one in sorted(listed, key=lambda one: _SEVERITIES.index(one["severity"])):
        found.setdefault(one["pointer"] or "/", []).append(one)
    return list(found.items())


def pretty(content: Any) -> str:
    """Write JSON for people. What is null or an empty list is left out."""
    return json.dumps(_given(content), ensure_ascii=False, indent=2)


def _given(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _given(one) for name, one in value.items() if one not in (None, [], {})}
    return [_given(one) for one in value] if isinstance(value, list) else value
