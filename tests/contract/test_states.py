"""States, owners and the past of trials, over HTTP."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from services.registry.trials.tables import trial_versions
from tests.conftest import ADMIN, client_of, token_of
from tests.contract.registry import running_registry
from tests.contract.test_merge import dated, items, patch
from tests.contract.test_registry import a_trial, events_since, now
from tests.contract.test_reviews import NUMBER, TRIAL, UNCLEAR, decide, queue
from tests.contract.test_sources import send

pytestmark = pytest.mark.anyio

STATE = f"{TRIAL}/state"
CLOSED = {"overallStatus": "COMPLETED"}


@pytest.fixture
async def app(stocked_url: str) -> AsyncIterator[FastAPI]:
    async with running_registry(stocked_url) as app:
        yield app


@pytest.fixture
async def admin(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, token=ADMIN) as client:
        yield client


@pytest.fixture
async def second(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, token=token_of("coordination", "editor", client="second")) as client:
        yield client


@pytest.fixture
async def public(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


async def act(client: httpx.AsyncClient, action: str, trial: str = TRIAL, expected: int = 200) -> dict[str, Any]:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"action": action, "reason": "the sponsor asked"}
    answer = await client.post(f"{trial}/state", json=body, headers=headers)
    assert answer.status_code == expected, answer.text
    return dict(answer.json())


async def kinds(client: httpx.AsyncClient, cursor: str) -> list[str]:
    return [one["type"] for one in await events_since(client, cursor)]


async def test_a_person_withdraws_at_once_and_two_publish_again(
    admin: httpx.AsyncClient, second: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    await send(admin, dated("2025-01-01"))
    cursors = (await now(admin), await now(public))
    withdrawn = await act(admin, "withdraw")
    assert (withdrawn["state"], withdrawn["scope"]["answer"]) == ("withdrawn", "in_scope")
    assert [await kinds(admin, cursors[0]), await kinds(public, cursors[1])] == [["trial.withdrawn"], ["trial.removed"]]
    assert (await public.get(TRIAL)).status_code == 404
    assert await queue(admin) == []
    # It stays withdrawn whatever its sources say, and that they changed is a notice.
    await send(admin, dated("2025-02-01", status=CLOSED))
    trial = (await admin.get(TRIAL)).json()
    assert (trial["state"], trial["status"], trial["published"]) == ("withdrawn", "completed", False)
    (item,) = await queue(admin, kind="state")
    assert [reason["code"] for reason in item["reasons"]] == ["withdrawn_changed"]
    assert (await decide(second, "withdraw", item["id"]))["since"] is None

    for _ in range(2):
        waiting = await act(admin, "publish")
        assert (waiting["state"], waiting["waiting"]["action"]) == ("withdrawn", "publish")
    (item,) = await queue(admin, kind="state")
    assert [reason["code"] for reason in item["reasons"]] == ["second_person"]
    cursor = await now(admin)
    assert (await decide(second, "publish", item["id"]))["trial"]["state"] == "published"
    assert await kinds(admin, cursor) == ["review.decided", "trial.published", "review.closed"]
    assert (await public.get(TRIAL)).json()["state"] == "published"

    await act(admin, "archive")
    assert (await act(admin, "publish", expected=409))["code"] == "wrong_state"
    assert (await act(admin, "restore"))["state"] == "withdrawn"
    answers = [one["answer"] for one in (await admin.get(STATE)).json()["decisions"]]
    assert answers == ["withdraw", "withdraw", "publish", "publish", "publish", "archive", "restore"]
    assert (await public.get(STATE)).status_code == 401


async def test_to_publish_what_is_unclear_decides_on_its_scope_too(
    admin: httpx.AsyncClient, second: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    await send(admin, dated("2025-01-01", **UNCLEAR))
    assert (await act(admin, "publish"))["state"] == "in_review"
    published = await act(second, "publish")
    assert (published["state"], published["scope"]["by"]) == ("published", "person")
    assert (await public.get(TRIAL)).status_code == 200
    assert await queue(admin) == []


async def test_a_draft_is_published_by_two_people_and_has_an_owner(
    admin: httpx.AsyncClient, second: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    trial = "/registry/v1/trials/NCT90000005"
    created = await admin.put(
        trial, params={"as_draft": "true"}, json=a_trial("NCT90000005"), headers={"If-None-Match": "*"}
    )
    assert (created.status_code, created.json()["state"]) == (201, "draft")
    assert (await public.get(trial)).status_code == 404
    sponsor = {"kind": "sponsor", "name": "A sponsor", "status": "active"}
    organisation = "/registry/v1/organisations/a-sponsor"
    assert (await admin.put(organisation, json=sponsor, headers={"If-None-Match": "*"})).status_code == 201
    for owner, status in (("nowhere", 422), ("a-sponsor", 200), (None, 200)):
        body, headers = {"owner": owner, "reason": "agreed"}, {"Idempotency-Key": uuid.uuid4().hex}
        answer = await admin.post(f"{trial}/owner", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        assert status != 200 or answer.json()["owner"] == owner
    await act(admin, "publish", trial)
    assert (await act(second, "publish", trial))["state"] == "published"


async def test_versions_have_a_source_and_an_audience_and_are_compared(
    admin: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    await send(admin, dated("2025-01-01"))
    await patch(admin, {"titles": {"fr": "Un titre"}})
    await act(admin, "withdraw")
    await send(admin, dated("2025-02-01", status=CLOSED))
    history = await items(admin, "history")
    assert [(one["version"], one["source"], one["audience"]) for one in history] == [
        (4, "ctgov", "internal"), (3, "curated", "internal"), (2, "curated", "public"), (1, "ctgov", "public"),
    ]  # fmt: skip
    assert [one["author"] is None for one in history] == [True, False, False, True]
    assert (await public.get(f"{TRIAL}/history")).status_code == 404
    diff = (await admin.get(f"{TRIAL}/history/diff", params={"from": "1"})).json()
    assert (diff["from"], diff["to"]) == (1, 4)
    found = {one["path"]: (one["before"], one["after"], one["source"]) for one in diff["items"]}
    assert found["titles.fr"] == (None, "Un titre", "curated")
    assert found["state"] == ("published", "withdrawn", "curated")
    assert found["status"][1:] == ("completed", "ctgov")
    assert {one["author"] for one in diff["items"] if one["source"] == "ctgov"} == {None}
    assert (await admin.get(f"{TRIAL}/history/diff", params={"from": "9"})).status_code == 404


async def test_the_public_sees_no_version_of_a_time_when_the_trial_was_not_public(
    app: FastAPI, admin: httpx.AsyncClient, second: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    await send(admin, dated("2025-01-01"))
    await act(admin, "withdraw")
    await patch(admin, {"titles": {"fr": "Un titre"}})
    await act(admin, "publish")
    await act(second, "publish")
    key = (await admin.get(TRIAL)).json()["id"]
    # As if each version had been made on a day of its own.
    days = [datetime(2026, 1, day, 12, tzinfo=UTC) for day in range(1, 5)]
    async with app.state.database.transaction(as_service=True) as connection:
        for version, at in enumerate(days, start=1):
            this = (trial_versions.c.trial_key == key, trial_versions.c.version == version)
            await connection.execute(update(trial_versions).where(*this).values(at=at))
    assert [one["version"] for one in await items(public, "history")] == [4, 1]
    diff = (await public.get(f"{TRIAL}/history/diff")).json()
    assert (diff["from"], diff["to"], [one["path"] for one in diff["items"]]) == (1, 4, ["titles.fr"])
    assert {one["author"] for one in diff["items"]} == {None}
    assert (await public.get(f"{TRIAL}/history/diff", params={"from": "2"})).status_code == 404
    for place, (day, seen_version) in enumerate(zip(days, (1, None, None, 4), strict=True), start=1):
        query = {"as_of": day.date().isoformat()}
        seen, inside = await public.get(TRIAL, params=query), await admin.get(TRIAL, params=query)
        assert (inside.json()["version"], seen.status_code) == (place, 200 if seen_version else 404)
        assert seen_version is None or seen.headers["etag"] == f'"v{seen_version}"'
    before = (days[0] - timedelta(days=1)).date().isoformat()
    assert (await admin.get(TRIAL, params={"as_of": before})).status_code == 404
    assert NUMBER in (await public.get(TRIAL)).text
