"""What the pages of workspaces show: clocks of dossiers, faults of answers, missing rights."""

from datetime import date
from typing import Any

import pytest

from services.portal.pages.formats import Formats
from services.portal.pages.forms import Form
from services.portal.pages.rights import MissingRight, missing_right
from services.portal.work.dossiers.clocks import groups_of, picture_of, table_of
from services.portal.work.feasibility.view import answers_of, sections_of, side_by_side
from services.portal.work.subscriptions.view import Health
from shared.access.policy import authorize
from shared.access.principal import Principal
from shared.values.problems import ForbiddenError
from shared.vocabulary.events import EVENT_TYPES

TODAY = date(2026, 11, 30)


def dossier(name: str, state: str, since: str) -> dict[str, Any]:
    return {"reference": name, "title": name, "owner": "acme", "state": state, "since": since, "updated_at": since}


def request(submission: str, deadline: str | None, *, question_open: bool = False) -> dict[str, Any]:
    return {"submission": submission, "deadline": deadline, "question_open": question_open}


def test_what_is_late_comes_first_and_a_paused_clock_is_not_late() -> None:
    dossiers = [dossier("old", "feasibility", "2026-09-01"), dossier("late", "feasibility", "2026-11-01")]
    requests = [
        request("late", "2026-11-23"),
        request("late", "2026-12-20"),
        request("old", "2026-11-02", question_open=True),
        request("old", None),
    ]
    ((state, (late, old)),) = groups_of(dossiers, requests, TODAY)
    assert (state, late.dossier["reference"], late.left, late.is_late, late.waiting) == (
        "feasibility", "late", -7, True, 2,
    )  # fmt: skip
    assert (old.days, old.left, old.is_late, old.paused) == (90, None, False, 1)
    picture = picture_of([(state, [late, old])], Formats("fr"))
    assert picture is not None
    assert [one.said for one in picture.bars] == ["29 j, retard 7 j", "90 j, suspendu"]
    assert picture.bars[0].late_from is not None
    assert picture.bars[0].late_from < picture.bars[0].end < picture.bars[1].end
    assert table_of([(state, [late])], {"acme": "Acme"}).splitlines()[1] == (
        "late,late,acme,Acme,feasibility,2026-11-01,29,20,2,0,2026-11-23,-7"
    )


def question(code: str, kind: str = "number", condition: str | None = None, submitted: Any = None) -> dict[str, Any]:
    return {
        "question": code, "condition": condition, "type": kind, "section": "s", "value": None, "submitted": submitted,
    }  # fmt: skip


def test_what_is_wrong_with_an_answer_stands_at_its_field_and_nothing_typed_is_lost() -> None:
    sheet: dict[str, Any] = {
        "sections": [{"code": "s"}],
        "questions": [question("a"), question("b", condition="ORPHA:1"), question("c")],
    }
    form = Form({"q/b/ORPHA:1": ["many"], "q/c/": ["3"]})
    assert answers_of(sheet, form)["answers"] == [
        {"question": "b", "condition": "ORPHA:1", "value": "many"}, {"question": "c", "value": 3},
    ]  # fmt: skip
    faults = [{"pointer": "/answers/0/value", "detail": "a number"}, {"pointer": "/answers/a", "detail": "missing"}]
    ((_, fields),) = sections_of(sheet, form, faults)
    assert [(one.value, one.wrong) for one in fields] == [("", "missing"), ("many", "a number"), ("3", "")]
    sheet["questions"][0]["value"], sheet["questions"][2]["value"] = 7, 4  # another person saved these meanwhile
    ((_, fields),) = sections_of(sheet, form, (), is_stale=True)
    assert [(one.value, one.meanwhile) for one in fields] == [(7, None), ("many", ""), ("3", 4)]


def test_a_centre_without_a_submitted_answer_is_no_column() -> None:
    requests = [{"centre": "one"}, {"centre": "two"}, {"centre": "three"}]
    sheets = [
        {"sections": [{"code": "s"}], "questions": [question("a", submitted=5), question("b")]},
        {"sections": [{"code": "s"}], "questions": [question("a"), question("b")]},
        None,
    ]
    found = side_by_side(requests, sheets)
    assert [one["centre"] for one in found.centres] == ["one"]
    assert [one["centre"] for one in found.silent] == ["two", "three"]
    ((_, rows),) = found.sections
    assert [(one["question"], values) for one, values in rows] == [("a", [5])]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("sponsor", MissingRight("submission.write", ["admin", "editor", "system"], ["sponsor", "coordination"])),
        ("hospital", MissingRight("submission.write", (), ["sponsor", "coordination"])),
    ],
)
def test_a_refusal_names_the_right_and_who_gives_it(kind: Any, expected: MissingRight) -> None:
    with pytest.raises(ForbiddenError) as refused:
        authorize(Principal(kind, organisation="x", roles=frozenset({"auditor"})), "write", "submission")
    assert refused.value.detail is not None
    assert missing_right(refused.value.detail.fr, kind) == expected
    assert missing_right("Autre chose.", kind) is None


def test_the_health_of_a_subscription_is_that_of_its_last_deliveries() -> None:
    sent = {"state": "delivered", "attempts": [{}], "due_at": None}
    failed = {"state": "pending", "attempts": [{}], "due_at": "2026-12-01T10:00:00.000Z"}
    health = Health({"status": "active", "channel": {"type": "webhook", "url": "u"}}, [failed, sent], {})
    assert (health.tone, health.waiting, health.next_attempt, health.last) == ("held", 1, failed["due_at"], sent)


def test_every_type_of_event_has_words() -> None:
    assert [one for one in EVENT_TYPES if Formats("fr").word("event_type", one) == one] == []
