"""E-mail about a disease without an account, on both databases, with a real feed and a real mail server."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from tests.conftest import client_of
from tests.contract.mail import PUBLIC_MAIL, MailServer, link_of, running_mail_server, visit
from tests.contract.notifications import Notifications, Source, running_notifications, side, until

pytestmark = pytest.mark.anyio
ADDRESS = "parent@example.org"
ASKED = {"address": ADDRESS, "condition": "ORPHA:98896"}


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with running_mail_server() as server:
        yield server


@pytest.fixture
async def mailing(migrated: str, source: Source, mail: MailServer) -> AsyncIterator[Notifications]:
    async with running_notifications(migrated, source, **mail.settings) as service:
        yield service


async def rows(service: Notifications, statement: str) -> list[str]:
    async with service.app.state.database.read(as_service=True) as connection:
        return [str(row[0]) for row in await connection.execute(text(statement))]


async def test_a_parent_is_asked_once_agrees_is_informed_of_the_disease_and_leaves_in_one_click(
    mailing: Notifications, source: Source, mail: MailServer
) -> None:
    answers = [await visit(mailing, "POST", PUBLIC_MAIL, json=ASKED) for _ in range(2)]
    assert [(one.status_code, one.json()) for one in answers] == [(202, {"status": "asked", "valid_days": 7})] * 2
    request = await mail.next(1)
    assert request["To"] == ADDRESS
    assert "ORPHA" not in request.as_string()
    assert (await visit(mailing, "POST", link_of(request))).status_code == 200
    # A subscriber gets the same answer, and no message.
    again = await visit(mailing, "POST", PUBLIC_MAIL, json={**ASKED, "address": ADDRESS.upper()})
    assert (again.status_code, again.json()) == (202, answers[0].json())

    await source.publish_trial("NCT00000001", type="trial.published", after=side("public", condition="ORPHA:98896"))
    await source.publish_trial("NCT00000002", type="trial.published", after=side("public", condition="ORPHA:70"))
    await source.publish_trial("NCT00000003", type="trial.published", after=side("demo", condition="ORPHA:98896"))
    statement = "SELECT e.subject FROM deliveries d JOIN events e ON e.id = d.event_id WHERE d.state = 'pending'"
    assert await until(lambda: rows(mailing, statement)) == ["trial/NCT00000001"]
    assert len(mail.received) == 1  # the notice leaves in the morning

    [identifier] = await rows(mailing, "SELECT id FROM subscriptions")
    leave = mailing.app.state.runtime.mail_tokens.make("unsubscribe", identifier)
    assert (await visit(mailing, "POST", f"/notifications/v1/unsubscribe/{leave}")).status_code == 200
    assert await rows(mailing, "SELECT url FROM subscriptions") == []


async def test_no_address_is_flooded_and_no_answer_shows_who_is_subscribed(
    mailing: Notifications, mail: MailServer
) -> None:
    codes = ["ORPHA:98896", "ORPHA:70", "ORPHA:589", "ORPHA:276", "ORPHA:906"]
    answers = [await visit(mailing, "POST", PUBLIC_MAIL, json={**ASKED, "condition": code}) for code in codes]
    assert {one.status_code for one in answers} == {202}
    await mail.next(3)
    others = [
        await visit(mailing, "POST", PUBLIC_MAIL, json={**ASKED, "address": f"parent{number}@example.org"})
        for number in range(6)
    ]
    assert [one.status_code for one in others] == [202] * 5 + [429]
    async with client_of(mailing.app, address="203.0.113.77") as another:
        assert (await another.post(PUBLIC_MAIL, json={**ASKED, "address": "b@example.org"})).status_code == 202
        wrong = await another.post(PUBLIC_MAIL, json={"address": "x@", "condition": "?"})
    assert [one["pointer"] for one in wrong.json()["errors"]] == ["/address", "/condition"]
    await until(lambda: len(mail.received) == 9)
    assert len([one for one in mail.received if one["To"] == ADDRESS]) == 3


async def test_without_a_mail_server_it_says_so(migrated: str, source: Source) -> None:
    async with running_notifications(migrated, source) as silent:
        assert (await visit(silent, "GET", PUBLIC_MAIL)).json() == {"available": False}
        answer = await visit(silent, "POST", PUBLIC_MAIL, json=ASKED)
    assert (answer.status_code, answer.json()["code"]) == (409, "mail_not_configured")
