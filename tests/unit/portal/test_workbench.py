"""The workbench: the fields of its forms, what differs between two answers, and the geometry of a timeline."""

from typing import Any

import pytest

from services.portal.pages.formats import Formats
from services.portal.pictures.verdicts import WIDTH, timeline
from services.portal.referring.view import proposal, referral_of
from services.portal.workbench.answering import NotUnderstoodError, age_of, day_of, facts_of_answer, number_of
from services.portal.workbench.comparing import differences
from services.portal.workbench.facts import detail_of
from services.portal.workbench.state import State
from services.portal.workbench.view import duration_in_words, limit_in_words, trial_view, window_of
from shared.values.problems import MalformedJsonError

TODAY = {"from": "2026-01-01", "until": None, "verdict": "possible"}
WANTED: dict[str, Any] = {"field": None, "kind": "observation", "codes": ["X:1", "X:2"], "value": None, "domain": None}


def answered(wanted: dict[str, Any], **fields: str) -> dict[str, Any]:
    return facts_of_answer({**WANTED, **wanted}, "q0f0-", lambda name: fields.get(name[5:], ""), "2026-11-30")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2021-12-20", "2021-12-20"), ("20/12/2021", "2021-12-20"), ("1/2/2021", "2021-02-01"), ("2021", "2021")],
)
def test_a_day_is_read_as_people_write_it(text: str, expected: str) -> None:
    assert day_of("birth_date", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("7 ans 4 mois", "P7Y4M"), ("7", "P7Y"), ("18 mois", "P18M"), ("7 years", "P7Y"), ("7Y4M", "P7Y4M"), ("", "")],
)
def test_an_age_is_read_as_people_write_it(text: str, expected: str) -> None:
    assert age_of("age", text) == expected


def test_what_cannot_be_read_names_its_field() -> None:
    for read, text in ((day_of, "hier"), (age_of, "sept ans"), (number_of, "beaucoup")):
        with pytest.raises(NotUnderstoodError) as refused:
            read("field", text)
        assert refused.value.name == "field"


def test_a_present_fact_has_one_code_and_a_denied_one_has_all() -> None:
    assert answered({}, presence="present", code="X:2", date="2026-01-02") == {
        "facts": [{"kind": "observation", "status": "present", "codes": ["X:2"], "date": "2026-01-02"}]
    }
    denied = answered({}, presence="absent")["facts"][0]
    assert (denied["codes"], denied["status"], denied["date"]) == (["X:1", "X:2"], "absent", "2026-11-30")
    assert answered({}) == {}


def test_a_value_a_treatment_and_episodes_become_facts() -> None:
    value = answered({"value": "number", "unit": "U/L", "reference_range": True}, value="<12,5", ref_high="40")
    assert {"value": 12.5, "comparator": "<", "unit": "U/L", "ref_high": 40}.items() <= value["facts"][0].items()
    taken = answered({"kind": "medication"}, presence="present", start="01/10/2026")["facts"][0]
    assert (taken["start"], "date" in taken) == ("2026-10-01", False)
    crises = answered({"kind": "event", "value": "occurrences"}, dates="2026-01-01, 2026-02-03")["facts"]
    assert [one["date"] for one in crises] == ["2026-01-01", "2026-02-03"]


def test_answers_are_added_removed_and_supposed() -> None:
    base = State({"as_of": "2026-11-30", "facts": [{"id": "dx", "kind": "condition"}]})
    more = base.adding({"facts": [{"kind": "event"}]}).adding({"facts": [{"kind": "event"}]}, supposed=True)
    assert [one["id"] for one in more.hypothetical["facts"]] == ["dx", "added-1", "added-2"]
    assert [one["id"] for one in more.record["facts"]] == ["dx", "added-1"]
    assert [one["id"] for one in more.removing("fact", "added-1").record["facts"]] == ["dx"]
    kept = more.keeping()
    assert (len(kept.record["facts"]), kept.supposed) == (3, {})
    assert State.read(more.write()).hypothetical == more.hypothetical
    with pytest.raises(MalformedJsonError):
        State.read('{"record": []}')


def a_trial(name: str, verdict: str, until: str | None = None, unknown: int = 0) -> dict[str, Any]:
    criteria = [{"state": "unknown", "left_to_investigator": False}] * unknown
    return {
        "id": name, "verdict": verdict, "from": None, "until": until, "refer_before": None, "criteria": criteria
    }  # fmt: skip


def test_two_answers_differ_in_what_opens_and_closes() -> None:
    before = [
        a_trial("a", "not_yet"),
        a_trial("b", "possible"),
        a_trial("c", "possible", unknown=2),
        a_trial("d", "excluded"),
    ]
    after = [
        a_trial("a", "possible"),
        a_trial("b", "excluded"),
        a_trial("c", "possible", unknown=1),
        a_trial("d", "excluded"),
    ]
    found = differences({"results": before}, {"results": after})
    assert [(one.trial["id"], one.direction) for one in found] == [("a", "opens"), ("b", "closes"), ("c", "changes")]


def test_every_listed_trial_is_on_the_page_and_ten_of_them_in_detail() -> None:
    trial = {"criteria": [], "cohorts": [], "cohort": None, "timeline": [TODAY], "refer_before": None}
    views = [trial_view({**trial, "recruitment": "open", "id": str(one)}, Formats("fr")) for one in range(25)]
    for first, expected in ((0, (0, 10, 15)), (10, (10, 10, 5)), (20, (20, 5, 0)), (99, (0, 10, 15))):
        window = window_of(views, first)
        assert (len(window.before), len(window.shown), len(window.after)) == expected
        assert [*window.before, *window.shown, *window.after] == views
    assert [window_of(views, first).nearest for first in (0, 10, 20)] == [(None, 10), (0, 20), (10, None)]


def test_a_timeline_shows_each_verdict_in_proportion() -> None:
    drawn = timeline(
        [
            {"from": "2026-01-01", "until": "2027-01-01", "verdict": "possible"},
            {"from": "2027-01-01", "until": "2028-01-01", "verdict": "not_yet"},
            {"from": "2028-01-01", "until": None, "verdict": "excluded"},
        ],
        "2026-07-01",
    )
    assert [bar.verdict for bar in drawn.bars] == ["possible", "not_yet", "excluded"]
    assert drawn.bars[0].width == pytest.approx(drawn.bars[1].width, abs=1)
    assert sum(bar.width for bar in drawn.bars) == pytest.approx(WIDTH, abs=1)
    assert drawn.refer_x == pytest.approx(drawn.bars[0].width / 2, abs=2)
    assert [tick.day for tick in drawn.ticks] == ["2027", "2028"]


def test_limits_durations_and_facts_are_in_words() -> None:
    french = Formats("fr")
    assert duration_in_words("P3Y4M", french) == "3 ans et 4 mois"
    assert limit_in_words({"op": "<=", "value": 3, "unit": None, "basis": "xULN"}, french) == (
        "≤ 3 × la limite supérieure du laboratoire"
    )
    fact = {"kind": "medication", "start": "2025-10-10", "dose": {"value": 0.75, "unit": "mg/d", "per_kg": True}}
    assert detail_of(fact, french) == "0,75 mg/d/kg, depuis le 10 octobre 2025"


def test_days_and_ages_are_read_as_people_write_them() -> None:
    assert [day_of("on", text) for text in ("29/02/2024", "1.3.2010", "03/2010")] == [
        "2024-02-29",
        "2010-03-01",
        "2010-03",
    ]
    for text in ("29/02/2023", "2010-13", "31/04/2010"):
        with pytest.raises(NotUnderstoodError):
            day_of("on", text)
    ages = ("7", "17 ans et 11 mois", "17 years, 364 days", "3 semaines")
    assert [age_of("age", text) for text in ages] == ["P7Y", "P17Y11M", "P17Y364D", "P3W"]
    assert Formats("fr").moment("2026-12-31T23:05:00.000Z") == "1er janvier 2027, 00:05 (Paris)"


def test_a_referral_proposes_months_only() -> None:
    trial = {"cohort": "1", "refer_before": "2027-02-19", "timeline": [{"from": "2025-11-22"}]}
    proposed = proposal({"birth_date": "2010-05-01"}, trial)
    assert (proposed["adult_on"], proposed["refer_before"], proposed["minor"]) == ("2028-05", "2027-02", "1")
    fields = {"trial": "T", "given": "1", "agreed_on": "2026-11-20", **proposed}
    sent = referral_of(lambda name: fields.get(name, ""))
    assert sent["patient_agreement"]["given"] is True
