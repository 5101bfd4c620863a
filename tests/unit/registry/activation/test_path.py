"""The regulatory path as cases: days by the clocks, blockers and alarms."""

from dataclasses import replace
from datetime import date

import pytest

from services.registry.activation.checklist import ITEMS, WORDS, required_items
from services.registry.activation.model import Declaration, Entry, PathFacts
from services.registry.activation.path import of_site, path_of

TODAY = date(2026, 6, 1)
ACCEPTED = Declaration("accepted", None, frozenset({"fr-lille"}))
DECIDED = {"decision": Entry("done", date(2026, 3, 2))}
READY = PathFacts(True, True, True, early_phase=False, included_on=None, declaration=ACCEPTED, entries=DECIDED)


def test_days_follow_one_another_by_the_clocks_and_stop_in_winter() -> None:
    facts = replace(READY, entries={"submission": Entry("done", date(2026, 11, 2))})
    steps = {one.step: one for one in path_of(facts, TODAY).steps}
    days = {step: (one.earliest, one.latest, one.estimated) for step, one in steps.items() if one.earliest}
    assert days == {
        "submission": (date(2026, 11, 2), date(2026, 11, 2), False),
        # Ten days, twenty-five days: both end on a working day.
        "validation": (date(2026, 11, 12), date(2026, 11, 27), True),
        # From 23 December to 7 January no day counts.
        "part_1": (date(2027, 1, 12), date(2027, 4, 19), True),
        "part_2": (date(2027, 1, 12), date(2027, 3, 1), True),
        "decision": (date(2027, 1, 18), date(2027, 4, 26), True),
    }
    added = replace(READY, entries={"added_submission": Entry("done", date(2026, 6, 1))})
    steps = {one.step: one for one in path_of(added, TODAY).steps}
    assert (steps["added_member_state"].earliest, steps["added_member_state"].latest) == (
        date(2026, 7, 23), date(2026, 8, 24),
    )  # fmt: skip
    assert (steps["added_member_state"].required, steps["decision"].required) == (True, False)


CASES = [
    ({}, [], []),
    ({"interventional": None}, [], ["study_type_to_confirm"]),
    ({"in_ctis": False}, ["ctis_number_missing"], []),
    ({"interventional": False, "in_ctis": False, "entries": {}}, [], []),
    ({"entries": {}}, ["ctr_not_authorised"], []),
    ({"entries": {"part_2": Entry("refused", TODAY)}}, ["ctr_refused", "ctr_not_authorised"], []),
    ({"entries": {"added_member_state": Entry("done", TODAY)}}, [], []),
    ({"entries": {"decision": Entry("done", date(2024, 5, 31))}}, ["authorisation_lapsed"], []),
    ({"entries": {"decision": Entry("done", date(2024, 6, 1))}}, [], ["authorisation_lapses"]),
    ({"entries": {"decision": Entry("done", date(2024, 2, 29))}, "included_on": date(2025, 1, 1)}, [], []),
    ({"entries": {"submission": Entry("done", date(2026, 4, 1))}}, ["ctr_not_authorised"], ["clock_passed"]),
    ({"declaration": None}, ["gmo_missing"], []),
    ({"declaration": Declaration("not_required", None, frozenset())}, ["gmo_missing"], []),
    ({"declaration": None, "gmo": None}, ["gmo_to_confirm"], []),
    ({"declaration": Declaration("not_required", None, frozenset()), "gmo": None}, [], []),
    ({"declaration": None, "gmo": False}, [], []),
    ({"declaration": Declaration("declared", None, frozenset())}, ["gmo_pending"], []),
    ({"declaration": Declaration("refused", None, frozenset())}, ["gmo_refused"], []),
    ({"declaration": Declaration("expired", None, frozenset())}, ["gmo_expired"], []),
    ({"declaration": Declaration("accepted", date(2026, 5, 31), frozenset())}, ["gmo_expired"], []),
    ({"declaration": Declaration("accepted", date(2026, 6, 1), frozenset())}, [], ["gmo_expires"]),
    ({"early_phase": True}, [], ["lriph_to_confirm"]),
    ({"entries": {**DECIDED, "lriph": Entry("not_required")}, "early_phase": True}, [], []),
    ({"entries": {**DECIDED, "lriph": Entry("under_way", TODAY)}}, ["lriph_pending"], []),
    ({"entries": {**DECIDED, "lriph": Entry("refused", TODAY)}}, ["lriph_refused"], []),
    ({"entries": {**DECIDED, "lriph": Entry("done", TODAY)}}, [], []),
]


@pytest.mark.parametrize(("changes", "blockers", "alarms"), CASES)
def test_what_blocks_a_trial_and_what_needs_attention(
    changes: dict[str, object], blockers: list[str], alarms: list[str]
) -> None:
    found = path_of(replace(READY, **changes), TODAY)  # type: ignore[arg-type]
    assert [one.code for one in found.blockers] == blockers
    assert [one.code for one in found.alarms] == alarms


def test_every_finding_has_words_and_a_case() -> None:
    shown = {code for _, blockers, alarms in CASES for code in (*blockers, *alarms)}
    assert shown | {"gmo_site_not_listed"} == {*WORDS}


def test_a_site_that_is_not_listed_cannot_open() -> None:
    assert [one.code for one in of_site(READY, "fr-necker")] == ["gmo_site_not_listed"]
    assert of_site(READY, "fr-lille") == []
    free = Declaration("not_required", None, frozenset())
    assert of_site(replace(READY, gmo=False, declaration=free), "fr-necker") == []


def test_items_of_gmo_and_lriph_are_asked_for_where_the_path_requires_them() -> None:
    free = replace(READY, gmo=False, declaration=None)
    always = ["contract", "pharmacy", "training", "initiation_visit", "green_light"]
    assert required_items(path_of(free, TODAY)) == always
    lriph = replace(READY, entries={**DECIDED, "lriph": Entry("done", TODAY)})
    assert required_items(path_of(lriph, TODAY)) == list(ITEMS)
