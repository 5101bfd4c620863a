"""Rate limits and load shedding of a real service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from services.registry.app import METADATA, MIGRATIONS, create_app
from services.registry.settings import RegistrySettings
from shared.http.limits.concurrency import ANONYMOUS, IDENTIFIED, Occupant
from shared.persistence import open_database
from shared.persistence.migrations import upgrade
from tests.conftest import ADMIN, INTERNAL, client_of

pytestmark = pytest.mark.anyio

TRIALS = "/registry/v1/trials?limit=1"


@asynccontextmanager
async def registry(folder: Path, **settings: Any) -> AsyncIterator[FastAPI]:
    url = f"sqlite:///{folder / 'registry.db'}"
    database = open_database(url)
    await upgrade(database, MIGRATIONS, METADATA)
    await database.close()
    app = create_app(RegistrySettings(database_url=url, **settings))
    async with app.router.lifespan_context(app):
        yield app


async def test_quota_headers_and_the_refusal_with_retry_after(tmp_path: Path) -> None:
    async with registry(tmp_path, CLEIO_RATE_READ=3) as app, client_of(app, address="203.0.113.9") as caller:
        answers = [await caller.get(TRIALS) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"read";q=3;w=60'}
        assert [answer.headers["ratelimit"] for answer in answers] == [
            '"read";r=2;t=20',
            '"read";r=1;t=20',
            '"read";r=0;t=20',
            '"read";r=0;t=20',
        ]
        refused = answers[-1]
        assert (refused.headers["retry-after"], refused.json()["code"]) == ("20", "rate_limited")
        assert refused.headers["content-type"] == "application/problem+json"
        # Other callers are not affected: other addresses, other kinds, this machine, the services, and health routes.
        async with (
            client_of(app, address="203.0.113.10") as neighbour,
            client_of(app, token=ADMIN) as admin,
            client_of(app, token=INTERNAL) as service,
        ):
            assert (await neighbour.get(TRIALS)).status_code == 200
            assert (await admin.get(TRIALS)).headers["ratelimit-policy"] == '"read";q=3000;w=60'
            assert "ratelimit" not in (await service.get(TRIALS)).headers
        assert (await caller.get("/registry/livez")).status_code == 200
        assert (await caller.patch("/registry/v1/trials/X", json={})).status_code == 401


async def test_a_flood_of_invalid_tokens_and_requests_is_counted(tmp_path: Path) -> None:
    async with registry(tmp_path, CLEIO_RATE_READ=3) as app:
        async with client_of(app, address="203.0.113.9", token="guess") as forger:
            assert [(await forger.get(TRIALS)).status_code for _ in range(4)] == [401, 401, 401, 429]
        async with client_of(app, address="203.0.113.10") as caller:
            assert [(await caller.get("/registry/v1/trials?no=1")).status_code for _ in range(4)] == [
                400,
                400,
                400,
                429,
            ]


async def test_expensive_requests_cost_more_of_the_quota(tmp_path: Path) -> None:
    async with (
        registry(tmp_path, CLEIO_RATE_READ=100) as app,
        client_of(app, address="203.0.113.9") as caller,
    ):

        async def left(path: str) -> int:
            return int((await caller.get(path)).headers["ratelimit"].partition("r=")[2].partition(";")[0])

        assert await left(TRIALS) == 99
        assert await left("/registry/v1/trials?q=x&count=exact") == 95
        assert await left("/registry/v1/trials?q=x&count=exact") == 91, "an answer from the cache costs the same"
        assert await left("/registry/v1/export") == 31
        refused = await caller.get("/registry/v1/export")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert int(refused.headers["retry-after"]) in range(15, 19)
        assert await left(TRIALS) in {30, 31}, "cheap requests are still served"


async def test_the_public_leaves_room_for_identified_callers_and_services(tmp_path: Path) -> None:
    async with registry(tmp_path, CLEIO_MOST_WORKING=10) as app, AsyncExitStack() as stack:
        public = await stack.enter_async_context(client_of(app, address="203.0.113.9"))
        other = await stack.enter_async_context(client_of(app, address="203.0.113.10"))
        admin = await stack.enter_async_context(client_of(app, token=ADMIN))
        service = await stack.enter_async_context(client_of(app, token=INTERNAL))
        path = "/registry/v1/holds"

        async def served() -> list[bool]:
            return [(await one.get(path)).status_code == 200 for one in (public, other, admin, service)]

        def occupy(count: int, occupant: Occupant) -> None:
            for _ in range(count):
                permit = app.state.load.permit(occupant)
                permit.take("working")
                stack.callback(permit.leave)

        assert await served() == [True, True, True, True]
        occupy(3, Occupant("anonymous", "203.0.113.9"))
        assert await served() == [False, True, True, True]
        occupy(3, ANONYMOUS)
        assert await served() == [False, False, True, True]
        occupy(3, IDENTIFIED)
        assert await served() == [False, False, False, True]


async def test_a_busy_process_refuses_requests_and_is_still_alive(tmp_path: Path) -> None:
    async with registry(tmp_path, CLEIO_MOST_WORKING=2, CLEIO_MOST_WAITING=2) as app, AsyncExitStack() as stack:
        caller = await stack.enter_async_context(client_of(app))
        newest = (await caller.get("/registry/v1/feed?limit=1000")).links["next"]["url"]
        polls = [asyncio.create_task(caller.get(newest, params={"wait": 20})) for _ in range(2)]
        while app.state.load._count["waiting"] < 2:  # noqa: ASYNC110 - a counter has no event
            await asyncio.sleep(0.005)
        shed = await caller.get(newest, params={"wait": 20})
        assert (shed.status_code, shed.json()["code"], shed.headers["retry-after"]) == (503, "overloaded", "1")
        # A waiting reader of the feed does not occupy a permit.
        assert (await caller.get(TRIALS)).status_code == 200
        for poll in polls:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)
        permits = stack.enter_context(_busy(app))
        refused = await caller.get(TRIALS)
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert (await caller.get("/registry/readyz")).status_code == 200
        permits.close()
        assert (await caller.get(TRIALS)).status_code == 200


def _busy(app: FastAPI) -> Any:
    """Occupy the permits of two requests."""
    from contextlib import ExitStack

    stack = ExitStack()
    for _ in range(2):
        place = app.state.load.permit()
        place.take("working")
        stack.callback(place.leave)
    return stack
