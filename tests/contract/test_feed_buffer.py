"""The shared buffer of the feed: the same answers as from the database, for less work."""

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import event, text

from services.connections import BoundedConnection
from services.registry.schema import FEED
from shared.access.policy import Access, Rows
from shared.access.principal import Principal
from shared.access.views import view_of
from shared.feed import Change, Position, Reader, Visibility
from shared.feed.buffer import MAX_INSPECTED, PAGE, FeedBuffer, FeedQuery
from shared.feed.changes import NOT_VISIBLE, Routing
from shared.persistence import Database
from tests.conftest import ADMIN, INTERNAL, client_of, token_of
from tests.contract.matching import until
from tests.contract.registry import running_registry
from tests.contract.row_security import seen_by

pytestmark = pytest.mark.anyio

FEED_PATH = "/registry/v1/feed"
AUDIENCES = ("public", "coordination", "authority", "service", "demo", "organisation:one", "organisation:two")
CONDITIONS = ("ORPHA:1", "ORPHA:2", "ORPHA:3")
AGES = ("adult", "child")
TYPES = ("trial.published", "trial.updated", "centre.updated")
CALLERS: tuple[tuple[Principal, Rows], ...] = (
    (Principal("public"), "published"),
    (Principal("service", on_loopback=True), "all"),
    (Principal("coordination", organisation="three"), "all"),
    (Principal("sponsor", organisation="one"), "published"),
    (Principal("hospital", organisation="two"), "published"),
)


@pytest.fixture
async def registry(stocked_url: str) -> AsyncIterator[FastAPI]:
    async with running_registry(stocked_url) as app:
        yield app


def some(chance: random.Random, values: tuple[str, ...], least: int = 0) -> frozenset[str]:
    return frozenset(chance.sample(values, chance.randint(least, len(values))))


def routing(chance: random.Random) -> Routing:
    if chance.random() < 0.2:
        return NOT_VISIBLE
    return Routing(some(chance, AUDIENCES), {"condition": some(chance, CONDITIONS), "age_band": some(chance, AGES)})


async def append_random(database: Database, chance: random.Random, count: int) -> None:
    changes = []
    for number in range(count):
        before = routing(chance)
        after = before if chance.random() < 0.3 else routing(chance)
        changes.append(Change(chance.choice(TYPES), f"trial/T{number % 40}", number, before, after, ("status",)))
    async with database.transaction(as_service=True) as connection:
        await FEED.append(connection, changes)


def queries(chance: random.Random, audiences: frozenset[str], service: bool) -> Iterator[FeedQuery]:
    for _ in range(5):
        wanted = {"condition": some(chance, CONDITIONS), "age_band": some(chance, AGES)}
        wanted = {name: values for name, values in wanted.items() if values}
        types = some(chance, TYPES, 1) if chance.random() < 0.5 else frozenset[str]()
        yield FeedQuery(Reader(audiences, wanted, types), chance.choice((1, 7, 100, 1_000)), with_routing=service)


async def read_all(buffer: FeedBuffer, query: FeedQuery) -> list[Any]:
    """Follow the batches from the beginning to the end."""
    found: list[Any] = []
    at = Position(buffer.position.generation, 0)
    while at != buffer.position:
        batch = await buffer.next(query, at)
        events = json.loads(batch.body)
        assert len(events) == batch.count <= query.limit
        assert batch.at.seq > at.seq
        found, at = found + events, batch.at
    return found


async def test_answers_from_the_buffer_are_those_from_the_database(registry: FastAPI) -> None:
    """On PostgreSQL the database decides by its row-level security; the buffer never asks it."""
    chance, database = random.Random(20261129), registry.state.database
    await append_random(database, chance, 150)
    buffers = [FeedBuffer(database, FEED, "/registry", capacity) for capacity in (5_000, 60, 0)]
    for buffer in buffers:
        await buffer.refresh()
    kinds = set()
    for caller, rows in CALLERS:
        async with seen_by(view_of(caller)):
            for query in queries(chance, Access(caller, rows).audiences, caller.kind == "service"):
                whole, mixed, stored = [await read_all(buffer, query) for buffer in buffers]
                assert whole == mixed == stored
                kinds |= {one["data"]["op"] for one in whole}
    assert kinds == {"upsert", "delete"}


async def test_row_level_security_shows_the_entries_that_a_reader_sees(registry: FastAPI) -> None:
    database: Database = registry.state.database
    if database.is_sqlite:
        pytest.skip("SQLite has no row-level security")
    await append_random(database, random.Random(7), 300)
    async with database.read(as_service=True) as connection:
        entries = await FEED.read(connection, 0, 10_000)
    for caller, rows in CALLERS:
        reader = Reader(Access(caller, rows).audiences)
        seen = {one.seq for one in entries if reader.sees(one.type, one.before, one.after) is not Visibility.NOTHING}
        async with seen_by(view_of(caller)), database.read() as connection:
            shown = set((await connection.execute(text("SELECT seq FROM feed_entries"))).scalars())
        assert shown == seen


async def test_a_change_is_read_once_for_all_waiting_readers(registry: FastAPI) -> None:
    database: Database = registry.state.database
    async with client_of(registry) as public:
        end = (await public.get(f"{FEED_PATH}?limit=1000")).links["next"]["url"]
        polls = [asyncio.create_task(public.get(f"{end}&wait=20")) for _ in range(30)]
        await until(lambda: registry.state.load._count["waiting"] == 30)
        await asyncio.sleep(0.1)
        statements: list[str] = []
        engines = [database.engine] if database.rls is None else [database.engine, database.rls.public]
        for engine in engines:
            event.listen(
                engine.sync_engine,
                "before_cursor_execute",
                lambda _connection, _cursor, statement, *_: statements.append(statement),
            )
        await append_random(database, random.Random(1), 20)
        async with database.transaction(as_service=True) as connection:
            await FEED.append(
                connection, [Change("trial.updated", "trial/X", 1, NOT_VISIBLE, Routing(frozenset({"public"})))]
            )
        answers = await asyncio.gather(*polls)
    assert all(json.loads(one.content) for one in answers)
    assert sum("FROM feed_entries" in one for one in statements) <= 4


async def test_a_filter_without_a_match_inspects_a_bounded_number_of_entries(registry: FastAPI) -> None:
    database, public_only = registry.state.database, Routing(frozenset({"public"}))
    for _ in range(0, MAX_INSPECTED + PAGE, PAGE):
        async with database.transaction(as_service=True) as connection:
            changes = [Change("trial.updated", f"trial/T{n}", 1, NOT_VISIBLE, public_only) for n in range(PAGE)]
            await FEED.append(connection, changes)
    async with client_of(registry) as public:
        path = f"{FEED_PATH}?condition=ORPHA:none&wait=20"
        first = await asyncio.wait_for(public.get(path), 15)
        assert first.json() == []
        waiting = asyncio.create_task(public.get(first.links["next"]["url"]))
        await asyncio.sleep(0.3)
        assert not waiting.done(), "at the end it waits"
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_a_withdrawal_that_was_acknowledged_is_in_the_next_answer(registry: FastAPI) -> None:
    shown = Routing(frozenset({"public"}))
    async with client_of(registry) as public:
        following = (await public.get(f"{FEED_PATH}?limit=1000")).links["next"]["url"]
        for number in range(20):
            change = Change("trial.withdrawn", f"trial/W{number}", 2, shown, NOT_VISIBLE)
            async with registry.state.database.transaction(as_service=True) as connection:
                await FEED.append(connection, [change])
            answer = await public.get(following)
            assert [one["subject"] for one in answer.json()] == [f"trial/W{number}"]
            following = answer.links["next"]["url"]


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app, http=BoundedConnection, log_config=None, lifespan="off", timeout_graceful_shutdown=0
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


async def test_anonymous_long_polls_keep_out_neither_services_nor_identified_callers(
    stocked_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEIO_MOST_WAITING", "40")  # 24 of anonymous callers, 1 of an address
    sponsor = token_of("sponsor", "system", organisation="one")
    async with running_registry(stocked_url) as app, served(app) as url, AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=url, timeout=30, trust_env=False, limits=httpx.Limits(max_connections=100))
        )
        end = (await client.get(f"{FEED_PATH}?limit=1000")).links["next"]["url"]

        def poll(address: str, token: str | None = None) -> "asyncio.Task[httpx.Response]":
            headers = {"X-Forwarded-For": address} | ({"Authorization": f"Bearer {token}"} if token else {})
            return asyncio.create_task(client.get(f"{end}&wait=25", headers=headers))

        polls = [poll(f"203.0.113.{number}") for number in range(24)]
        await until(lambda: app.state.load._count["waiting"] == 24)
        for address in ("203.0.113.1", "203.0.113.99"):
            refused = await poll(address)
            assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        polls += [poll("203.0.113.1", token) for token in (sponsor, ADMIN, INTERNAL)]
        await until(lambda: app.state.load._count["waiting"] == 27)
        async with app.state.database.transaction(as_service=True) as connection:
            everyone = Routing(frozenset({"public", "service", "coordination"}))
            await FEED.append(connection, [Change("trial.updated", "trial/X", 1, NOT_VISIBLE, everyone)])
        for answer in await asyncio.gather(*polls):
            assert [one["subject"] for one in answer.json()] == ["trial/X"]
