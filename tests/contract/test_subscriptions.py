"""Subscriptions over HTTP, on both databases."""

import base64
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.conftest import INTERNAL, client_of, token_of
from tests.contract.notifications import (
    Notifications,
    Receiver,
    Source,
    new_key,
    running_notifications,
    running_receiver,
    side,
    until,
)

pytestmark = pytest.mark.anyio

SUBSCRIPTIONS = "/notifications/v1/subscriptions"
SUMMARIES = "/notifications/v1/subscription-summaries"


async def test_a_secret_is_shown_once_and_stored_encrypted(
    service: Notifications, receiver: Receiver, migrated: str, tmp_path: Path
) -> None:
    subscription = await service.subscribe(receiver)
    secret = base64.b64decode(subscription["secret"].removeprefix("whsec_"))
    assert len(secret) == 32
    path = f"{SUBSCRIPTIONS}/{subscription['id']}"
    for answer in (
        await service.admin.get(path),
        await service.admin.get(SUBSCRIPTIONS),
        await service.admin.get(f"{path}/deliveries"),
    ):
        assert "whsec" not in answer.text
        assert "secret" not in answer.text
    if migrated.startswith("sqlite"):
        stored = b"".join(file.read_bytes() for file in tmp_path.glob("test.db*"))  # noqa: ASYNC240
        assert subscription["id"].encode() in stored
        assert secret not in stored
        assert base64.b64encode(secret) not in stored


async def test_after_a_rotation_both_secrets_sign_until_the_stated_time(
    service: Notifications, receiver: Receiver
) -> None:
    made = await service.subscribe(receiver)
    path, secrets = f"{SUBSCRIPTIONS}/{made['id']}", [made["secret"]]
    stale = await service.admin.post(f"{path}/rotate", json={}, headers={**new_key(), "If-Match": '"v9"'})
    assert stale.status_code == 412
    for hours, valid in ((24, [True, True]), (0, [False, False, True])):
        key = new_key()
        headers = {**key, "If-Match": "*"}
        rotated = await service.admin.post(f"{path}/rotate", json={"overlap_hours": hours}, headers=headers)
        assert (rotated.status_code, rotated.headers["cache-control"]) == (200, "no-store")
        again = await service.admin.post(f"{path}/rotate", json={"overlap_hours": hours}, headers=headers)
        assert {**again.json(), "secret": rotated.json()["secret"]} == rotated.json()
        assert (rotated.json()["two_signatures_until"] is not None) == (hours > 0)
        secrets.append(rotated.json()["secret"])
        assert (await service.admin.post(f"{path}/test", json={}, headers=new_key())).status_code == 202
        await service.delivered(made, len(secrets) - 1)
        got = receiver.received[-1]
        assert [_signed(got.body, dict(got.headers), secret) for secret in secrets] == valid


def _signed(body: bytes, headers: dict[str, str], secret: str) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


async def test_the_answer_to_a_creation_names_the_location(service: Notifications, receiver: Receiver) -> None:
    asked = {
        "channel": {"type": "webhook", "url": receiver.url},
        "types": ["trial.published"],
        "filter": {"condition": ["ORPHA:232"]},
    }
    made = await service.admin.post(SUBSCRIPTIONS, json=asked, headers=new_key())
    assert made.status_code == 201
    assert made.headers["location"] == f"{SUBSCRIPTIONS}/{made.json()['id']}"
    assert (made.headers["etag"], made.headers["cache-control"]) == ('"v1"', "no-store")
    read = await service.admin.get(made.headers["location"])
    assert {**read.json(), "secret": made.json()["secret"]} == made.json()
    assert (await service.admin.get(made.headers["location"], headers={"If-None-Match": '"v1"'})).status_code == 304


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"types": ["trial.status_changed", "trial.vanished"]}, "/types/1", "literal_error"),
    ({"types": ["match.found"]}, "/types/0", "literal_error"),  # no service sends it yet
    ({"channel": {"type": "carrier_pigeon", "url": "https://example.com/"}}, "/channel/type", "literal_error"),
    ({"channel": {"type": "webhook", "url": "https://169.254.169.254/latest"}}, "/channel/url", "address_refused"),
    ({"channel": {"type": "webhook", "url": "https://10.0.0.1/"}}, "/channel/url", "address_refused"),
    ({"channel": {"type": "webhook", "url": "https://0x7f.1/"}}, "/channel/url", "url_refused"),
    ({"channel": {"type": "webhook", "url": "ftp://example.com/"}}, "/channel/url", "url_refused"),
    ({"channel": {"type": "webhook", "url": "https://name.invalid/"}}, "/channel/url", "unresolved"),
    ({"filter": {"colour": ["red"]}}, "/filter/colour", "extra_forbidden"),
    ({"filter": {"condition": ["sickle cell"]}}, "/filter/condition/0", "string_pattern_mismatch"),
    ({"filter": {"departement": ["99"]}}, "/filter/departement/0", "string_pattern_mismatch"),
    ({"secret": "whsec_mine"}, "/secret", "extra_forbidden"),
    ({"channel": None}, "/channel", "model_attributes_type"),
]


async def test_an_invalid_subscription_is_refused_with_its_place(service: Notifications, receiver: Receiver) -> None:
    for asked, pointer, code in REFUSED:
        answer = await service.admin.post(
            SUBSCRIPTIONS,
            json={"channel": {"type": "webhook", "url": receiver.url}, "types": [], **asked},
            headers=new_key(),
        )
        assert answer.status_code == 422, (asked, answer.text)
        assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(pointer, code)]
    assert (await service.admin.get(SUBSCRIPTIONS)).json()["items"] == []


async def test_changes_need_the_current_version(service: Notifications, receiver: Receiver) -> None:
    subscription = await service.subscribe(receiver)
    path = f"{SUBSCRIPTIONS}/{subscription['id']}"
    asked = {"channel": subscription["channel"], "types": ["trial.published"], "filter": {"trial": ["NCT1"]}}
    assert (await service.admin.put(path, json=asked)).status_code == 428
    assert (await service.admin.delete(path)).status_code == 428
    assert (await service.admin.put(path, json=asked, headers={"If-Match": '"v9"'})).status_code == 412
    assert (await service.admin.delete(path, headers={"If-Match": '"v9"'})).status_code == 412
    changed = await service.admin.put(path, json=asked, headers={"If-Match": '"v1"'})
    assert (changed.json()["version"], changed.json()["types"], changed.json()["filter"]["trial"]) == (
        2,
        ["trial.published"],
        ["NCT1"],
    )
    hostile = {**asked, "channel": {"type": "webhook", "url": "https://192.168.1.1/"}}
    assert (await service.admin.put(path, json=hostile, headers={"If-Match": '"v2"'})).json()["errors"][0][
        "pointer"
    ] == "/channel/url"


async def test_a_changed_subscription_gets_the_events_of_its_new_filter(
    service: Notifications, source: Source, receiver: Receiver
) -> None:
    subscription = await service.subscribe(receiver, trial=["NCT00000001"])
    await source.publish_trial("NCT00000001")
    await service.delivered(subscription, 1)
    asked = {"channel": subscription["channel"], "types": [], "filter": {"trial": ["NCT00000002"]}}
    await service.admin.put(f"{SUBSCRIPTIONS}/{subscription['id']}", json=asked, headers={"If-Match": '"v1"'})
    await source.publish_trial("NCT00000001", version=2)
    await source.publish_trial("NCT00000002")
    delivered = await service.delivered(subscription, 2)
    assert [one["event"]["subject"] for one in delivered] == ["trial/NCT00000002", "trial/NCT00000001"]


async def test_a_trial_is_followed_by_any_spelling_of_its_number(
    service: Notifications, source: Source, receiver: Receiver
) -> None:
    subscription = await service.subscribe(receiver, trial=["nct 0000 0002"])
    await source.publish_trial("NCT00000001")
    await source.publish_trial("NCT00000002")
    [delivered] = await service.delivered(subscription, 1)
    assert delivered["event"]["subject"] == "trial/NCT00000002"


async def test_a_deleted_subscription_gets_no_more_events(
    service: Notifications, source: Source, receiver: Receiver
) -> None:
    async with running_receiver() as other:
        gone, stays = await service.subscribe(receiver), await service.subscribe(other)
        receiver.script = [500] * 3
        await source.publish_trial("NCT00000001")
        await service.delivered(stays, 1)
        path = f"{SUBSCRIPTIONS}/{gone['id']}"
        assert (await service.admin.delete(path, headers={"If-Match": "*"})).status_code == 204
        assert (await service.admin.get(path)).status_code == 404
        assert (await service.admin.get(f"{path}/deliveries")).status_code == 404
        seen = len(receiver.received)
        await source.publish_trial("NCT00000002")
        await service.delivered(stays, 2)
        assert len(receiver.received) <= seen + 1
        assert "trial/NCT00000002" not in {got.event["subject"] for got in receiver.received}


async def test_without_a_token_only_the_owner_s_program_may_call(service: Notifications, receiver: Receiver) -> None:
    subscription = await service.subscribe(receiver)
    one = f"{SUBSCRIPTIONS}/{subscription['id']}"
    calls = [
        ("GET", SUBSCRIPTIONS),
        ("POST", SUBSCRIPTIONS),
        ("GET", one),
        ("PUT", one),
        ("DELETE", one),
        ("GET", f"{one}/deliveries"),
        ("POST", f"{one}/test"),
    ]
    async with client_of(service.app) as anonymous, client_of(service.app, token=INTERNAL) as sibling:
        for method, path in calls:
            assert (await anonymous.request(method, path)).status_code == 401, (method, path)
            assert (await sibling.request(method, path)).status_code == 404, (method, path)
    unknown = f"{SUBSCRIPTIONS}/00000000-0000-0000-0000-000000000000"
    for method, path in (
        ("GET", unknown),
        ("DELETE", unknown),
        ("GET", f"{unknown}/deliveries"),
        ("POST", f"{unknown}/test"),
    ):
        assert (await service.admin.request(method, path, headers={"If-Match": "*"})).status_code == 404, (method, path)


async def test_lists_are_read_in_pages(service: Notifications, receiver: Receiver) -> None:
    made = [(await service.subscribe(receiver))["id"] for _ in range(5)]
    for _ in range(5):
        await service.admin.post(f"{SUBSCRIPTIONS}/{made[0]}/test")
    assert [one["id"] for one in await _walk(service, SUBSCRIPTIONS)] == made
    assert [one["number"] for one in await _walk(service, f"{SUBSCRIPTIONS}/{made[0]}/deliveries")] == [5, 4, 3, 2, 1]


async def test_the_coordination_sees_owners_and_status_of_subscriptions_only(
    service: Notifications, receiver: Receiver
) -> None:
    asked = {
        "channel": {"type": "webhook", "url": receiver.url},
        "types": ["trial.updated"],
        "filter": {"condition": ["ORPHA:98896"]},
    }
    made = []
    for name in ("one-hospital", "another-hospital", "a-third"):
        async with client_of(service.app, token=token_of("hospital", "system", organisation=name)) as hospital:
            made.append((await hospital.post(SUBSCRIPTIONS, json=asked, headers=new_key())).json())
            assert (await hospital.get(SUMMARIES)).status_code == 403
    seen = await _walk(service, SUMMARIES)
    assert [(one["organisation"], one["id"], one["status"]) for one in seen] == [
        (name, one["id"], "active")
        for name, one in zip(("one-hospital", "another-hospital", "a-third"), made, strict=True)
    ]
    assert (await service.admin.get(f"{SUBSCRIPTIONS}/{made[0]['id']}")).status_code == 404
    shown = (await service.admin.get(SUMMARIES)).text
    assert [value for value in (receiver.url, "127.0.0.1", "trial.updated", "ORPHA") if value in shown] == []


async def _walk(service: Notifications, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    following: str | None = f"{path}?limit=2"
    while following:
        page = await service.admin.get(following)
        assert len(page.json()["items"]) <= 2
        items += page.json()["items"]
        following = page.links["next"]["url"] if page.json()["next"] else None
    return items


async def test_a_subscription_receives_only_what_its_creator_may_read_in_the_feed(
    service: Notifications, receiver: Receiver, source: Source
) -> None:
    """A token that may subscribe and may not read unpublished data gets none of it in this way."""
    asked = {"channel": {"type": "webhook", "url": receiver.url}, "types": []}
    limited = token_of(
        "coordination", "editor", organisation="coordination", scopes=["subscription.read", "subscription.write"]
    )
    async with client_of(service.app, token=limited) as caller:
        assert (await caller.post(SUBSCRIPTIONS, json=asked, headers=new_key())).status_code == 201
    await source.publish_trial("NCT00000001", after=side("coordination"))
    await source.publish_trial("NCT00000002", after=side("public"))
    await until(lambda: receiver.received)
    assert [one.event["data"]["id"] for one in receiver.received] == ["NCT00000002"]


async def test_an_organisation_has_a_maximum_of_subscriptions(
    migrated: str, source: Source, receiver: Receiver
) -> None:
    async with running_notifications(migrated, source, subscriptions_per_organisation=2) as service:
        first, _ = [await service.subscribe(receiver) for _ in range(2)]
        asked = {"channel": {"type": "webhook", "url": receiver.url}, "types": []}
        refused = await service.admin.post(SUBSCRIPTIONS, json=asked, headers=new_key())
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_subscriptions")
        await service.admin.delete(f"{SUBSCRIPTIONS}/{first['id']}", headers={"If-Match": "*"})
        await service.subscribe(receiver)
