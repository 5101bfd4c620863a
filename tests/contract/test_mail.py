"""Notices by e-mail, on both databases, with a real feed and a real mail server."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from services.notifications.channels.smtp import SmtpChannel, read_smtp_url
from services.notifications.link_tokens import MailTokens
from services.notifications.mailing.dispatcher import MailDispatcher, MailPolicy
from services.notifications.mailing.messages import Writer
from services.notifications.tables import consent_requests
from shared.feed import Change
from shared.persistence import open_database
from tests.conftest import token_of
from tests.contract.mail import (
    ADDRESS,
    MAIL,
    SENDER,
    MailServer,
    client_of,
    confirmed,
    html_of,
    link_of,
    log,
    running_mail_server,
    subscribe,
    text_of,
    visit,
)
from tests.contract.notifications import Notifications, Source, new_key, running_notifications, side, until
from tests.contract.test_notifications_crash import running_program

pytestmark = pytest.mark.anyio

REFERRAL = "REF-7K2M-Q9XT-4HWD"


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with running_mail_server() as server:
        yield server


@pytest.fixture
async def mailing(migrated: str, source: Source, mail: MailServer) -> AsyncIterator[Notifications]:
    async with running_notifications(migrated, source, **mail.settings) as service:
        yield service


async def refer(source: Source, **data: Any) -> None:
    await source.publish_trial(
        subject=f"referral/{REFERRAL}", type="referral.sent", after=side("coordination"), version=1, extra=data
    )


async def test_an_address_agrees_and_gets_what_happens_next_in_french_or_english(
    mailing: Notifications, source: Source, mail: MailServer
) -> None:
    made = await subscribe(mailing)
    assert (made["status"], made["confirmed_at"], made["channel"]["language"]) == ("unconfirmed", None, "fr")
    request = await mail.next(1)
    assert (request["To"], request["From"], request["List-Unsubscribe"]) == (ADDRESS, SENDER, None)
    # What happens before the address has agreed is not for it; a GET, as by programs that check links, changes nothing.
    await source.publish_trial("NCT00000001")
    page = await visit(mailing, "GET", link_of(request))
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<form method="post">' in page.text
    assert (await mailing.admin.get(f"{MAIL}/{made['id']}")).json()["status"] == "unconfirmed"
    for _ in range(2):
        assert (await visit(mailing, "POST", link_of(request))).status_code == 200
    assert (await mailing.admin.get(f"{MAIL}/{made['id']}")).json()["status"] == "active"

    english = await subscribe(mailing, language="en", address="research@hospital.example")
    asked = await mail.next(2)
    assert (asked["Subject"], asked["Content-Language"]) == ("[CLEIO] Confirm your subscription", "en")
    await visit(mailing, "POST", link_of(asked))
    await source.publish_trial("NCT00000002", type="trial.published")
    await mail.next(4)
    french, other = sorted(mail.received[2:], key=lambda one: str(one["To"] != ADDRESS))
    assert french["Subject"] == "[CLEIO] Un essai a été publié"
    assert "- Un essai a été publié\u00a0: NCT00000002\n" in text_of(french)
    assert "http://127.0.0.1:8080/trials/NCT00000002" in text_of(french)
    assert "http://127.0.0.1:8080/en/trials/NCT00000002" in text_of(other)
    assert "A trial was published: NCT00000002\n" in text_of(other)
    assert all("NCT00000001" not in text_of(one) for one in mail.received)
    assert french["Auto-Submitted"] == "auto-generated"
    assert french["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert french["Message-ID"].startswith(f"<{made['id']}.2.")
    assert french["Date"]
    assert [word for word in ("<img", "<script", "<link", "src=", "style") if word in html_of(french)] == []
    await until(lambda: _all_delivered(mailing, english))
    [delivered, consent] = await log(mailing, english)
    assert [one["status"] for one in delivered["attempts"]] == [250]
    assert consent["event"]["type"] == "subscription.confirm"


async def test_an_address_gets_three_requests_for_consent_a_day_and_the_caller_learns_nothing(
    mailing: Notifications, mail: MailServer
) -> None:
    spellings = (ADDRESS, ADDRESS.upper(), ADDRESS.replace("@", "+x@"), ADDRESS, ADDRESS)
    made = [await subscribe(mailing, address=one) for one in spellings]
    variable = ("id", "channel", "created_at", "updated_at")
    assert len({json.dumps({**one, **dict.fromkeys(variable)}) for one in made}) == 1
    await subscribe(mailing, address="other@chu.example")
    await mail.next(4)
    # Whatever is set afterwards, the others are never sent.
    for status in ("disabled", "active"):
        change = {"channel": made[4]["channel"], "status": status}
        answer = await mailing.admin.put(f"{MAIL}/{made[4]['id']}", json=change, headers={"If-Match": "*"})
        assert answer.status_code == 200
    assert answer.json()["status"] == "unconfirmed"
    async with mailing.app.state.database.transaction() as connection:
        ended = datetime.now(UTC) - timedelta(days=1)
        await connection.execute(update(consent_requests).values(since=ended))
    await subscribe(mailing)
    await mail.next(5)
    assert sum(one["To"] == "other@chu.example" for one in mail.received) == 1
    assert len(mail.received) == 5


async def test_a_message_holds_a_reference_and_nothing_else_of_a_referral(
    mailing: Notifications, source: Source, mail: MailServer
) -> None:
    await confirmed(mailing, mail, types=[])
    await refer(source, state="sent", centre="fr-necker", trial="NCT00000009", note="boy of nine")
    message = await mail.next(1)
    body = text_of(message)
    assert f"- Une demande d'adressage a été envoyée\u00a0: {REFERRAL}\n" in body
    assert f"http://127.0.0.1:8080/registry/v1/referrals/{REFERRAL}" in body
    whole = message.as_string() + body + html_of(message)
    assert [word for word in ("necker", "NCT00000009", "boy", "nine") if word in whole] == []


async def test_one_click_ends_it_at_once_and_deletes_the_address(
    mailing: Notifications, source: Source, mail: MailServer
) -> None:
    made = await confirmed(mailing, mail)
    await source.publish_trial("NCT00000001")
    message = await mail.next(1)
    link = link_of(message)
    assert message["List-Unsubscribe"] == f"<http://127.0.0.1:8080{link}>"
    assert "<button>" in (await visit(mailing, "GET", link)).text
    assert (await mailing.admin.get(f"{MAIL}/{made['id']}")).status_code == 200
    one_click = {"data": {"List-Unsubscribe": "One-Click"}}  # RFC 8058
    assert (await visit(mailing, "POST", link, **one_click)).status_code == 200
    assert (await mailing.admin.get(f"{MAIL}/{made['id']}")).status_code == 404
    assert (await visit(mailing, "POST", link)).status_code == 200  # again
    assert (await visit(mailing, "GET", link, headers={"Accept": "application/json"})).json() == {
        "act": "unsubscribe",
        "done": True,
    }
    # The token of one act does nothing else, and a forged one nothing at all.
    assert (await visit(mailing, "POST", link.replace("unsubscribe", "confirm"))).status_code == 404
    assert (await visit(mailing, "POST", link[:-4] + "AAAA")).status_code == 404
    await source.publish_trial("NCT00000002")
    other = await subscribe(mailing)
    await mail.next(2)
    assert len(mail.received) == 2
    assert mail.received[1]["Message-ID"].startswith(f"<{other['id']}.1.")


async def test_a_server_that_is_busy_or_down_gets_one_message_later(
    migrated: str, source: Source, mail: MailServer
) -> None:
    async with running_notifications(migrated, source, **mail.settings, retry_seconds=(0, *[0.1] * 49)) as mailing:
        made = await confirmed(mailing, mail)
        mail.script = [("rcpt", "450 4.2.0 Greylisted"), ("data", "421 4.3.2 Shutting down")]
        await source.publish_trial("NCT00000001")
        await mail.next(1)
        await mail.close()
        several = (("NCT00000002", 1), ("NCT00000003", 1), ("NCT00000003", 2))
        await source.publish(
            *(
                Change("trial.updated", f"trial/{trial}", version, side("public"), side("public"))
                for trial, version in several
            )
        )
        await until(lambda: _tried(mailing, made, 3))
        await mail.open()
        await until(lambda: _all_delivered(mailing, made))
    first, *rest = mail.received
    assert "NCT00000001" in text_of(first)
    # What happened together is one message, with one line for the same change twice.
    assert [[name in text_of(one) for name in ("NCT00000002", "NCT00000003")] for one in rest] == [[True, True]]
    assert rest[0]["Subject"] == "[CLEIO] 2 nouveautés"


async def _tried(mailing: Notifications, made: dict[str, Any], count: int) -> bool:
    newest = (await log(mailing, made))[:count]
    return all(any(one["error"] == "connect_failed" for one in item["attempts"]) for item in newest)


async def _all_delivered(mailing: Notifications, made: dict[str, Any]) -> bool:
    return {one["state"] for one in await log(mailing, made)} == {"delivered"}


async def test_three_refusals_for_good_disable_it_and_nothing_is_lost(
    mailing: Notifications, source: Source, mail: MailServer
) -> None:
    made = await confirmed(mailing, mail)
    path = f"{MAIL}/{made['id']}"
    mail.script = [("rcpt", "550 5.1.1 No such user")] * 3
    await source.publish_trial("NCT00000001")

    async def disabled() -> Any:
        found = (await mailing.admin.get(path)).json()
        return found if found["status"] == "disabled" else None

    found = await until(disabled)
    assert (found["disabled_reason"], mail.tried, mail.received) == ("refused", 3, [])
    assert [one["state"] for one in await log(mailing, made)] == ["held", "delivered"]
    asked = {"channel": found["channel"], "types": [], "status": "active"}
    moved = {**asked, "channel": {**found["channel"], "address": "another@chu.example"}}
    headers = {"If-Match": f'"v{found["version"]}"'}
    refused = await mailing.admin.put(path, json=moved, headers=headers)
    assert [one["code"] for one in refused.json()["errors"]] == ["address_fixed"]
    assert (await mailing.admin.put(path, json=asked, headers=headers)).json()["status"] == "active"
    assert "NCT00000001" in text_of(await mail.next(1))


async def test_a_digest_is_one_message_at_its_hour(migrated: str, source: Source, mail: MailServer) -> None:
    async with running_notifications(migrated, source, **mail.settings) as mailing:
        made = await confirmed(mailing, mail, frequency="weekly")
        for number in range(3):
            await source.publish_trial(f"NCT0000000{number}")
        items = await until(lambda: _listed(mailing, made, 4))
        due = {datetime.fromisoformat(one["due_at"]) for one in items if one["state"] == "pending"}
    [monday] = due
    assert (monday.isoweekday(), monday - datetime.now(UTC) <= timedelta(days=7)) == (1, True)
    assert mail.received == []
    database = open_database(migrated)
    try:
        before, after = (_dispatcher(database, mail, monday + timedelta(seconds=seconds)) for seconds in (-1, 1))
        assert (await before.send_due(), await after.send_due()) == (0, 1)
    finally:
        await database.close()
    [message] = mail.received
    assert text_of(message).count("NCT0000000") == 6  # a number and a link for each


async def _listed(mailing: Notifications, made: dict[str, Any], count: int) -> list[dict[str, Any]] | None:
    items = await log(mailing, made)
    return items if len(items) == count else None


def _dispatcher(database: Any, mail: MailServer, now: datetime) -> MailDispatcher:
    channel = SmtpChannel(read_smtp_url(mail.settings["smtp_url"]), SENDER, 5)
    writer = Writer(SENDER, "http://127.0.0.1:8080", MailTokens(bytes(32)))
    return MailDispatcher(database, channel, writer, MailPolicy((0, 1), 10, 0, 1), clock=lambda: now)


async def test_an_address_that_is_not_one_is_refused(mailing: Notifications, mail: MailServer) -> None:
    for address in (
        "a@chu.example\r\nBcc: b@chu.example",
        "a@chu.example\n",
        "a@chu.example, b@chu.example",
        "A <a@chu.example>",
        "a@localhost",
        "a b@chu.example",
        '"a"@chu.example',
        "a@[127.0.0.1]",
        "é@chu.example",
        "a@" + "x" * 250 + ".example",
    ):
        asked = {"channel": {"type": "email", "address": address}}
        answer = await mailing.admin.post(MAIL, json=asked, headers=new_key())
        assert answer.status_code == 422, address
        assert [one["pointer"] for one in answer.json()["errors"]] == ["/channel/address"]
    made = await subscribe(mailing, address="recherche@hôpital.example")
    assert made["channel"]["address"] == "recherche@xn--hpital-ixa.example"
    assert (await mail.next(1))["To"] == "recherche@xn--hpital-ixa.example"


async def test_another_organisation_sees_nothing_of_it_and_without_a_server_there_is_none(
    migrated: str, source: Source, mail: MailServer
) -> None:
    async with running_notifications(migrated, source, **mail.settings, subscriptions_per_organisation=2) as mailing:
        made = await confirmed(mailing, mail)
        path = f"{MAIL}/{made['id']}"
        async with client_of(mailing.app, token=token_of("hospital", "system", organisation="other")) as other:
            for method, place in (
                ("GET", path),
                ("DELETE", path),
                ("GET", f"{path}/deliveries"),
                ("POST", f"{path}/test"),
            ):
                assert (await other.request(method, place, headers={"If-Match": "*"})).status_code == 404, place
            assert (await other.get(MAIL)).json()["items"] == []
        # It is no webhook.
        assert (await mailing.admin.get("/notifications/v1/subscriptions")).json()["items"] == []
        assert (await mailing.admin.get(f"/notifications/v1/subscriptions/{made['id']}")).status_code == 404
        assert [one["id"] for one in (await mailing.admin.get(MAIL)).json()["items"]] == [made["id"]]
        await subscribe(mailing)
        asked = {"channel": {"type": "email", "address": ADDRESS}}
        refused = await mailing.admin.post(MAIL, json=asked, headers=new_key())
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_subscriptions")
        assert (await mailing.admin.post(f"{path}/test")).status_code == 202
        await until(lambda: any("message de test" in str(one["Subject"]) for one in mail.received))
        assert (await mailing.admin.delete(path, headers={"If-Match": '"v9"'})).status_code == 412
        assert (await mailing.admin.delete(path, headers={"If-Match": '"v2"'})).status_code == 204
    async with running_notifications(migrated, source) as silent:
        answer = await silent.admin.post(MAIL, json=asked, headers=new_key())
        assert (answer.status_code, answer.json()["code"]) == (409, "mail_not_configured")


async def test_killed_before_the_record_it_sends_the_same_message_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'notifications.db'}"
    async with running_mail_server() as mail, running_program(url, tmp_path, **_environment(mail)) as running:
        program, source, service = running
        made = await subscribe(service)
        assert (await service.admin.post(link_of(await mail.next(1)))).status_code == 200
        # With its ledger locked, the service can hear the reply and not write it down.
        mail.hold.clear()
        await source.publish_trial("NCT00000001")
        await until(lambda: mail.tried == 2)
        ledger = open_database(url, exclusive=False)
        async with ledger.transaction() as connection:
            await connection.execute(text("UPDATE deliveries SET number = number"))
            mail.hold.set()
            await mail.next(2)
            await program.kill()
            await connection.rollback()
        await ledger.close()
        await program.start()
        await mail.next(3)
        await until(lambda: _all_delivered(service, made))
        [delivered, _] = await log(service, made)
    assert [one["error"] or one["status"] for one in delivered["attempts"]] == ["interrupted", 250]
    first, second = mail.received[1:]
    assert (first["Message-ID"], text_of(first).count("NCT00000001")) == (second["Message-ID"], 2)


def _environment(mail: MailServer) -> dict[str, str]:
    return {f"CLEIO_NOTIFICATIONS_{name.upper()}": str(value) for name, value in mail.settings.items()}
