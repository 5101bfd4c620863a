"""Referrals as their pages show them, and the steps that their forms record. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.portal.pages.forms import Form
from shared.values.wire import Label

Row = Mapping[str, Any]
_GROUPS: tuple[tuple[Label, frozenset[str]], ...] = (
    (Label(fr="Réponse attendue", en="Answer awaited"), frozenset({"sent", "more_asked", "not_now"})),
    (
        Label(fr="Avant l'inclusion", en="Before inclusion"),
        frozenset({"accepted", "contacted", "pre_screened", "consented", "screening"}),
    ),
    (
        Label(fr="Dans l'essai", en="In the trial"),
        frozenset(
            {
                "included",
                "collection",
                "manufacturing",
                "released",
                "conditioning",
                "dosed",
                "follow_up",
                "treatment_withdrawn",
            }
        ),
    ),
)
_ENDED = Label(fr="Terminées", en="Ended")
_ENDS = frozenset(
    {
        "declined",
        "pre_screen_failure",
        "screen_failure",
        "patient_declined",
        "treatment_withdrawn",
        "consent_withdrawn",
        "lost",
        "died",
        "treated_otherwise",
        "manufacturing_failed",
    }
)
_NOTES = frozenset(
    {"place_asked", "own_consent", "disclosure_agreed", "disclosure_withdrawn", "patient_informed", "checked"}
)
# action → group of the words of its reason, and whether the API wants one
REASONS: Mapping[str, tuple[str, bool]] = {
    "declined": ("decline_reasons", True),
    "pre_screen_failure": ("failure_reasons", True),
    "screen_failure": ("failure_reasons", True),
    "not_now": ("not_now_reasons", False),
    "treatment_withdrawn": ("withdrawal_reasons", False),
    "manufacturing_failed": ("manufacturing_reasons", False),
}


@dataclass(frozen=True, slots=True)
class Possible:
    """What can be recorded now: the ordinary next steps, what ends the referral, and what changes no state."""

    onward: Sequence[str]
    notes: Sequence[str]
    ends: Sequence[str]

    @classmethod
    def of(cls, actions: Iterable[str]) -> "Possible":
        """Sort the actions that the API offers."""
        given = list(actions)
        return cls(
            [one for one in given if one not in _ENDS | _NOTES],
            [one for one in given if one in _NOTES],
            [one for one in given if one in _ENDS],
        )


def groups_of(referrals: Iterable[Row]) -> list[tuple[Label, list[Row]]]:
    """Return the referrals by phase; within one, what is due first comes first. Phases without any are left out."""
    listed = sorted(referrals, key=lambda one: one["answer_due"] or one["ask_again_on"] or "9999")
    states = frozenset[str]().union(*(states for _, states in _GROUPS))
    groups = [(title, [one for one in listed if one["state"] in states_]) for title, states_ in _GROUPS]
    groups.append((_ENDED, [one for one in listed if one["state"] not in states]))
    return [group for group in groups if group[1]]


def step_of(form: Form) -> dict[str, Any]:
    """Return the body of ``POST /registry/v1/referrals/{reference}/steps``."""
    action = form.one("action")
    step: dict[str, Any] = {"action": action, "on": form.one("on")}
    step |= {name: form.one(name) for name in ("reason", "ask_again_on", "accepted_on", "of") if form.one(name)}
    if items := form.every("items"):
        step["items"] = items
    if action == "consented":
        consent = {name: form.one(name) for name in ("by", "sole_authority", "assent") if form.one(name)}
        step |= {"consent": consent, "disclose": form.one("disclose") == "yes"}
    if action == "released":
        step["out_of_specification"] = form.one("out_of_specification") == "yes"
    return step
