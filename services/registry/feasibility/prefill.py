"""Suggested answers: what the registry knows of a centre, and what the centre answered last. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from services.registry.feasibility.model import Answer, Prefilled
from services.registry.feasibility.questionnaire import CAPABILITY, Question


def prefilled(
    asked: Iterable[tuple[Question, str | None]],
    centre: Mapping[str, Any],
    competing: int,
    last: Sequence[tuple[date, Answer]],
    today: date,
) -> list[Prefilled]:
    """Return suggested answers, at most one for each question.

    ``centre``: its document. ``competing``: the number of open trials there in the same disease. ``last``: what it
    submitted before, with the day, newest first. The registry's own knowledge comes before earlier answers.
    """
    earlier: dict[tuple[str, str | None], tuple[date, Answer]] = {}
    for on, answer in last:
        earlier.setdefault(answer.key, (on, answer))
    found = []
    for question, condition in asked:
        known = _known(question, centre, competing, today)
        if known is not None:
            found.append(known)
        elif (question.code, condition) in earlier:
            on, answer = earlier[question.code, condition]
            found.append(Prefilled(answer, "last_answer", on))
    return found


def _known(question: Question, centre: Mapping[str, Any], competing: int, today: date) -> Prefilled | None:
    rule = question.prefill or ""
    if rule == "competing_trials":
        return Prefilled(Answer(question.code, competing), "registry", today)
    changed: date = centre["updated_at"].date()
    if rule == "populations":
        populations = centre["populations"]
        value = "both" if len(set(populations)) > 1 else populations[0]
        return Prefilled(Answer(question.code, value), "centre", changed)
    if rule.startswith(CAPABILITY) and _is_valid(rule.removeprefix(CAPABILITY), centre["capabilities"], today):
        return Prefilled(Answer(question.code, "yes"), "centre", changed)
    return None


def _is_valid(code: str, capabilities: Iterable[Mapping[str, Any]], today: date) -> bool:
    """Return whether the centre has a capability today. One that is not listed is not known: the centre is asked."""
    return any(
        one["code"] == code
        and (one["valid_from"] is None or one["valid_from"] <= today)
        and (one["valid_to"] is None or today <= one["valid_to"])
        for one in capabilities
    )
