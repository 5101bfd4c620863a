"""Organisations share the workers fairly, whatever their receivers do. Counted in rounds, not in seconds."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from services.notifications.app import METADATA
from services.notifications.deliveries.dispatcher import Dispatcher, DispatchPolicy
from services.notifications.deliveries.model import Attempt, Claim, Outcome
from services.notifications.deliveries.repository import Busy, DeliveryRepository
from services.notifications.deliveries.sending import AHEAD, Sending, SendingLimits
from services.notifications.tables import deliveries, events, subscriptions
from shared.persistence import Database, open_database

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORKERS = 50


class SlowChannel:
    """Receivers of the organisation ``slow…`` never answer; the others answer at once."""

    def __init__(self) -> None:
        self.started: Counter[str] = Counter()
        self.cancelled: Counter[str] = Counter()

    async def deliver(self, claim: Claim) -> Attempt:
        self.started[claim.owner] += 1
        if claim.owner.startswith("slow"):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled[claim.owner] += 1
                raise
        return Attempt(NOW, 204, None, 1)


def claims(owner: str, receivers: int, each: int = 1) -> list[Claim]:
    return [
        Claim(f"{owner}-{receiver}-{n}", f"{owner}-{receiver}", owner, n, 1, 0, "https://r.example/", b"", b"{}")
        for receiver in range(receivers)
        for n in range(each)
    ]


async def turns(count: int = 3) -> None:
    """Let the started tasks run."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
async def channel() -> SlowChannel:
    return SlowChannel()


@pytest.fixture
async def sending(channel: SlowChannel) -> AsyncIterator[tuple[Sending, list[Outcome]]]:
    outcomes: list[Outcome] = []
    made = Sending(channel, SendingLimits(WORKERS, 4, 5.0, 0.0), outcomes.append)
    yield made, outcomes
    await made.stop(0)


async def test_an_organisation_leaves_workers_to_others(
    sending: tuple[Sending, list[Outcome]], channel: SlowChannel
) -> None:
    sender, outcomes = sending
    sender.accept(claims("slow", 100, 4))
    await turns()
    assert channel.started["slow"] == 45
    sender.accept(claims("other", 1))
    await turns()
    assert [outcome.claim.owner for outcome in outcomes] == ["other"], "delivered in the first round"


async def test_attempts_are_cut_off_once_another_organisation_waits_for_a_worker(
    sending: tuple[Sending, list[Outcome]], channel: SlowChannel
) -> None:
    sender, outcomes = sending
    for n in range(20):  # together they use every worker
        sender.accept(claims(f"slow{n}", 20))
    await turns()
    assert sum(channel.started.values()) == WORKERS
    before = dict(channel.started)
    sender.accept(claims("other", 1))
    await turns(10)
    assert "other" in [outcome.claim.owner for outcome in outcomes]
    assert channel.cancelled, "an attempt has ended early"
    assert all(before[owner] > 1 for owner in channel.cancelled), "of organisations with several attempts only"


async def test_a_single_organisation_is_never_cut_off(
    sending: tuple[Sending, list[Outcome]], channel: SlowChannel
) -> None:
    sender, _ = sending
    sender.accept(claims("slow", 100, 4))
    await turns(10)
    assert not channel.cancelled


@pytest.mark.parametrize("workers", [1, 2, 5, 50])
def test_claims_ahead_follow_the_same_share(workers: int) -> None:
    sender = Sending(SlowChannel(), SendingLimits(workers, 4, 5.0, 5.0), lambda _: None)
    most = AHEAD * workers
    mine = total = 0
    while room := sender.owner_room(mine, total):
        mine, total = mine + room, total + room
    assert most // 2 <= mine < most
    assert sender.owner_room(0, total) > 0
    assert sender.owner_room(0, most) == 0
    # Claiming one by one ends at the same number.
    one = 0
    while sender.owner_room(one, one):
        one += 1
    assert one == mine


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
    async with database.transaction() as connection:
        await connection.run_sync(METADATA.create_all)
    yield database
    await database.close()


async def fill(database: Database, owner: str, receivers: int) -> None:
    """Add an event due for each of the owner's receivers."""
    async with database.transaction() as connection:
        event = {"source": "/registry", "id": owner, "type": "trial.updated", "subject": "trial/1", "at": NOW}
        await connection.execute(insert(events).values(**event, body="{}"))
        names = [f"{owner}-{n}" for n in range(receivers)]
        await connection.execute(
            insert(subscriptions),
            [
                {
                    "id": name,
                    "owner": owner,
                    "audiences": "[]",
                    "version": 1,
                    "status": "active",
                    "url": "https://receiver.example/",
                    "types": "[]",
                    "filter": "{}",
                    "sealed_secret": b"",
                    "last_number": 1,
                    "created_at": NOW,
                    "updated_at": NOW,
                }
                for name in names
            ],
        )
        await connection.execute(
            insert(deliveries),
            [
                {
                    "id": name,
                    "subscription_id": name,
                    "number": 1,
                    "event_source": "/registry",
                    "event_id": owner,
                    "tombstone": False,
                    "state": "pending",
                    "failures": 0,
                    "fence": 0,
                    "due_at": NOW,
                    "created_at": NOW,
                }
                for name in names
            ],
        )


async def test_owners_take_turns_among_the_ready_subscriptions(ledger: Database) -> None:
    await fill(ledger, "slow", 600)
    await fill(ledger, "other", 1)
    await fill(ledger, "third", 3)
    async with ledger.read() as connection:
        repository = DeliveryRepository(connection)
        first = [one.owner for one in await repository.ready(NOW, Busy(), 500)]
        assert sorted(first[:3]) == ["other", "slow", "third"]
        assert sorted(first[3:5]) == ["slow", "third"]
        assert len(first) == 500
        assert {one.owner for one in await repository.ready(NOW, Busy(owners=["slow"]), 500)} == {"other", "third"}
        assert await repository.any_ready(NOW, Busy(owners=["slow", "third"]))
        assert not await repository.any_ready(NOW, Busy(owners=["slow", "third", "other"]))


async def test_slow_receivers_of_one_organisation_do_not_delay_those_of_another(
    ledger: Database, channel: SlowChannel
) -> None:
    policy = DispatchPolicy((0.0,), 20.0, 10.0, 60.0, WORKERS, 4, 20.0)
    dispatcher = Dispatcher(ledger, channel, policy, lambda: NOW + timedelta(seconds=1))
    await fill(ledger, "slow", 600)
    dispatcher.wake()
    for _ in range(5):  # it claims as many as it may
        dispatcher.wake()
        await dispatcher._step()
        await turns()
    assert channel.started["slow"] == 45
    await fill(ledger, "other", 1)
    dispatcher.wake()
    await dispatcher._step()
    await turns()
    assert channel.started["other"] == 1, "in the first round"
    await dispatcher.stop(0)
