"""Where a referral stands after its steps, for its centre and for its hospital. Pure.

The hospital sees what happens after consent only while the patient agrees that it does (`disclose`). Until then it
sees the consent and its own steps: neither states nor dates nor the number of other steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from services.registry.referrals.model import AFTER_CONSENT, ANSWERS, CHECK_AGAIN, OPEN, Request, Standing
from services.registry.steps.model import Step

# The patient hears from the hospital what the centre decided.
_TO_INFORM: Final = ANSWERS - {"more_asked"} | {"pre_screen_failure"}


@dataclass(frozen=True, slots=True)
class View:
    """The steps that a reader sees. Its version is their number. ``whole``: the reader sees all that follows."""

    steps: tuple[Step, ...]
    whole: bool = True

    @property
    def version(self) -> int:
        return len(self.steps)

    @property
    def state(self) -> str:
        return self.steps[-1].state

    @property
    def since(self) -> date:
        """The day of the step that led to the state: no later step may precede it."""
        return _day(next(step for step in reversed(self.steps) if leads(step)))

    @property
    def check_again(self) -> str | None:
        """Why the referral must be checked again; None: it need not be."""
        for step in reversed(self.steps):
            if step.action in {"checked", CHECK_AGAIN}:
                return step.reason if step.action == CHECK_AGAIN else None
        return None


def leads(step: Step) -> bool:
    """Return whether a step led to its state: other steps keep the state."""
    return step.action == step.state or step.action in {"more_sent", "asked_again"}


def _day(step: Step) -> date:
    return step.on or step.at.date()


def seen_by_hospital(steps: Sequence[Step], hospital: str) -> View:
    """Return what the hospital sees of the steps of its referral."""
    seen: list[Step] = []
    shown = True
    for number, step in enumerate(steps, 1):
        if step.action == "disclosure_agreed":
            seen, shown = list(steps[:number]), True
        elif shown:
            seen.append(step)
        elif step.organisation == hospital:
            seen.append(replace(step, state=seen[-1].state))
        if step.action == "consented":
            shown = bool(step.detail.get("disclose"))
        elif step.action == "disclosure_withdrawn":
            shown = False
    return View(tuple(seen), shown)


def standing_of(steps: Sequence[Step], hospital: str, request: Request) -> Standing:
    """Return where a referral stands after its steps, oldest first."""
    full, seen = View(tuple(steps)), seen_by_hospital(steps, hospital)
    last = steps[-1]
    led = next(step for step in reversed(steps) if leads(step))
    return Standing(
        version=full.version,
        state=full.state,
        since=full.since,
        hospital_version=seen.version,
        hospital_state=seen.state,
        hospital_since=seen.since,
        ask_again_on=_ask_again_on(led),
        more_sent=led.action in {"more_sent", "asked_again"},
        to_inform=_must_inform(seen),
        own_consent_due=request.adult_on if _own_consent_is_missing(steps, request) else None,
        check_again=full.check_again,
        hospital_check_again=seen.check_again,
        closed_at=None if last.state in OPEN else _closed_at(steps),
    )


def _ask_again_on(step: Step) -> date | None:
    given = step.detail.get("ask_again_on") if step.state == "not_now" else None
    return date.fromisoformat(given) if given else None


def _must_inform(seen: View) -> bool:
    for step in reversed(seen.steps):
        if step.action == "patient_informed" and step.detail.get("of") in {"answer", "result"}:
            return False
        if step.action in _TO_INFORM:
            return True
    return False


def _own_consent_is_missing(steps: Sequence[Step], request: Request) -> bool:
    if request.adult_on is None or steps[-1].state not in AFTER_CONSENT:
        return False
    return not any(
        step.action == "own_consent" or (step.action == "consented" and step.detail.get("by") == "patient")
        for step in steps
    )


def _closed_at(steps: Sequence[Step]) -> datetime:
    return next(step.at for step in reversed(steps) if leads(step))
