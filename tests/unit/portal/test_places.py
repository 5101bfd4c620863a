"""The places of a trial: cohorts in order, what can be declared, and what a form sends."""

from typing import Any

from services.portal.pages.forms import Form
from services.portal.work.places.view import cohorts_of, declaration_of

LABELS = [{"id": name, "label": {"fr": name, "en": name}} for name in "AB"]
SITES = ["fr-lille", "fr-lyon"]


def offer(cohort: str, centre: str, *, last: str | None = None, decided: str | None = None) -> tuple[Any, None]:
    staggering = {"needs_decision": True, "last_dosed_on": last, "decided_on": decided}
    return {"cohort": cohort, "centre": centre, "staggering": staggering if last else None}, None


def test_places_are_declared_for_the_sites_that_have_none() -> None:
    found = cohorts_of(LABELS, [offer("A", "fr-lille")], SITES, releases=False)
    assert [list(one.undeclared) for one in found] == [["fr-lyon"], SITES]


def test_a_cohort_is_released_after_a_dosing_without_decision() -> None:
    due, decided = offer("A", "fr-lille", last="2026-11-01"), offer("A", "fr-lille", last="2026-11-01", decided="x")
    for row, may, releases in (
        (due, True, True),
        (decided, True, False),
        (offer("A", "fr-lille"), True, False),
        (due, False, False),
    ):
        assert cohorts_of(LABELS, [row], SITES, releases=may)[0].releases is releases


def test_a_centre_sends_no_staggering_and_an_empty_field_counts_no_slots() -> None:
    typed = {"offered": ["4"], "hold_days": ["x"], "limit_months": ["18"], "slots": [""], "interval_days": ["28"]}
    centre, sponsor = (declaration_of(Form(typed), kind) for kind in ("centre", "sponsor"))
    assert centre == {"offered": 4, "hold_days": "x", "limit_months": 18, "manufacturing": None}
    assert sponsor["staggering"] == {"interval_days": 28, "needs_decision": False, "last_dosed_on": None}
