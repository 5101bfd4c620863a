"""Notifications over HTTP, on both databases, with a real feed and real receivers."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from services.notifications.events.repository import EventRepository
from shared.feed.changes import NOT_VISIBLE
from shared.persistence import OwnedElsewhereError, open_database
from tests.contract.notifications import (
    Notifications,
    Receiver,
    Source,
    migrate,
    running_notifications,
    running_receiver,
    running_source,
    side,
    until,
)

pytestmark = pytest.mark.anyio

SUBSCRIPTIONS = "/notifications/v1/subscriptions"


async def test_a_status_change_arrives_signed_thin_and_logged(
    service: Notifications, source: Source, receiver: Receiver
) -> None:
    subscription = await service.subscribe(receiver, ["trial.status_changed"], departement=["75"])
    after = side("public", departement="75 69")
    change = {
        "type": "trial.status_changed",
        "version": 4,
        "changed": ("status",),
        "extra": {"from": "recruiting", "to": "suspended"},
    }
    await source.publish_trial("NCT03745287", after, after, **change)
    [logged] = await service.delivered(subscription, 1)
    [got] = receiver.received
    event = Webhook(subscription["secret"]).verify(got.body, dict(got.headers))
    assert got.headers["webhook-id"] == logged["id"]
    assert got.headers["content-type"].startswith("application/cloudevents+json")
    assert {name: event[name] for name in ("specversion", "source", "type", "subject", "data")} == {
        "specversion": "1.0",
        "source": "http://127.0.0.1:8080/registry",
        "type": "trial.status_changed",
        "subject": "trial/NCT03745287",
        "data": {
            "op": "upsert",
            "id": "NCT03745287",
            "version": 4,
            "changed": ["status"],
            "from": "recruiting",
            "to": "suspended",
        },
    }
    # The audience of the subject is not sent.
    assert set(event) == {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}
    assert len(got.body) < 20_000
    assert (logged["number"], logged["state"], logged["event"]["id"]) == (1, "delivered", event["id"])
    assert [(one["status"], one["error"]) for one in logged["attempts"]] == [(204, None)]


async def test_a_receiver_gets_the_same_bytes_after_failures_of_every_kind(
    migrated: str, source: Source, receiver: Receiver
) -> None:
    async with running_notifications(migrated, source, retry_seconds=(0, *[0.2] * 49)) as service:
        subscription = await service.subscribe(receiver)
        receiver.script = [500, "hang", 302]
        await receiver.close()
        await source.publish_trial()

        async def refused() -> bool:
            items = await service.deliveries(subscription)
            return bool(items and items[0]["attempts"])

        await until(refused)
        await receiver.open()
        [logged] = await service.delivered(subscription, 1)
    tried = [one["error"] or one["status"] for one in logged["attempts"]]
    refusals = tried.count("connect_failed")
    assert refusals >= 1
    assert tried == ["connect_failed"] * refusals + [500, "timed_out", 302, 204]
    assert len({got.body for got in receiver.received}) == 1
    assert {got.headers["webhook-id"] for got in receiver.received} == {logged["id"]}
    for got in receiver.received:
        Webhook(subscription["secret"]).verify(got.body, dict(got.headers))


async def test_an_undeliverable_event_is_given_up_and_listed_as_dead(
    service: Notifications, source: Source, receiver: Receiver
) -> None:
    subscription = await service.subscribe(receiver)
    receiver.script = [503] * 5
    await source.publish_trial()
    [dead] = await until(lambda: service.deliveries(subscription, state="dead"))
    assert [one["status"] for one in dead["attempts"]] == [503] * 5
    assert dead["finished_at"] is not None
    # Later events are delivered all the same, under the next number.
    await source.publish_trial("NCT00000002")
    [later] = await service.delivered(subscription, 1)
    assert later["number"] == 2


async def test_410_disables_the_subscription_and_nothing_is_lost_until_it_is_active_again(
    service: Notifications, source: Source, receiver: Receiver
) -> None:
    subscription = await service.subscribe(receiver)
    path = f"{SUBSCRIPTIONS}/{subscription['id']}"
    receiver.script = [410]
    await source.publish_trial("NCT00000001")

    async def disabled() -> Any:
        shown = await service.admin.get(path)
        return shown if shown.json()["status"] == "disabled" else None

    shown = await until(disabled)
    assert shown.json()["disabled_reason"] == "gone"
    assert shown.headers["etag"] == '"v2"'
    await source.publish_trial("NCT00000002")
    await until(lambda: _listed(service, subscription, 2))
    assert [one["state"] for one in await service.deliveries(subscription)] == ["held", "held"]
    assert (await service.admin.post(f"{path}/test")).json()["code"] == "subscription_disabled"
    assert len(receiver.received) == 1

    again = {"channel": subscription["channel"], "types": [], "filter": {}, "status": "active"}
    answer = await service.admin.put(path, json=again, headers={"If-Match": '"v2"'})
    assert (answer.status_code, answer.headers["etag"], answer.json()["status"]) == (200, '"v3"', "active")
    delivered = await service.delivered(subscription, 2)
    assert sorted(one["number"] for one in delivered) == [1, 2]


async def _listed(service: Notifications, subscription: dict[str, Any], count: int) -> bool:
    return len(await service.deliveries(subscription, limit=200)) >= count


async def test_a_pause_by_the_owner_delays_deliveries_until_it_ends(
    service: Notifications, source: Source, receiver: Receiver
) -> None:
    subscription = await service.subscribe(receiver)
    path = f"{SUBSCRIPTIONS}/{subscription['id']}"
    asked = {"channel": subscription["channel"], "types": [], "filter": {}}
    paused = await service.admin.put(path, json={**asked, "status": "disabled"}, headers={"If-Match": '"v1"'})
    assert paused.json()["disabled_reason"] == "owner"
    await source.publish_trial()
    await until(lambda: service.deliveries(subscription, state="held"))
    await service.admin.put(path, json={**asked, "status": "active"}, headers={"If-Match": "*"})
    await service.delivered(subscription, 1)


async def test_numbers_have_no_gaps_with_concurrent_events(service: Notifications, source: Source) -> None:
    async with running_receiver() as one, running_receiver() as two:
        everything, some = await service.subscribe(one), await service.subscribe(two, trial=["NCT00000003"])
        one.script = [500] * 5
        tests = [service.post_until_taken(f"{SUBSCRIPTIONS}/{everything['id']}/test") for _ in range(10)]
        publications = [source.publish_trial(f"NCT0000000{n % 5}", version=n + 1) for n in range(40)]
        _, *answers = await asyncio.gather(asyncio.gather(*publications), *tests)
        assert [answer.status_code for answer in answers] == [202] * 10
        assert sorted(item["number"] for item in await service.delivered(everything, 50)) == list(range(1, 51))
        assert sorted(item["number"] for item in await service.delivered(some, 8)) == list(range(1, 9))
        numbers = {got.headers["webhook-id"]: got.number for got in one.received}
        assert sorted(numbers.values()) == list(range(1, 51))
        assert {got.event["subject"] for got in two.received} == {"trial/NCT00000003"}


async def test_an_event_repeated_by_the_feed_is_delivered_once(
    service: Notifications, source: Source, receiver: Receiver
) -> None:
    subscription = await service.subscribe(receiver)
    await source.publish_trial("NCT00000001")
    await source.publish_trial("NCT00000002")
    await service.delivered(subscription, 2)
    # The feed begins another generation: everything is read again.
    await source.restored()
    # (A waiting reader still gets the next entry, and only then its cursor is refused.)
    await source.publish_trial("NCT00000003")
    await service.delivered(subscription, 3)
    await source.publish_trial("NCT00000004")
    await service.delivered(subscription, 4)
    assert sorted(got.event["subject"] for got in receiver.received) == [f"trial/NCT0000000{n}" for n in (1, 2, 3, 4)]


async def test_a_subscriber_sees_only_what_its_audience_may_see(
    service: Notifications, source: Source, receiver: Receiver
) -> None:
    subscription = await service.subscribe(receiver, ["trial.updated"])
    public, hidden = side("public"), side("coordination")
    await source.publish_trial("CLEIO-DEMO-0001", side("demo"))
    await source.publish_trial("NCT00000001", side("organisation:other"))
    await source.publish_trial("NCT00000002", public, type="trial.published")
    await source.publish_trial("NCT00000003", hidden)
    await source.publish_trial("NCT00000004", NOT_VISIBLE, public, type="trial.withdrawn")
    await source.publish_trial("NCT00000005", side("organisation:other"), public, changed=("sponsor",))
    await source.publish_trial("NCT00000006", public)
    delivered = await service.delivered(subscription, 4)
    assert sorted((one["number"], one["event"]["type"], one["event"]["subject"]) for one in delivered) == [
        (1, "trial.updated", "trial/NCT00000003"),
        (2, "trial.removed", "trial/NCT00000004"),
        (3, "trial.removed", "trial/NCT00000005"),
        (4, "trial.updated", "trial/NCT00000006"),
    ]
    removed = next(got.event for got in receiver.received if got.event["subject"] == "trial/NCT00000005")
    assert removed["data"] == {"op": "delete", "id": "NCT00000005"}


async def test_a_bad_receiver_does_not_delay_the_others(migrated: str, source: Source, receiver: Receiver) -> None:
    async with (
        running_receiver() as black_hole,
        running_notifications(migrated, source, concurrency=5, attempt_seconds=10) as service,
    ):
        black_hole.script = ["hang"] * 1000
        stuck = await service.subscribe(black_hole)
        for n in range(20):
            await source.publish_trial(f"NCT{n}")
        await until(lambda: len(black_hole.received) == 4)
        subscription = await service.subscribe(receiver)
        for n in range(20):
            await source.publish_trial(f"NCT{n}", version=2)
        await service.delivered(subscription, 20)
        # Meanwhile the other receiver had its four attempts in progress, and no more.
        assert len(black_hole.received) == 4
        assert await service.deliveries(stuck, state="delivered") == []


async def test_retry_after_is_honoured(service: Notifications, source: Source, receiver: Receiver) -> None:
    subscription = await service.subscribe(receiver)
    receiver.script, receiver.headers = [429], {"Retry-After": "3600"}
    await source.publish_trial()

    async def tried() -> Any:
        items = await service.deliveries(subscription, state="pending")
        return items if items and items[0]["attempts"] else None

    [waiting] = await until(tried)
    assert waiting["due_at"][:13] != waiting["created_at"][:13]
    assert [one["status"] for one in waiting["attempts"]] == [429]


async def test_a_stop_releases_claims_in_progress(migrated: str, source: Source, receiver: Receiver) -> None:
    receiver.script = ["hang"]
    async with running_notifications(migrated, source, attempt_seconds=60) as service:
        subscription = await service.subscribe(receiver)
        await source.publish_trial()
        await until(lambda: receiver.received)
    async with running_notifications(migrated, source) as service:
        [logged] = await service.delivered(subscription, 1)
    assert len(receiver.received) == 2
    # It does not count as a failure of the receiver.
    assert [one["status"] for one in logged["attempts"]] == [204]


async def test_two_processes_share_a_ledger_on_postgresql_and_never_on_sqlite(
    migrated: str, source: Source, receiver: Receiver
) -> None:
    # Longer than any attempt here: on a busy machine a lease could end, and its delivery would be repeated.
    async with running_notifications(migrated, source, attempt_seconds=60) as one:
        subscription = await one.subscribe(receiver)
        if migrated.startswith("sqlite"):
            with pytest.raises(OwnedElsewhereError):
                async with running_notifications(migrated, source):
                    pass
            return
        async with running_notifications(migrated, source, attempt_seconds=60) as two:
            for n in range(40):
                await source.publish_trial(f"NCT{n}")
            delivered = await two.delivered(subscription, 40)
    assert sorted(logged["number"] for logged in delivered) == list(range(1, 41))
    # Each was claimed by one process, and has one id.
    assert len(receiver.received) == 40
    assert {got.headers["webhook-id"] for got in receiver.received} == {logged["id"] for logged in delivered}


async def test_of_two_processes_that_begin_a_feed_together_one_takes_the_first_batch(postgresql_url: str) -> None:
    await migrate(postgresql_url)
    database = open_database(postgresql_url)
    async with database.transaction() as connection:
        assert await EventRepository(connection).advance("registry", None, "/one")

        async def other() -> bool:
            async with database.transaction() as second:
                return await EventRepository(second).advance("registry", None, "/two")

        waiting = asyncio.create_task(other())
        await asyncio.sleep(0.1)
    assert await waiting is False
    async with database.read() as connection:
        assert await EventRepository(connection).position("registry") == "/one"
    await database.close()


async def test_a_feed_that_was_down_is_read_again(migrated: str, tmp_path: Path, receiver: Receiver) -> None:
    async with running_source(tmp_path) as source:
        down = Source("http://127.0.0.1:9", source.database, source.log)
        async with running_notifications(migrated, down) as service:
            subscription = await service.subscribe(receiver)
            assert (await service.admin.get("/notifications/readyz")).status_code == 200
            await source.publish_trial()
        async with running_notifications(migrated, source) as service:
            await service.delivered(subscription, 1)
            health = (await service.admin.get("/notifications/readyz")).json()
            assert health["ready"] is True
            assert (health["detail"]["queue_depth"], health["detail"]["oldest_due_seconds"]) == (0, None)
            assert health["detail"]["feed"]["lag_seconds"] >= 0


async def test_readiness_reports_the_backlog_and_its_age(migrated: str, source: Source, receiver: Receiver) -> None:
    async with running_notifications(migrated, source, concurrency=1, attempt_seconds=60) as service:
        receiver.script = ["hang"]
        await service.subscribe(receiver)
        for n in range(3):
            await source.publish_trial(f"NCT{n}")

        async def waiting() -> Any:
            detail = (await service.admin.get("/notifications/readyz")).json()["detail"]
            return detail if detail["queue_depth"] == 3 else None

        assert (await until(waiting))["oldest_due_seconds"] >= 0


async def test_a_test_event_is_sent_through_the_ledger(service: Notifications, receiver: Receiver) -> None:
    subscription = await service.subscribe(receiver, ["trial.withdrawn"], trial=["NCT00000009"])
    answer = await service.admin.post(f"{SUBSCRIPTIONS}/{subscription['id']}/test")
    assert answer.status_code == 202
    [logged] = await service.delivered(subscription, 1)
    event = Webhook(subscription["secret"]).verify(receiver.received[0].body, dict(receiver.received[0].headers))
    assert answer.json() == {"id": logged["id"], "number": 1}
    assert (event["type"], event["subject"]) == ("subscription.test", f"subscription/{subscription['id']}")
