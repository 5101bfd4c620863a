"""Anonymous reads, from the cache or by one statement, are always equal to the answer of the route itself."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.registry.app import create_app
from services.registry.schema import FEED
from services.registry.settings import RegistrySettings
from tests.conftest import ADMIN, client_of, token_of
from tests.contract.registry import running_registry

pytestmark = pytest.mark.anyio

TRIAL = "/registry/v1/trials/NCT03745287"
MERGE_PATCH = {"Content-Type": "application/merge-patch+json", "If-Match": "*", "Authorization": f"Bearer {ADMIN}"}
# A condition in which no disease is recognised goes to review: until then the trial is not public.
WITHDRAW = {"conditions": [{"text": "R/R MM"}]}
PUBLISH = {"conditions": [{"code": "ORPHA:275752", "text": "Sickle cell disease"}]}
PARTS: dict[str, tuple[str, ...]] = {
    "q": ("", "sickle", "drépano", "d", "zzz", "...", "thérapie génique", "a" * 200, "a" * 201, "%00"),
    "status": ("", "recruiting", "open"),
    "condition": ("", "ORPHA:275752", "ORPHA:232", "x" * 81),
    "country": ("", "FR", "fr"),
    "centre": ("", "fr-necker"),
    "sample": ("", "none", "all"),
    "count": ("", "exact", "yes"),
    "limit": ("", "1", "7", "0", "201", "x"),
}


@pytest.fixture
async def registry(stocked_url: str) -> AsyncIterator[FastAPI]:
    async with running_registry(stocked_url) as app:
        yield app


def queries() -> list[str]:
    """Return each parameter alone, each pair of parameters, and forms that a route refuses."""
    alone = [f"{name}={value}" for name, values in PARTS.items() for value in values if value]
    first = {name: values[1] for name, values in PARTS.items()}
    pairs = [f"{a}={first[a]}&{b}={first[b]}" for a, b in itertools.combinations(PARTS, 2)]
    return ["", *alone, *pairs, "limit=3&limit=3", "unknown=1", "q=%FF", "cursor=x", "limit=2&"]


PATHS = [*(f"/registry/v1/trials?{one}" for one in queries()), TRIAL, f"{TRIAL}?x=1", "/registry/v1/trials/no"]


async def test_every_list_equals_the_answer_of_its_route(registry: FastAPI) -> None:
    reads = registry.state.public_reads
    async with client_of(registry) as anyone:
        for path in [
            *(f"/registry/v1/trials?{query}" for query in queries()),
            TRIAL,
            f"{TRIAL}?x=1",
            "/registry/v1/trials/no",
        ]:
            found = []
            for known in (reads, (), reads):
                registry.state.public_reads = known
                registry.state.database.wake()  # no former answer is cached
                found.append(comparable(await anyone.get(path)))
            assert found[0] == found[1] == found[2], path
            assert comparable(await anyone.get(path)) == found[1], f"{path}, from the cache"


def comparable(answer: httpx.Response) -> tuple[int, Any, dict[str, str]]:
    """Return status, body and headers, without headers that differ from call to call."""
    apart = {"x-request-id", "ratelimit", "content-length"}
    body = answer.json() if answer.content else None
    if isinstance(body, dict):
        body.pop("instance", None)
    return answer.status_code, body, {name: value for name, value in answer.headers.items() if name not in apart}


async def test_pages_follow_each_other_to_the_end(registry: FastAPI) -> None:
    async with client_of(registry) as anyone:
        seen, path = [], "/registry/v1/trials?limit=4"
        while path:
            page = (await anyone.get(path)).json()
            seen += [one["identifier"] for one in page["items"]]
            path = f"/registry/v1/trials?limit=4&cursor={page['next']}" if page["next"] else ""
        assert len(seen) == len(set(seen)) == 18


async def test_head_304_and_quota_headers_are_as_for_every_request(registry: FastAPI) -> None:
    async with client_of(registry) as anyone:
        first = await anyone.get(TRIAL)
        again = await anyone.get(TRIAL)
        head = await anyone.head(TRIAL)
        unchanged = await anyone.get(TRIAL, headers={"If-None-Match": first.headers["etag"]})
    assert again.content == first.content
    assert head.content == b""
    assert head.headers["content-length"] == str(len(first.content))
    assert unchanged.status_code == 304
    assert all('"read";r=' in one.headers["ratelimit"] for one in (first, again, head, unchanged))


async def test_a_used_up_quota_refuses_cached_answers_too(stocked_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEIO_RATE_READ", "1")
    monkeypatch.setenv("CLEIO_RATE_LOOPBACK_FACTOR", "5")
    async with running_registry(stocked_url) as app, client_of(app) as anyone:
        answers = [(await anyone.get(TRIAL)).status_code for _ in range(7)]
    assert answers == [200] * 5 + [429] * 2


async def test_a_request_with_credentials_is_answered_by_the_route(registry: FastAPI) -> None:
    async with client_of(registry) as anyone:
        await anyone.get(TRIAL)
        for value in ("Bearer wrong", "Basic eA==", f"Bearer {token_of('hospital')}"):
            answer = await anyone.get(TRIAL, headers={"Authorization": value})
            assert answer.status_code == (200 if "wrong" not in value and "Basic" not in value else 401)
        assert (await anyone.get(TRIAL, headers={"Accept": "text/html"})).status_code == 406


async def test_a_process_that_acknowledged_a_withdrawal_never_serves_the_trial_again(registry: FastAPI) -> None:
    """Readers keep the cache filled while a writer withdraws and publishes the trial repeatedly."""
    stop = asyncio.Event()

    async def read_all_the_time(client: httpx.AsyncClient) -> None:
        while not stop.is_set():
            await asyncio.gather(*(client.get(path) for path in (TRIAL, "/registry/v1/trials?limit=50")))

    async with client_of(registry) as anyone:
        readers = [asyncio.create_task(read_all_the_time(anyone)) for _ in range(3)]
        try:
            for _ in range(10):
                assert (await anyone.patch(TRIAL, json=WITHDRAW, headers=MERGE_PATCH)).status_code == 200
                for _ in range(3):
                    assert (await anyone.get(TRIAL)).status_code == 404
                    listed = (await anyone.get("/registry/v1/trials?limit=50")).json()["items"]
                    assert "NCT03745287" not in {one["identifier"] for one in listed}
                assert (await anyone.patch(TRIAL, json=PUBLISH, headers=MERGE_PATCH)).status_code == 200
                assert (await anyone.get(TRIAL)).status_code == 200
        finally:
            stop.set()
            await asyncio.gather(*readers)


@pytest.mark.parametrize("stocked_url", ["postgresql"], indirect=True)
async def test_other_replicas_stop_serving_it_too(
    stocked_url: str, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str, object], None]
) -> None:
    """With a notification within milliseconds, without one at the next poll of the feed's head."""
    async with AsyncExitStack() as running:
        apps = [create_app(RegistrySettings(database_url=stocked_url, load_sample=True)) for _ in range(2)]
        for app in apps:
            await running.enter_async_context(app.router.lifespan_context(app))
        here, there = [await running.enter_async_context(client_of(app)) for app in apps]
        waited = []
        for turn in range(6):
            while apps[1].state.database.revision.current() is None:  # noqa: ASYNC110  a condition, not an event
                await asyncio.sleep(0.01)
            assert [(await there.get(TRIAL)).status_code for _ in range(3)] == [200, 200, 200]
            if turn == 3:
                # From here on the other replica gets no notification.
                monkeypatch.setattr(FEED, "channel", "nobody_listens")
            assert (await here.patch(TRIAL, json=WITHDRAW, headers=MERGE_PATCH)).status_code == 200
            began = time.perf_counter()
            while (await there.get(TRIAL)).status_code == 200:
                await asyncio.sleep(0.01)
                assert time.perf_counter() - began < 30
            waited.append(time.perf_counter() - began)
            assert (await here.patch(TRIAL, json=PUBLISH, headers=MERGE_PATCH)).status_code == 200
            while (await there.get(TRIAL)).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        figure("withdrawn elsewhere, s until another replica stops, notified", f"{max(waited[:3]):.3f}")
        figure("withdrawn elsewhere, s until another replica stops, not notified", f"{max(waited[3:]):.3f}")
