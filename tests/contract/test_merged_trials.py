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
from tests.contract.registry import running_registry
from tests.contract.test_merge import FORMS, NUMBER, at, dated, outcome, place, step
from tests.contract.test_registry import events_since, now
from tests.contract.test_sources import send

pytestmark = pytest.mark.anyio

TRIALS = "/registry/v1/trials"
FIRST, SECOND = "NCT91000001", "NCT91000002"
TOULOUSE = place("CHU de Toulouse", "Toulouse", "RECRUITING")
OTHER_FORMS = (
    dated("2024-02-01", **at(TOULOUSE), identificationModule={"nctId": NUMBER, "acronym": "Z", "briefTitle": "Gene therapy"}),
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
    for example in range(5):
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
        for f, e in zip(found, expected):
            for k in f:
                if f[k] != e[k]: print("DIFF", k, f[k], e[k])
        assert found == expected, order


async def test_a_merged_trial_answers_as_the_other_one_and_the_followers_of_both_are_told(
    admin: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    await send(admin, of(FIRST, dated("2025-01-01", **at(TOULOUSE))), of(SECOND, dated("2025-01-01")))
    one, other = [(await public.get(f"{TRIALS}/{number}")).json() for number in (FIRST, SECOND)]
    cursor = await now(public)
    dry = await merge(admin, FIRST, SECOND, dry_run="true")
    assert (dry["merged"], dry["into"], dry["changed"]) == (one["id"], other["id"], ["identifiers", "sites"])
    assert (await public.get(f"{TRIALS}/{FIRST}")).json() == one
    assert await events_since(public, cursor) == []
    await merge(admin, FIRST, SECOND, version=f'"v{one["version"]}"')
