"""Dossiers as their pages show them, and what their forms send. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from services.portal.pages.forms import Form
from shared.values.working_days import working_days

Row = Mapping[str, Any]
# What waits for someone comes first.
_STATES = ("draft", "submitted", "screening", "feasibility", "decided", "published", "withdrawn")
DECISIONS = frozenset({"consent", "decide", "publish"})
# Actions with a form of their own or none on these pages.
_ELSEWHERE = frozenset({"delegate", "revoke_delegate", "offer_transfer"})
NEED_REASON = frozenset({"return", "withdraw", "drop_amendment", "decide"})


def groups_of(dossiers: Iterable[Row]) -> Sequence[tuple[str, Sequence[Row]]]:
    """Return the dossiers by state; the one that has waited longest comes first."""
    listed = sorted(dossiers, key=lambda one: one["updated_at"])
    groups = ((state, [one for one in listed if one["state"] == state]) for state in _STATES)
    return [(state, rows) for state, rows in groups if rows]


def days_in_state(steps: Sequence[Row], today: date) -> tuple[str, int]:
    """Return the day since which a dossier has its state, and the French working days since then."""
    since = steps[-1]
    for step in reversed(steps):
        if step["state"] != since["state"]:
            break
        since = step
    day = str(since["on"] or since["at"])[:10]
    return day, working_days(date.fromisoformat(day), today)


def possible(dossier: Row) -> Sequence[str]:
    """Return what the visitor can do on the page."""
    return [action for action in dossier["actions"] if action not in _ELSEWHERE]


def step_of(form: Form) -> dict[str, Any]:
    """Return the body of a step or decision."""
    action = form.one("action")
    given = {"action": action, "reason": form.one("reason"), "answer": form.one("answer") if action == "decide" else ""}
    return {name: value for name, value in given.items() if value}


def pretty(content: Any) -> str:
    """Write JSON for people. What is null or an empty list is left out."""
    return json.dumps(_given(content), ensure_ascii=False, indent=2)


def value_text(value: Any) -> str:
    """Write a value of a diff."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def _given(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _given(one) for name, one in value.items() if one not in (None, [], {})}
    return [_given(one) for one in value] if isinstance(value, list) else value
