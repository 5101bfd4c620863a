"""The review queue and decisions on the scope, over HTTP."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.registry.app import METADATA, MIGRATIONS
from services.registry.model.trial import ScopeAnswer
from services.registry.sources import importing
from services.registry.trials.rules import TrialRules
from shared.persistence import open_database
from shared.persistence.migrations import upgrade
from tests.conftest import ADMIN, client_of, token_of
from tests.contract.registry import running_registry
from tests.contract.test_merge import dated, items, patch
from tests.contract.test_migrated_trials import downgrade
from tests.contract.test_registry import events_since, now
from tests.contract.test_sources import send, study

pytestmark = pytest.mark.anyio

NUMBER = "NCT90000001"
TRIAL = f"/registry/v1/trials/{NUMBER}"
REVIEWS = "/registry/v1/reviews"
SCOPE = f"scope:{NUMBER}"
UNCLEAR = {"conditionsModule": {"conditions": ["Langerhans Cell Histiocytosis"]}}
CANCER = {"conditionsModule": {"conditions": ["Osteosarcoma"]}}


@pytest.fixture
async def second(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, token=token_of("coordination", "editor", client="second")) as client:
        yield client


async def post(client: httpx.AsyncClient, item: str, what: str, **body: str) -> httpx.Response:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    return await client.post(f"{REVIEWS}/{item}/{what}", json=body or None, headers=headers)


async def decide(client: httpx.AsyncClient, answer: str, item: str = SCOPE) -> dict[str, Any]:
    answered = await post(client, item, "decide", answer=answer, reason="read the protocol")
    assert answered.status_code == 200, answered.text
    return dict(answered.json())


async def queue(client: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    answer = await client.get(REVIEWS, params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_two_people_decide_on_what_the_gate_leaves_open_and_the_decision_stays(
    admin: httpx.AsyncClient, second: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    await send(admin, dated("2025-01-01", **UNCLEAR))
    assert (await public.get(TRIAL)).status_code == 404
    (item,) = await queue(admin, kind="scope")
    assert item["trial"]["identifier"] == NUMBER
    assert item["trial"]["published"] is False
    assert {reason["code"] for reason in item["reasons"]}
    assert [one["answer"] for one in item["choices"]] == ["in_scope", "out_of_scope"]

    cursor = await now(admin)
    await decide(admin, "in_scope", item["id"])
    assert (await queue(admin))[0]["decisions"][0]["answer"] == "in_scope"
    decided = await decide(second, "in_scope", item["id"])
    assert (decided["since"], decided["trial"]["published"], decided["decisions"][0]["gate"]) == (
        None, True, "scope_unclear",
    )  # fmt: skip
    assert [one["type"] for one in await events_since(admin, cursor)] == [
        "review.decided", "review.decided", "trial.published", "review.closed",
    ]  # fmt: skip
    assert await queue(admin) == []
    trial = (await public.get(TRIAL)).json()
    assert (trial["scope"]["by"], trial["scope"]["answer"]) == ("person", "in_scope")

    # Other fields change: the decision stays.
    await send(admin, dated("2025-02-01", status={"overallStatus": "COMPLETED"}, **UNCLEAR))
    assert ((await public.get(TRIAL)).json()["status"], await queue(admin)) == ("completed", [])
    # The indication changes: the decision stays in force, and comes back for review.
    await send(admin, dated("2025-03-01", **CANCER))
    (again,) = await queue(admin)
    assert (again["trial"]["published"], again["decisions"][0]["answer"]) == (True, "in_scope")
    # A person can still edit the trial, and take it back at once.
    await patch(admin, {"acronym": "ABC"})
    cursor = await now(admin)
    assert (await decide(admin, "out_of_scope"))["trial"]["published"] is False
    assert [one["type"] for one in await events_since(admin, cursor)] == [
        "review.decided", "trial.withdrawn", "review.closed",
    ]  # fmt: skip
    assert (await public.get(TRIAL)).status_code == 404

    for expected in (True, False, False):
        undone = await post(admin, SCOPE, "undo")
        assert (undone.status_code, undone.json()["trial"]["published"]) == (200, expected)
    assert (await post(admin, SCOPE, "undo")).json()["code"] == "nothing_to_undo"
    assert (await admin.get(TRIAL)).json()["scope"]["by"] == "gate"


async def test_two_people_are_needed_to_publish_what_the_gate_refuses(
    admin: httpx.AsyncClient, second: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    await send(admin, dated("2025-01-01"))
    await send(admin, dated("2025-02-01", **CANCER))
    assert (await public.get(TRIAL)).status_code == 404
    for _ in range(2):
        waiting = await decide(admin, "in_scope")
        assert (waiting["trial"]["published"], waiting["since"] is None) == (False, False)
    assert (await decide(second, "in_scope"))["trial"]["published"] is True
    assert (await public.get(TRIAL)).json()["scope"]["by"] == "person"
    # One person is enough to take it back.
    assert (await decide(second, "out_of_scope"))["trial"]["published"] is False
    assert (await decide(admin, "in_scope"))["trial"]["published"] is False


async def test_the_queue_is_narrowed_counted_paged_and_claimed(
    app: FastAPI, admin: httpx.AsyncClient, second: httpx.AsyncClient
) -> None:
    numbers = [f"NCT9000000{place}" for place in range(1, 4)]
    await send(admin, *(study(number, **UNCLEAR) for number in numbers))
    await send(admin, dated("2025-01-01", **UNCLEAR))
    await patch(admin, {"titles": {"en": "A title"}})
    await send(admin, dated("2025-02-01", identificationModule={"nctId": NUMBER, "briefTitle": "Other"}, **UNCLEAR))
    page = (await admin.get(REVIEWS, params={"limit": "3"})).json()
    assert {kind: count for kind, count in page["counts"].items() if count} == {"scope": 3, "conflict": 1}
    rest = (await admin.get(REVIEWS, params={"limit": "3", "cursor": page["next"]})).json()
    assert [len(page["items"]), len(rest["items"]), rest["next"]] == [3, 1, None]
    assert len({one["id"] for one in [*page["items"], *rest["items"]]}) == 4
    (found,) = await queue(admin, q="nct90000002")
    assert await queue(admin, q="nct90000002", source="ctgov") == [found]
    assert await queue(admin, source="sample") == []

    assert (await post(admin, found["id"], "claim")).json()["claimed_by"].startswith("coordination/")
    assert (await post(admin, found["id"], "claim")).status_code == 200
    assert [len(await queue(admin, claimed=which)) for which in ("yes", "no", "mine")] == [1, 3, 1]
    assert await queue(second, claimed="mine") == []
    for what, body in (("claim", {}), ("decide", {"answer": "in_scope", "reason": "x"})):
        assert (await post(second, found["id"], what, **body)).json()["code"] == "claimed"
    assert (await second.delete(f"{REVIEWS}/{found['id']}/claim")).status_code == 204
    assert (await decide(second, "out_of_scope", found["id"]))["since"] is None
    assert (await post(second, found["id"], "decide", answer="keep", reason="x")).json()["code"] == "wrong_answer"
    assert (await admin.get(f"{REVIEWS}/scope:NCT99")).status_code == 404
    async with client_of(app, token=token_of("coordination", "auditor")) as auditor:
        assert len(await queue(auditor)) == 3
        assert (await post(auditor, found["id"], "claim")).status_code == 403


async def test_a_conflict_is_settled_in_the_queue_and_the_decision_undone(admin: httpx.AsyncClient) -> None:
    await send(admin, dated("2025-01-01"))
    await patch(admin, {"eligibility": {"maximum_age": "P12Y"}})
    younger = {"minimumAge": "4 Years", "maximumAge": "9 Years", "sex": "MALE", "eligibilityCriteria": "Ambulant"}
    await send(admin, dated("2025-02-01", eligibilityModule=younger))
    (item,) = await queue(admin, kind="conflict")
    assert (item["conflict"]["used"], item["conflict"]["other"]) == ("P12Y", "P9Y")
    for answer, age in (("keep", "P12Y"), ("take", "P9Y")):
        await decide(admin, answer, item["id"])
        assert (await admin.get(TRIAL)).json()["eligibility"]["maximum_age"] == age
        assert await items(admin, "conflicts") == []
        undone = await post(admin, item["id"], "undo")
        assert (undone.status_code, undone.json()["since"] is None) == (200, False)
        assert (await admin.get(TRIAL)).json()["eligibility"]["maximum_age"] == "P12Y"
    assert [one["answer"] for one in (await queue(admin, kind="conflict"))[0]["decisions"]] == ["keep", "take"]


async def test_a_record_with_the_number_of_another_trial_waits_and_says_of_which(admin: httpx.AsyncClient) -> None:
    shared = {"briefTitle": "One", "secondaryIdInfos": [{"id": "2020-001234-22", "type": "EUDRACT_NUMBER"}]}
    for number in ("NCT90000007", "NCT90000009"):
        await send(admin, study(number, identificationModule={"nctId": number, **shared}))
    (item,) = await queue(admin, kind="possible_duplicate")
    assert (item["record"]["source_id"], item["record"]["shares_with"]) == ("NCT90000009", ["NCT90000007"])
    assert (await post(admin, item["id"], "decide", answer="keep", reason="x")).json()["code"] == "wrong_answer"
    # To read it again does not make it younger.
    await admin.post("/registry/v1/sources/ctgov/reread", headers={"Idempotency-Key": uuid.uuid4().hex})
    assert (await queue(admin, kind="possible_duplicate"))[0]["since"] == item["since"]
    first, second = (f"/registry/v1/trials/{number}" for number in ("NCT90000007", "NCT90000009"))
    before = (await admin.get(first)).json()

    separate = await decide(admin, "separate", item["id"])
    assert (separate["since"], separate["trial"]["numbers"]) == (None, ["NCT90000009"])
    assert [(one["answer"], one["reason"]) for one in separate["decisions"]] == [("separate", "read the protocol")]
    assert await queue(admin, kind="possible_duplicate") == []
    assert (await admin.get(second)).json()["published"] is True
    # The record goes on with the trial to which a person assigned it.
    (line,) = (await send(admin, study("NCT90000009", identificationModule={"nctId": "NCT90000009", **shared})))[
        "results"
    ]
    assert (line["result"], line["trial"]) == ("unchanged", "NCT90000009")
    undone = (await post(admin, item["id"], "undo")).json()
    assert (undone["since"] is None, undone["decisions"][0]["withdrawn_by"]) == (
        False,
        separate["decisions"][0]["author"],
    )
    assert (await admin.get(second)).status_code == 404

    merged = await decide(admin, "merge", item["id"])
    assert merged["trial"]["identifier"] == "NCT90000007"
    assert (await admin.get(second)).json()["id"] == before["id"]
    undone = (await post(admin, item["id"], "undo")).json()
    assert [one["answer"] for one in undone["decisions"]] == ["separate", "merge"]
    assert (await post(admin, item["id"], "undo")).json()["code"] == "nothing_to_undo"
    after = (await admin.get(first)).json()
    assert {**after, "version": 0, "updated_at": ""} == {**before, "version": 0, "updated_at": ""}


async def test_a_record_without_any_sign_is_taken_or_left_by_a_person(
    admin: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    bare = {"identificationModule": {"nctId": NUMBER, "briefTitle": "XY-101 in Sickle Cell Disease"}}
    record = study(NUMBER, **bare)
    for name in ("armsInterventionsModule", "descriptionModule"):
        record["protocolSection"].pop(name, None)
    cursor = await now(admin)
    assert [one["result"] for one in (await send(admin, record))["results"]] == ["quarantined"]
    assert [one["type"] for one in await events_since(admin, cursor)] == ["review.opened"]
    assert (await admin.get(TRIAL)).status_code == 404
    (item,) = await queue(admin, kind="quarantine")
    assert (item["record"]["source_id"], [one["code"] for one in item["reasons"]]) == (NUMBER, ["no_sign"])
    await decide(admin, "leave", item["id"])
    assert await queue(admin) == []
    assert [one["result"] for one in (await send(admin, record))["results"]] == ["quarantined"]
    assert (await post(admin, item["id"], "undo")).json()["since"] == item["since"]
    await decide(admin, "take", item["id"])
    assert [one["id"][:6] for one in await queue(admin)] == ["scope:"]
    assert (await admin.get(TRIAL)).json()["state"] == "in_review"
    undone = await post(admin, item["id"], "undo")
    assert (undone.status_code, [one["answer"] for one in undone.json()["decisions"]]) == (200, ["leave", "take"])
    assert (await admin.get(TRIAL)).json()["state"] == "archived"
    assert (await public.get(TRIAL)).status_code == 404


async def test_two_people_confirm_outdated_criteria_or_one_has_them_drafted_again(
    admin: httpx.AsyncClient, second: httpx.AsyncClient
) -> None:
    await send(admin, dated("2025-01-01"))
    criteria = f"{TRIAL}/criteria"
    draft = (await admin.get(criteria)).json()
    signed = {
        "trial": NUMBER, "grade": "signed", "source_version": "protocol 4.0", "authored_by": "A. Author",
        "signed_by": "B. Signer", "signed_by_rpps": "10001234565", "signed_at": "2026-01-01T00:00:00Z",
        "criteria": [one for one in draft["criteria"] if one["kind"] != "unclear"],
    }  # fmt: skip
    answer = await admin.put(criteria, json=signed, headers={"If-Match": '"v1"'})
    assert answer.status_code == 200, answer.text
    await send(admin, dated("2025-02-01", eligibilityModule={"minimumAge": "5 Years"}))
    (item,) = await queue(admin, kind="outdated_criteria")

    async def head() -> tuple[str, bool]:
        found = (await admin.get(TRIAL)).json()["criteria"]
        return found["grade"], found["outdated"]

    await decide(admin, "still_valid", item["id"])
    assert await head() == ("signed", True)
    await decide(second, "still_valid", item["id"])
    assert (await head(), await queue(admin)) == (("signed", False), [])
    assert (await post(admin, item["id"], "undo")).status_code == 200
    assert (await head(), len(await queue(admin))) == (("signed", True), 1)
    await decide(admin, "draft_again", item["id"])
    assert (await head(), await queue(admin)) == (("registry", False), [])
    assert (await post(admin, item["id"], "undo")).status_code == 200
    assert await head() == ("signed", True)
    assert (await admin.get(criteria)).json()["version"] == 4


async def test_a_corrected_gate_judges_accepted_trials_again_and_a_persons_decision_stays(
    app: FastAPI, admin: httpx.AsyncClient, public: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(admin, study(), study("NCT90000002"))
    await decide(admin, "in_scope")
    rules: TrialRules = app.state.trial_rules
    refuses = ScopeAnswer(answer="out_of_scope", reasons=[])
    app.state.trial_rules = replace(rules, scope=lambda *_: refuses)
    monkeypatch.setattr(importing, "rules_version", lambda: "corrected")
    cursor = await now(admin)
    reread = await admin.post("/registry/v1/sources/ctgov/reread", headers={"Idempotency-Key": uuid.uuid4().hex})
    assert reread.status_code == 200, reread.text
    # Of the trial that a person decided on readers see no change, so there is no event.
    assert [(one["type"], one["data"]["identifier"]) for one in await events_since(admin, cursor)] == [
        ("trial.withdrawn", "NCT90000002")
    ]
    assert (await public.get("/registry/v1/trials/NCT90000002")).status_code == 404
    assert (await public.get(TRIAL)).json()["scope"]["by"] == "person"


async def test_other_rules_reach_trials_that_no_source_reads_again(
    app: FastAPI, admin: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    again = "/registry/v1/sources/merge-again"

    async def merge_again(**query: str) -> dict[str, Any]:
        counted: dict[str, Any] = {}
        after: str | None = ""
        while after is not None:
            headers = {"Idempotency-Key": uuid.uuid4().hex}
            answer = await admin.post(again, params={**query, "after": after, "limit": "10"}, headers=headers)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            after = page["next"]
            counted = {name: counted.get(name, 0) + number for name, number in page["counts"].items()} | {
                name: number for name, number in counted.items() if name not in page["counts"]
            }
        return counted

    await merge_again()
    rules: TrialRules = app.state.trial_rules
    refuses = ScopeAnswer(answer="out_of_scope", reasons=[])
    app.state.trial_rules = replace(rules, scope=lambda *_: refuses, version="corrected")
    path = "/registry/v1/trials/CLEIO-DEMO-0001"
    assert (await public.get(path)).status_code == 200
    would = await merge_again(dry_run="true")
    assert (set(would), (await public.get(path)).status_code) == ({"updated"}, 200)
    assert await merge_again() == would
    assert ((await public.get(path)).status_code, await merge_again()) == (404, {})
    assert (await admin.get(f"{path}/history")).json()["items"][0]["source"] == "rules"


async def test_the_public_history_shows_only_what_was_public_then(
    admin: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    await send(admin, dated("2025-01-01"))
    older = {"minimumAge": "5 Years", "eligibilityCriteria": "Inclusion Criteria:\n\n* Never public"}
    await send(admin, dated("2025-02-01", eligibilityModule=older, **CANCER))
    await send(admin, dated("2025-03-01"))
    versions = [[one["version"] for one in await items(client, "history")] for client in (admin, public)]
    assert versions == [[3, 2, 1], [3, 1]]
    for version, expected in ((1, 200), (2, 404), (3, 200)):
        path = f"{TRIAL}/criteria?version={version}"
        assert ((await public.get(path)).status_code, (await admin.get(path)).status_code) == (expected, 200)


async def test_the_migration_finds_what_waits_and_what_was_public(database_url: str) -> None:
    async with running_registry(database_url, sample=False) as app, client_of(app, token=ADMIN) as admin:
        await send(admin, dated("2025-01-01"))
        await send(admin, dated("2025-02-01", **UNCLEAR))
        await send(admin, dated("2025-03-01"), study("NCT90000002", **UNCLEAR))
    database = open_database(database_url)
    await downgrade(database, "0010")
    await upgrade(database, MIGRATIONS, METADATA)
    await database.close()
    async with running_registry(database_url, sample=False) as app:
        async with client_of(app, token=ADMIN) as admin:
            (item,) = await queue(admin)
            assert item["trial"]["identifier"] == "NCT90000002"
            assert (await admin.get(TRIAL)).json()["scope"]["by"] == "gate"
        async with client_of(app) as public:
            assert [one["version"] for one in await items(public, "history")] == [3, 1]
            assert (await public.get(f"{TRIAL}/criteria?version=2")).status_code == 404
