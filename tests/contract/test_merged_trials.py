"""People merge and separate trials and assign records, over HTTP."""

import json
import random
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.registry.sources import ctgov_reader
from tests.conftest import ADMIN, client_of
from tests.contract.matching import CRITERIA
from tests.contract.registry import running_registry
from tests.contract.test_merge import FORMS, NUMBER, at, dated, outcome, place, step
from tests.contract.test_registers import EUDRACT, ISRCTN, isrctn
from tests.contract.test_registry import events_since, now
from tests.contract.test_sources import send

pytestmark = pytest.mark.anyio

TRIALS = "/registry/v1/trials"
FIRST, SECOND = "NCT91000001", "NCT91000002"
TOULOUSE = place("CHU de Toulouse", "Toulouse", "RECRUITING")
OTHER_FORMS = (
    dated(
        "2024-02-01",
        **at(TOULOUSE),
        identificationModule={"nctId": NUMBER, "acronym": "Z", "briefTitle": "Gene therapy"},
    ),
    dated("2024-07-01", status={"overallStatus": "COMPLETED"}, designModule={"phases": ["PHASE2"]}),
)


@pytest.fixture
async def app(stocked_url: str) -> AsyncIterator[FastAPI]:
    async with running_registry(stocked_url) as app:
        yield app


@pytest.fixture
async def admin(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, token=ADMIN) as client:
        yield client


@pytest.fixture
async def public(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


def of(number: str, form: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(form).replace(NUMBER, number)))


async def post(client: httpx.AsyncClient, path: str, body: Any = None, *, version: str = "*", **query: str) -> Any:
    headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": version}
    answer = await client.post(f"/registry/v1/{path}", json=body, headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post_fails(client: httpx.AsyncClient, path: str, body: Any = None) -> str:
    headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": "*"}
    answer = await client.post(f"/registry/v1/{path}", json=body, headers=headers)
    assert answer.status_code == 409, answer.text
    return str(answer.json()["code"])


async def patch(admin: httpx.AsyncClient, number: str, changes: dict[str, Any]) -> None:
    headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    answer = await admin.patch(f"{TRIALS}/{number}", content=json.dumps(changes), headers=headers)
    assert answer.status_code == 200, answer.text


async def whole(admin: httpx.AsyncClient, number: str) -> dict[str, Any]:
    """Return all that is to be the same after a merge and a separation: not versions and times."""
    trial = (await admin.get(f"{TRIALS}/{number}")).json()
    parts = {
        what: (await admin.get(f"{TRIALS}/{number}/{what}")).json()["items"] for what in ("provenance", "conflicts")
    }
    sites = (await admin.get(f"{TRIALS}/{number}/sites")).json()["items"]
    known = [{**one, "version": 0} for one in sites if one["status"] != "unknown"]
    return {
        **trial,
        "version": 0,
        "updated_at": "",
        "criteria": {**trial["criteria"], "version": 0},
        **parts,
        "known": known,
    }


async def merge(admin: httpx.AsyncClient, one: str, other: str, **query: str) -> Any:
    return await post(admin, f"trials/{one}/merge", {"into": other, "reason": "one protocol"}, **query)


async def unmerge(admin: httpx.AsyncClient, one: str, **query: str) -> Any:
    return await post(admin, f"trials/{one}/unmerge", {"reason": "two protocols"}, **query)


async def test_what_becomes_known_of_merged_trials_in_any_order_is_there_when_they_are_separated(
    admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    expected = None
    steps: list[tuple[str, str, int]] = [
        *(("A", "form", one) for one in (0, 1, 3)),
        *(("A", "state", one) for one in (0, 1, 2)),
        ("A", "withdraw", 1),
        ("A", "declare", 0),
        *(("B", "form", one) for one in range(len(OTHER_FORMS))),
        *(("B", "state", one) for one in (0, 2)),
        ("B", "reread", 0),
    ]
    for example in range(4):
        numbers = {"A": f"NCT92000{example:03}", "B": f"NCT93000{example:03}"}
        chance.shuffle(steps)
        order = [("A", "form", 0), ("B", "form", 0), *steps]
        if order.index(("A", "withdraw", 1)) < order.index(("A", "state", 1)):
            order.remove(("A", "withdraw", 1))
            order.append(("A", "withdraw", 1))
        made: dict[str, dict[int, int]] = {"A": {}, "B": {}}
        monkeypatch.setattr(ctgov_reader, "READER_VERSION", 2000 + example)
        merged = False
        for trial, one, which in order:
            # What people say of merged trials, they say of the one that stays.
            by_person = trial == "A" and one in {"state", "withdraw", "declare"}
            if merged and (by_person or chance.random() < 0.4):
                await unmerge(admin, numbers["A"])
                merged = False
            elif example and not merged and not by_person and made["B"] and chance.random() < 0.6:
                await merge(admin, numbers["A"], numbers["B"])
                merged = True
            if one == "form":
                form = (FORMS if trial == "A" else OTHER_FORMS)[which]
                await send(admin, of(numbers[trial], form))
            else:
                await step(admin, numbers[trial], one, which, made[trial])
        if merged:
            await unmerge(admin, numbers["A"])
        found = [await outcome(admin, number) for number in numbers.values()]
        names = [(await admin.get(f"{TRIALS}/{number}")).json()["identifiers"] for number in numbers.values()]
        assert names == [[{"type": "nct", "value": number}] for number in numbers.values()]
        expected = expected or found
        assert found == expected, order


async def test_a_merged_trial_answers_as_the_other_one_and_the_followers_of_both_are_told(
    admin: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    await send(admin, of(FIRST, dated("2025-01-01", **at(TOULOUSE))), of(SECOND, dated("2025-01-01")))
    one, other = [(await public.get(f"{TRIALS}/{number}")).json() for number in (FIRST, SECOND)]
    cursor = await now(public)
    dry = await merge(admin, FIRST, SECOND, dry_run="true")
    assert (dry["merged"], dry["into"], dry["not_used"]) == (one["id"], other["id"], [])
    assert set(dry["changed"]) >= {"identifiers", "sites"}
    assert (await public.get(f"{TRIALS}/{FIRST}")).json() == one
    assert await events_since(public, cursor) == []

    headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": '"v7"'}
    body = {"into": SECOND, "reason": "one protocol"}
    stale = await admin.post(f"{TRIALS}/{FIRST}/merge", json=body, headers=headers)
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    await merge(admin, FIRST, SECOND, version=f'"v{one["version"]}"')
    merged = (await public.get(f"{TRIALS}/{FIRST}")).json()
    assert (
        merged == (await public.get(f"{TRIALS}/{one['id']}")).json() == (await admin.get(f"{TRIALS}/{SECOND}")).json()
    )
    assert (merged["id"], merged["identifier"], merged["version"]) == (other["id"], SECOND, other["version"] + 1)
    assert {site["centre"] for site in merged["sites"]} == {"fr-toulouse"}
    for client in (admin, public):
        listed = (await client.get(TRIALS, params={"q": FIRST})).json()["items"]
        assert [trial["id"] for trial in listed] == [other["id"]]
        whole = (await client.get("/registry/v1/export")).text
        assert (f'"id":"{one["id"]}"' in whole, f'"id":"{other["id"]}"' in whole) == (False, True)
        ids = [trial["id"] for trial in (await client.get(TRIALS, params={"limit": "200"})).json()["items"]]
        assert (one["id"] in ids, other["id"] in ids) == (False, True)
    for number in (FIRST, SECOND):
        found = [
            event for event in await events_since(public, f"{cursor}&trial={number}") if event["subject"][:5] == "trial"
        ]
        (news,) = [event for event in found if event["type"] == "trial.merged"]
        assert (news["subject"], news["data"]["into"]) == (f"trial/{one['id']}", other["id"])
        kinds = [(event["type"], event["subject"]) for event in found]
        assert kinds.index(("trial.merged", news["subject"])) < kinds.index(("trial.removed", news["subject"]))
        assert ("trial.updated", f"trial/{other['id']}") in kinds
    assert (await post_fails(admin, f"trials/{SECOND}/unmerge", {"reason": "x"})) == "not_merged"
    assert (await post_fails(admin, f"trials/{FIRST}/merge", {"into": SECOND, "reason": "x"})) == "same_trial"
    assert (
        await post_fails(admin, f"trials/{SECOND}/merge", {"into": "CLEIO-DEMO-0001", "reason": "x"})
    ) == "not_mergeable"

    cursor = await now(public)
    await send(admin, of(FIRST, dated("2025-03-01", status={"overallStatus": "COMPLETED"}, **at(TOULOUSE))))
    await unmerge(admin, FIRST)
    assert (await public.get(f"{TRIALS}/{FIRST}")).json()["version"] == one["version"] + 2
    for before, number in ((one, FIRST), (other, SECOND)):
        after = (await public.get(f"{TRIALS}/{number}")).json()
        assert after["status"] == ("completed" if number == FIRST else "recruiting")
        own = {"version", "updated_at", "status", "dates", "criteria", "source_status"}
        assert {name: after[name] for name in after if name not in own} == {
            name: before[name] for name in before if name not in own
        }
    first = [(event["type"], event["subject"]) for event in await events_since(public, f"{cursor}&trial={FIRST}")]
    assert first.index(("trial.unmerged", f"trial/{other['id']}")) < first.index(
        ("trial.removed", f"trial/{other['id']}")
    )
    assert ("trial.published", f"trial/{one['id']}") in first
    second = [event["type"] for event in await events_since(public, f"{cursor}&trial={SECOND}")]
    assert "trial.unmerged" in second
    log = (await admin.get("/registry/v1/assignments", params={"trial": FIRST})).json()["items"]
    assert [entry["action"] for entry in log] == ["unmerged", "merged", "assigned"]
    assert (log[0]["reason"], log[1]["other"], log[2]["author"]) == ("two protocols", other["id"], None)


async def test_what_people_say_of_both_is_a_conflict_and_comes_back(admin: httpx.AsyncClient) -> None:
    await send(admin, of(FIRST, dated("2025-01-01")), of(SECOND, dated("2025-01-01")))
    for number, changes in (
        (FIRST, {"acronym": "ONE", "titles": {"fr": "Le premier"}, "status": "suspended"}),
        (SECOND, {"acronym": "TWO"}),
    ):
        await patch(admin, number, changes)
    for number, status in ((FIRST, "suspended"), (SECOND, "recruiting")):
        site = {"status": status, "slots": [{"cohort": "all", "open": 2}]}
        await admin.put(f"{TRIALS}/{number}/sites/fr-lille", json=site, headers={"If-None-Match": "*"})
    await admin.put(f"{TRIALS}/{FIRST}/sites/fr-toulouse", json=site, headers={"If-None-Match": "*"})
    signed = await admin.put(f"{TRIALS}/{FIRST}/criteria", json=CRITERIA, headers={"If-Match": "*"})
    assert signed.status_code == 200, signed.text
    before = [await whole(admin, number) for number in (FIRST, SECOND)]
    made = await merge(admin, FIRST, SECOND)
    assert made["not_used"] == ["criteria", "acronym", "sites/fr-lille"]
    assert (made["trial"]["criteria"]["grade"], before[0]["criteria"]["grade"]) == ("registry", "signed")
    assert [(one["path"], one["kind"], one["used"], one["other"]) for one in made["conflicts"]] == [
        ("acronym", "merged_statement", "TWO", "ONE")
    ]
    trial = made["trial"]
    assert (trial["acronym"], trial["titles"]["fr"], trial["status"]) == ("TWO", "Le premier", "suspended")
    sites = {one["centre"]: one for one in (await admin.get(f"{TRIALS}/{FIRST}/sites")).json()["items"]}
    assert (sites["fr-lille"]["status"], sites["fr-toulouse"]["slots"][0]["open"]) == ("recruiting", 2)
    origins = {one["path"]: one for one in (await admin.get(f"{TRIALS}/{FIRST}/provenance")).json()["items"]}
    assert (origins["titles.fr"]["stated_on"], origins["acronym"]["stated_on"]) == (made["merged"], None)
    assert origins["titles.fr"]["author"] == "coordination/coordination-client"
    # To keep the value, it is stated again by someone who knows of the other one.
    await patch(admin, SECOND, {"acronym": "TWO"})
    assert (await admin.get(f"{TRIALS}/{SECOND}/conflicts")).json()["items"] == []
    await admin.delete(f"{TRIALS}/{SECOND}/statements/2", headers={"If-Match": "*"})
    await unmerge(admin, FIRST)
    assert [await whole(admin, number) for number in (FIRST, SECOND)] == before


BRIDGE = {**isrctn(), "externalRefs": {"clinicalTrialsGovNumber": NUMBER, "eudraCTNumber": EUDRACT}}


async def send_isrctn(admin: httpx.AsyncClient) -> dict[str, Any]:
    path, media = "/registry/v1/sources/isrctn/trials", {"Content-Type": "application/x-ndjson"}
    return dict((await admin.put(path, content=json.dumps(BRIDGE), headers=media)).json()["results"][0])


async def test_a_record_goes_to_another_trial_with_its_own_numbers_and_back(admin: httpx.AsyncClient) -> None:
    await send(admin, dated("2025-01-01"), of(SECOND, dated("2025-01-01")))
    assert (await send_isrctn(admin))["trial"] == NUMBER
    record = f"sources/isrctn/records/{ISRCTN}"
    alone = (await admin.get(f"/registry/v1/{record}")).json()
    assert (alone["version"], alone["assignments"][0]["numbers"]) == (2, [NUMBER])
    only = "sources/ctgov/records/" + SECOND
    assert (await post_fails(admin, f"{only}/assign", {"trial": NUMBER, "reason": "x"})) == "last_record"
    before = [await whole(admin, number) for number in (NUMBER, SECOND)]

    moved = await post(admin, f"{record}/assign", {"trial": SECOND, "reason": "wrong number"}, version='"v2"')
    assert (moved["version"], moved["assignments"][-1]["reason"]) == (3, "wrong number")
    headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": '"v2"'}
    assert (await admin.post(f"/registry/v1/{record}/undo", headers=headers)).status_code == 412
    numbers = [[one["value"] for one in (await whole(admin, number))["identifiers"]] for number in (NUMBER, SECOND)]
    assert numbers == [[NUMBER], [SECOND, ISRCTN, EUDRACT]]
    assert (await admin.get(f"{TRIALS}/{ISRCTN}")).json()["id"] == moved["trial"] != alone["trial"]
    assert (await send_isrctn(admin))["trial_id"] == moved["trial"]
    await post(admin, f"{record}/undo")
    assert [await whole(admin, number) for number in (NUMBER, SECOND)] == before
    assert (await post_fails(admin, f"{record}/undo")) == "nothing_to_undo"

    # To a trial of its own, and back.
    new = await post(admin, f"{record}/assign", {"trial": None, "reason": "another study"})
    assert (await admin.get(f"{TRIALS}/{EUDRACT}")).json()["id"] == new["trial"] not in {alone["trial"], moved["trial"]}
    await post(admin, f"{record}/undo")
    assert [await whole(admin, number) for number in (NUMBER, SECOND)] == before
    assert (await admin.get(f"{TRIALS}/{new['trial']}")).status_code == 404

    # The log, replayed, gives the trial of each record.
    log = (await admin.get("/registry/v1/assignments", params={"limit": "200"})).json()["items"]
    replayed = {
        (one["source"], one["source_id"]): one["trial"] if one["action"] == "assigned" else None
        for one in reversed(log)
        if one["source"] is not None
    }
    for source, name in (("isrctn", ISRCTN), ("ctgov", NUMBER), ("ctgov", SECOND), ("sample", "CLEIO-DEMO-0001")):
        stored = (await admin.get(f"/registry/v1/sources/{source}/records/{name}")).json()
        assert replayed[source, name] == stored["trial"] is not None


async def test_a_record_that_only_a_merge_joined_waits_again_after_the_separation(admin: httpx.AsyncClient) -> None:
    for number, more in ((NUMBER, []), (SECOND, [{"id": EUDRACT, "type": "EUDRACT_NUMBER"}])):
        named = {"nctId": number, "briefTitle": "Gene therapy", "secondaryIdInfos": more}
        await send(admin, dated("2025-01-01", identificationModule=named))
    trial = (await admin.get(f"{TRIALS}/{SECOND}")).json()
    assert (await send_isrctn(admin))["result"] == "possible_duplicate"
    await merge(admin, NUMBER, SECOND)
    line = await send_isrctn(admin)
    assert (line["result"], line["trial_id"]) == ("updated", trial["id"])
    assert (await admin.get(f"{TRIALS}/{ISRCTN}")).json()["id"] == trial["id"]
    await unmerge(admin, NUMBER)
    after = (await admin.get(f"{TRIALS}/{SECOND}")).json()
    assert after["identifiers"] == trial["identifiers"]
    assert (await admin.get(f"{TRIALS}/{ISRCTN}")).status_code == 404
    waiting = (await admin.get("/registry/v1/reviews", params={"kind": "possible_duplicate"})).json()["items"]
    assert [one["record"]["source_id"] for one in waiting] == [ISRCTN]
