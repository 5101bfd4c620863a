"""Concurrent retries of the same keys while real processes are killed at random: each key takes effect exactly once."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from shared.persistence import open_database
from tests.conftest import ADMIN
from tests.contract.notifications import migrate
from tests.contract.processes import ServiceProcess

pytestmark = pytest.mark.anyio

SUBSCRIPTIONS = "/notifications/v1/subscriptions"
CALLERS = 3
AT_ONCE = 12  # keys
PATIENCE = 120.0


class Service:
    """The notifications service: several replicas on one database, each restarted when it is killed."""

    def __init__(self, folder: Path, database_url: str, replicas: int, chance: random.Random) -> None:
        self.folder = folder
        self.chance = chance
        self.settings = {
            "CLEIO_NOTIFICATIONS_DATABASE_URL": database_url,
            "CLEIO_OUTBOUND_DEV_HOSTS": "127.0.0.0/8",
            "CLEIO_REGISTRY_URL": "http://127.0.0.1:9",  # an empty folder: there are no events
        }
        self.replicas = [self._start(number) for number in range(replicas)]

    def _start(self, number: int) -> ServiceProcess:
        return ServiceProcess(self.folder / f"replica-{number}", "notifications", **self.settings)

    @property
    def url(self) -> str:
        return self.chance.choice(self.replicas).url

    async def kill_one(self) -> None:
        number = self.chance.randrange(len(self.replicas))
        self.replicas[number].kill()
        self.replicas[number] = await asyncio.to_thread(self._start, number)

    def end(self) -> None:
        for replica in self.replicas:
            replica.kill()


async def insist(service: Service, client: httpx.AsyncClient, key: int) -> tuple[int, str]:
    """Send one request, as one of three callers, until it has taken effect; return the answer."""
    asked = {"channel": {"type": "webhook", "url": f"http://127.0.0.1:9/{key}"}, "types": [], "filter": {}}
    headers = {"Idempotency-Key": f"key-of-the-kill-test-{key}"}
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                answer = await client.post(service.url + SUBSCRIPTIONS, json=asked, headers=headers)
            except (
                httpx.TransportError,
                AttributeError,
            ):  # the second: anyio's error when a connection is reset while it is opened
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 201:
                return key, answer.json()["id"]
            assert answer.status_code in {409, 503}, answer.text
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("database_url", "replicas", "keys", "kills"),
    [
        ("sqlite", 1, 60, 2),
        pytest.param("sqlite", 1, 1_000, 30, marks=pytest.mark.full),
        pytest.param("postgresql", 2, 1_000, 12, marks=pytest.mark.full),
    ],
    indirect=["database_url"],
)
async def test_after_kills_at_any_moment_each_key_took_effect_once(
    database_url: str, tmp_path: Path, replicas: int, keys: int, kills: int, figure: Callable[[str, object], None]
) -> None:
    chance = random.Random(keys)
    await migrate(database_url)
    service = await asyncio.to_thread(Service, tmp_path, database_url, replicas, chance)
    answers: list[tuple[int, str]] = []
    places = asyncio.Semaphore(AT_ONCE)

    async def all_callers(client: httpx.AsyncClient, key: int) -> None:
        async with places:
            answers.extend(await asyncio.gather(*(insist(service, client, key) for _ in range(CALLERS))))

    try:
        async with httpx.AsyncClient(
            headers={"Authorization": f"Bearer {ADMIN}"}, timeout=10, trust_env=False
        ) as client:
            calling = [asyncio.create_task(all_callers(client, key)) for key in range(keys)]
            for number in range(kills):
                # The next kill comes after a random number of further calls.
                share = keys * CALLERS // (kills + 1)
                while len(answers) < share * number + chance.randrange(share):  # noqa: ASYNC110 - a random moment
                    await asyncio.sleep(0.001)
                await asyncio.sleep(chance.random() * 0.02)
                await service.kill_one()
            await asyncio.gather(*calling)
    finally:
        service.end()
    database = open_database(database_url, exclusive=False)
    async with database.read() as connection:
        stored = [
            (url.rpartition("/")[2], found)
            for found, url in await connection.execute(text("SELECT id, url FROM subscriptions"))
        ]
        kept = (await connection.execute(text("SELECT count(*) FROM idempotency_keys WHERE status = 201"))).scalar_one()
    await database.close()
    assert (len(stored), kept) == (keys, keys)
    assert Counter(key for key, _ in answers) == dict.fromkeys(range(keys), CALLERS)
    assert {(str(key), found) for key, found in answers} == set(stored)
    engine = database_url.partition(":")[0]
    name = f"{keys} keys x {CALLERS} concurrent callers, {replicas} replica(s) on {engine}, {kills} kill -9"
    figure(f"idempotency: {name}", f"{len(stored)} effects; {len(answers)} acknowledged, all stored")
