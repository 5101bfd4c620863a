"""Which events a new subscription receives: by the order in the feed, not by a clock."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from services.notifications.sequencing.sequencer import Sequencer
from shared.clients.feed import Batch, HistoryRestartedError
from shared.persistence import Database, open_database
from tests.contract.notifications import (
    Notifications,
    Receiver,
    Source,
    migrate,
    running_notifications,
    running_receiver,
    running_source,
    until,
)

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Source]:
    async with running_source(tmp_path) as source:
        yield source


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with running_receiver() as receiver:
        yield receiver


async def test_a_clock_that_is_set_back_loses_no_delivery(
    tmp_path: Path, source: Source, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'notifications.db'}"
    await migrate(url)
    async with running_notifications(url, source) as service:
        await until(lambda: has_read_the_feed(service))
        await service.subscribe(receiver)
        back = SimpleNamespace(now=lambda zone: datetime.now(zone) - timedelta(hours=1))
        monkeypatch.setattr("shared.feed.log.datetime", back)
        await source.publish_trial("NCT00000001")
        await until(lambda: receiver.received)
    # Also when the service starts again meanwhile, with an event that was published while it was stopped.
    await source.publish_trial("NCT00000002")
    async with running_notifications(url, source):
        await until(lambda: len(receiver.received) == 2)
    assert [one.event["data"]["id"] for one in receiver.received] == ["NCT00000001", "NCT00000002"]
    assert all(datetime.fromisoformat(one.event["time"]) < NOW for one in receiver.received)


async def has_read_the_feed(service: Notifications) -> bool:
    return (await service.app.state.health()).detail["feed"]["read_seconds_ago"] is not None


class Tail:
    """A feed whose batches the test sets."""

    def __init__(self) -> None:
        self.batches: list[Batch | HistoryRestartedError] = []
        self.position = 0

    def add(self, identifier: str, age: timedelta, *, is_last: bool) -> None:
        routing = {"audience": ["public"], "facets": {}}
        event = {
            "specversion": "1.0",
            "id": identifier,
            "source": "https://cleio.example/registry",
            "type": "trial.updated",
            "subject": f"trial/{identifier}",
            "time": (NOW - age).isoformat(),
            "data": {"op": "upsert", "id": identifier, "version": 1, "changed": []},
            "routing": {"before": routing, "after": routing},
        }
        self.position += 1
        self.batches.append(Batch([event], f"/registry/v1/feed?cursor={self.position}", is_last))

    async def next(self, _path: str | None, *, wait: bool) -> Batch:  # noqa: ARG002 - the interface of a tail
        batch = self.batches.pop(0)
        if isinstance(batch, HistoryRestartedError):
            raise batch
        return batch


async def subscribe(database: Database, name: str) -> None:
    at = NOW.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    values = f"'{name}', 'o', '[\"public\"]', 1, 'active', 'https://x', '[]', '{FILTER}', x'00', 0, '{at}', '{at}'"
    async with database.transaction() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO subscriptions (id, owner, audiences, version, status, url, types, filter, sealed_secret,"
            f" last_number, created_at, updated_at) VALUES ({values})"
        )


FILTER = '{"condition":[],"age_band":[],"departement":[],"atmp_class":[],"centre":[],"trial":[]}'
OLD, FRESH = timedelta(days=1), timedelta(0)


async def delivered(database: Database) -> set[tuple[str, str]]:
    async with database.read() as connection:
        rows = await connection.execute(text("SELECT subscription_id, event_id FROM deliveries"))
        return {(row.subscription_id, row.event_id) for row in rows}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    await migrate(url)
    database = open_database(url)
    yield database
    await database.close()


def sequencer(database: Database, tail: Any) -> Sequencer:
    return Sequencer(database, tail, "registry", lambda: None, lambda _seconds: None)


async def test_a_subscription_made_while_the_history_is_read_gets_no_old_events(database: Database) -> None:
    tail = Tail()
    reading = sequencer(database, tail)
    tail.add("first", OLD, is_last=False)
    await reading.step()
    await subscribe(database, "new")
    tail.add("second", OLD, is_last=False)
    tail.add("recent", FRESH, is_last=True)
    tail.add("later", OLD, is_last=True)
    for _ in range(3):
        await reading.step()
    # Once the end of the feed was reached, every event is newer, whatever its date says.
    assert await delivered(database) == {("new", "recent"), ("new", "later")}


async def test_a_restored_feed_is_read_again_and_its_new_events_reach_everybody(database: Database) -> None:
    tail = Tail()
    reading = sequencer(database, tail)
    tail.add("known", OLD, is_last=True)
    await reading.step()
    await subscribe(database, "former")
    tail.batches.append(HistoryRestartedError())
    tail.add("known", OLD, is_last=False)
    tail.add("lost and made again", OLD, is_last=True)
    for _ in range(3):
        await reading.step()
    assert await delivered(database) == {("former", "lost and made again")}
