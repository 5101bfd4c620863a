"""The feed never loses an entry: no consumer misses one, whatever writers do concurrently, on both databases."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import MetaData, event, func, insert, select

from shared.clients.feed import FeedTail, HistoryRestartedError
from shared.clients.internal import InternalClient
from shared.endpoints.feed import feed_router
from shared.feed import Change, FeedLog
from shared.feed.buffer import FeedBuffer
from shared.feed.changes import NOT_VISIBLE, Routing
from shared.feed.log import COMPACTED_AT_ONCE, compact
from shared.operations.service import Health, create_service
from shared.persistence import NAMING, Database, open_database
from shared.settings import ServiceSettings
from tests.conftest import INTERNAL, client_of

pytestmark = pytest.mark.anyio

METADATA = MetaData(naming_convention=NAMING)
FEED = FeedLog(METADATA)
PUBLIC = Routing(frozenset({"public"}), {"condition": frozenset({"ORPHA:98896"})})
HIDDEN = Routing(frozenset({"coordination"}))


@asynccontextmanager
async def feed_service(url: str) -> AsyncIterator[tuple[FastAPI, Database]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = open_database(url)
        async with app.state.database.transaction() as connection:
            await connection.run_sync(METADATA.create_all)
            await connection.execute(insert(FEED.head).values(id=1, generation=1, seq=0))

        async def health() -> Health:
            return Health(ready=True)

        app.state.health = health
        app.state.feed = FeedBuffer(app.state.database, FEED, f"{app.state.settings.event_source}/registry")
        app.state.feed.start(app.state.tasks)
        yield
        await app.state.tasks.stop()
        await app.state.database.close()

    app = create_service("registry", ServiceSettings(), [feed_router("registry")], lifespan, "A feed and nothing else.")
    async with app.router.lifespan_context(app):
        yield app, app.state.database


async def append(database: Database, *changes: Change) -> None:
    async with database.transaction() as connection:
        await FEED.append(connection, list(changes))


def change(
    subject: str, version: int, before: Routing = NOT_VISIBLE, after: Routing = PUBLIC, kind: str = "trial.updated"
) -> Change:
    return Change(kind, f"trial/{subject}", version, before, after)


async def test_no_consumer_misses_an_entry_of_concurrent_writers(database_url: str) -> None:
    writers, each = 8, 25
    async with feed_service(database_url) as (app, database):
        chance = random.Random(20251122)

        async def write(writer: int) -> None:
            for number in range(each):
                async with database.transaction() as connection:
                    await connection.execute(select(func.count()).select_from(FEED.entries))
                    if not database.is_sqlite:
                        # On PostgreSQL transactions overlap: some wait before and after they take their numbers, some
                        # roll back.
                        await asyncio.sleep(chance.random() / 200)
                    await FEED.append(
                        connection, [change(f"W{writer}", 2 * number), change(f"W{writer}", 2 * number + 1)]
                    )
                    await asyncio.sleep(chance.random() / 500)
                    if number % 10 == 9:
                        await connection.rollback()

        async def consume() -> list[tuple[str, int]]:
            seen: list[tuple[str, int]] = []
            client = InternalClient("http://test", INTERNAL, httpx.ASGITransport(app, client=("127.0.0.1", 1)))
            tail, following = FeedTail(client, "/registry/v1/feed?limit=7", wait=1), None
            while len(seen) < expected:
                batch = await tail.next(following)
                seen += [(event["subject"], event["data"]["version"]) for event in batch.events]
                following = batch.next_path
            await client.close()
            return seen

        kept = [number for number in range(each) if number % 10 != 9]
        expected = writers * len(kept) * 2
        async with asyncio.TaskGroup() as group:
            consumers = [group.create_task(consume()) for _ in range(3)]
            for writer in range(writers):
                group.create_task(write(writer))
        for consumer in consumers:
            seen = consumer.result()
            assert seen == consumers[0].result()
            for writer in range(writers):
                assert [version for subject, version in seen if subject == f"trial/W{writer}"] == [
                    v for n in kept for v in (2 * n, 2 * n + 1)
                ]
        async with database.read() as connection:
            numbers = [entry.seq for entry in await FEED.read(connection, 0, 10_000)]
        assert numbers == list(range(1, expected + 1))


async def test_a_reader_that_loses_access_sees_a_tombstone_and_others_see_nothing(database_url: str) -> None:
    async with feed_service(database_url) as (app, database), client_of(app) as public:
        await append(
            database,
            change("SEEN", 1, kind="trial.published"),
            change("SECRET", 1, after=HIDDEN),
            change("SEEN", 2, before=PUBLIC, after=HIDDEN, kind="trial.withdrawn"),
        )
        events = (await public.get("/registry/v1/feed")).json()
        assert [(event["type"], event["subject"], event["data"]["op"]) for event in events] == [
            ("trial.published", "trial/SEEN", "upsert"),
            ("trial.removed", "trial/SEEN", "delete"),
        ]
        assert "routing" not in events[0]
        elsewhere = await public.get("/registry/v1/feed?condition=ORPHA:70")
        assert elsewhere.json() == []
        assert "next" in elsewhere.links


async def test_a_service_reads_the_entries_of_one_organisation(database_url: str) -> None:
    async with feed_service(database_url) as (app, database):
        alone = Routing(frozenset({"organisation:chu-exemple"}))
        await append(database, change("ALONE", 1, after=alone), change("ALONE", 2, before=alone, after=NOT_VISIBLE))
        async with client_of(app, token=INTERNAL) as service, client_of(app) as public:
            events = (await service.get("/registry/v1/feed")).json()
            assert [event["data"]["op"] for event in events] == ["upsert", "delete"]
            assert "organisation:chu-exemple" in events[0]["routing"]["after"]["audience"]
            assert (await public.get("/registry/v1/feed")).json() == []


async def test_a_waiting_reader_gets_a_new_entry_at_once(database_url: str) -> None:
    async with feed_service(database_url) as (app, database), client_of(app) as public:
        empty = await public.get("/registry/v1/feed")
        waiting = asyncio.create_task(public.get(empty.links["next"]["url"] + "&wait=20"))
        await asyncio.sleep(0.1)
        await append(database, change("NEWS", 1))
        answer = await asyncio.wait_for(waiting, 5)
        assert [event["subject"] for event in answer.json()] == ["trial/NEWS"]


async def test_a_cursor_of_an_earlier_generation_points_to_the_export(database_url: str) -> None:
    async with feed_service(database_url) as (app, database), client_of(app) as public:
        await append(database, change("A", 1))
        following = (await public.get("/registry/v1/feed")).links["next"]["url"]
        async with database.transaction() as connection:
            await FEED.new_generation(connection)
        answer = await public.get(following)
        assert answer.status_code == 410
        assert answer.json()["code"] == "cursor_of_earlier_generation"
        assert answer.links["alternate"]["url"] == "/registry/v1/export"
        client = InternalClient("http://test", INTERNAL, httpx.ASGITransport(app, client=("127.0.0.1", 1)))
        with pytest.raises(HistoryRestartedError):
            await FeedTail(client, "/registry/v1/feed", wait=0).next(following)
        await client.close()


@pytest.mark.parametrize("cursor", ["x", "AAAA", "é", "A" * 200, "../../etc/passwd"])
async def test_a_forged_cursor_is_refused(cursor: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    async with (
        feed_service(f"sqlite:///{tmp_path_factory.mktemp('feed') / 'x.db'}") as (app, _),
        client_of(app) as public,
    ):
        answer = await public.get("/registry/v1/feed", params={"cursor": cursor})
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid_cursor"
        # Every forged cursor gets the same answer, which repeats nothing of it.
        other = await public.get("/registry/v1/feed", params={"cursor": "another forged cursor"})
        assert {**answer.json(), "instance": ""} == {**other.json(), "instance": ""}


async def test_compaction_keeps_the_last_entry_of_each_subject_and_every_tombstone(database_url: str) -> None:
    async with feed_service(database_url) as (app, database), client_of(app) as public:
        await append(
            database,
            change("A", 1),
            change("A", 2, before=PUBLIC),
            change("A", 3, before=PUBLIC, after=HIDDEN),
            change("A", 4, before=HIDDEN),
        )
        await append(database, change("B", 1), change("B", 2, before=PUBLIC))
        # Parties with entries of their own: the last one of each is kept.
        await append(
            database, change("C", 1, after=PUBLIC), change("C", 1, after=HIDDEN), change("C", 2, HIDDEN, HIDDEN)
        )
        assert await compact(database, FEED, datetime.now(UTC) - timedelta(days=90)) == 0
        assert await compact(database, FEED, datetime.now(UTC) + timedelta(days=1)) == 4
        events = (await public.get("/registry/v1/feed")).json()
        assert [(event["subject"], event["data"]["op"], event["data"].get("version")) for event in events] == [
            ("trial/A", "delete", None),
            ("trial/A", "upsert", 4),
            ("trial/B", "upsert", 2),
            ("trial/C", "upsert", 1),
        ]


async def test_a_waiting_reader_is_woken_only_by_entries(database_url: str) -> None:
    """Denials are written to the database too; a flood of them must not wake every reader."""
    async with feed_service(database_url) as (_, database):
        waiting = database.committed
        async with database.transaction() as connection:
            await connection.execute(select(FEED.head.c.seq))
        with suppress(ZeroDivisionError):
            async with database.transaction() as connection:
                await FEED.append(connection, [Change("trial.updated", "trial/NCT1", 1, NOT_VISIBLE, PUBLIC)])
                raise ZeroDivisionError
        async with database.transaction() as connection:
            await connection.execute(select(FEED.head.c.seq))
        assert not waiting.is_set()
        async with database.transaction() as connection:
            await FEED.append(connection, [Change("trial.updated", "trial/NCT1", 1, NOT_VISIBLE, PUBLIC)])
        assert waiting.is_set()


async def test_compaction_lets_writers_proceed(database_url: str) -> None:
    async with feed_service(database_url) as (_, database):
        await append(database, *(change(f"S{number % 7}", number) for number in range(2 * COMPACTED_AT_ONCE + 500)))
        dropped: list[int] = []

        def count(_connection: object, cursor: Any, statement: str, *_: object) -> None:
            if statement.startswith("DELETE"):
                dropped.append(cursor.rowcount)

        event.listen(database.engine.sync_engine, "after_cursor_execute", count)
        written: list[int] = []

        async def write(_connection: object) -> None:
            written.append(len(dropped))

        database.before_commit.append(write)
        assert await compact(database, FEED, datetime.now(UTC) + timedelta(days=1)) == 2 * COMPACTED_AT_ONCE + 500 - 7
        # Each part in its own transaction.
        assert dropped == [COMPACTED_AT_ONCE, COMPACTED_AT_ONCE, 493]
        assert written == [1, 2, 3]
        async with database.read() as connection:
            assert [entry.subject for entry in await FEED.read(connection, 0, 10)] == [
                f"trial/S{number}" for number in (1, 2, 3, 4, 5, 6, 0)
            ]


UNKNOWN = {
    "types": ("trial.published,match.found", "match.found", "trial.published, trial.updated"),
    "age_band": ("zzz", "zzz", "child, adult"),
    "atmp_class": ("gene_therapy,vaccine", "vaccine", "gene_therapy, somatic_cell, tissue_engineered"),
    "departement": ("75,20", "20", "2A and 2B for Corsica"),
}


@pytest.mark.parametrize("parameter", UNKNOWN)
async def test_an_unknown_filter_value_is_refused_with_the_possible_ones(tmp_path: Path, parameter: str) -> None:
    value, unknown, possible = UNKNOWN[parameter]
    async with feed_service(f"sqlite:///{tmp_path / 'feed.db'}") as (app, _database), client_of(app) as public:
        answer = await public.get("/registry/v1/feed", params={parameter: value}, headers={"Accept-Language": "en"})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
        (fault,) = answer.json()["errors"]
        assert (fault["pointer"], fault["code"]) == (f"/query/{parameter}", "unknown_value")
        assert f"unknown value: '{unknown}'" in fault["detail"]
        assert possible in fault["detail"]


async def test_several_values_of_a_filter_are_alternatives(tmp_path: Path) -> None:
    async with feed_service(f"sqlite:///{tmp_path / 'feed.db'}") as (app, database), client_of(app) as public:
        places = {"A": "75", "B": "2A", "C": "988"}
        for subject, departement in places.items():
            after = Routing(frozenset({"public"}), {"departement": frozenset({departement})})
            await append(database, change(subject, 1, after=after))
        found = await public.get("/registry/v1/feed", params={"departement": "2A,988", "types": "trial.updated"})
        assert [event["subject"] for event in found.json()] == ["trial/B", "trial/C"]


@pytest.mark.parametrize(
    ("settings", "source"),
    [
        ({}, "http://127.0.0.1:8080/registry"),
        ({"CLEIO_PUBLIC_URL": "https://cleio.example/"}, "https://cleio.example/registry"),
        (
            {"CLEIO_PUBLIC_URL": "https://cleio.example", "CLEIO_EVENT_SOURCE": "urn:cleio:lille"},
            "urn:cleio:lille/registry",
        ),
    ],
)
async def test_events_name_their_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], source: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    async with feed_service(f"sqlite:///{tmp_path / 'feed.db'}") as (app, database), client_of(app) as public:
        await append(database, change("A", 1))
        assert [event["source"] for event in (await public.get("/registry/v1/feed")).json()] == [source]
