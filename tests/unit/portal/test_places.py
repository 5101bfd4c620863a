"""The places of a trial: cohorts in order, what can be declared, and what a form sends."""

from typing import Any

from services.portal.pages.forms import Form
from services.portal.work.places.view import cohorts_of, declaration_of

LABELS = [{"id": name, "label": {"fr": name, "en": name}} for name in "AB"]
SITES = ["fr-lille", "fr-lyon"]


def offer(cohort: str, centre: str, *, last: str | None = None, decided: str | None = None) -> tuple[Any, None]:
    staggering = {"needs_decision": True, "last_dosed_on": last, "decided_on": decided}
    return {"cohort": cohort, "centre": centre, "staggering": staggering if last else None}, None


def test_a_sponsor_declares_for_every_site_and_a_centre_for_itself() -> None:
    rows = [offer("A", "fr-lille")]
    for me, undeclared in (
        ({"kind": "sponsor", "centre": None}, [["fr-lyon"], SITES]),
        ({"kind": "centre", "centre": "fr-lyon"}, [["fr-lyon"], ["fr-lyon"]]),
    ):
        found = cohorts_of(LABELS, rows, SITES, me, writes=True)
        assert [list(one.undeclared) for one in found] == undeclared
        assert [one.undeclared for one in cohorts_of(LABELS, rows, SITES, me, writes=False)] == [[], []]


def test_a_cohort_is_released_by_the_sponsor_after_a_dosing_without_decision() -> None:
    due, decided = offer("A", "fr-lille", last="2026-11-01"), offer("A", "fr-lille", last="2026-11-01", decided="x")
    for kind, row, releases in (
        ("sponsor", due, True),
        ("sponsor", decided, False),
        ("sponsor", offer("A", "fr-lille"), False),
        ("centre", due, False),
    ):
        me = {"kind": kind, "centre": "fr-lille"}
        assert cohorts_of(LABELS, [row], SITES, me, writes=True)[0].releases is releases


def test_a_centre_sends_no_staggering_and_an_empty_field_counts_no_slots() -> None:
    typed = {"offered": ["4"], "hold_days": ["x"], "limit_months": ["18"], "slots": [""], "interval_days": ["28"]}
    centre, sponsor = (declaration_of(Form(typed), kind) for kind in ("centre", "sponsor"))
    assert centre == {"offered": 4, "hold_days": "x", "limit_months": 18, "manufacturing": None}
    assert sponsor["staggering"] == {"interval_days": 28, "needs_decision": False, "last_dosed_on": None}
