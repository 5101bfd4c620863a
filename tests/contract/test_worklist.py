"""Worklists over HTTP: what waits for each party, as JSON, CSV and calendar."""

import csv
import io
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, update

from services.registry.capabilities.tables import capabilities
from services.registry.referrals.tables import referrals
from services.registry.trials.tables import sites, trials
from tests.conftest import client_of, token_of
from tests.contract.test_referrals import CENTRE, NUMBER, TODAY, Parties, parties

pytestmark = pytest.mark.anyio
__all__ = ["parties"]

WORKLIST = "/registry/v1/worklist"


async def items(client: httpx.AsyncClient, query: str = "") -> dict[str, Any]:
    answer = await client.get(f"{WORKLIST}{query}")
    assert answer.status_code == 200, answer.text
    return {one["kind"]: one for one in answer.json()["items"]}


async def sent_on(parties: Parties, day: date, **changes: Any) -> str:
    """Send a referral as if it had been sent on an earlier day."""
    reference = str((await parties.send(**changes))["reference"])
    async with parties.app.state.database.transaction(as_service=True) as connection:
        earlier = {"since": day, "hospital_since": day}
        await connection.execute(update(referrals).where(referrals.c.reference == reference).values(**earlier))
    return reference


@pytest.fixture
async def sponsor(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, token=token_of("sponsor", "editor", organisation="acme")) as client:
        yield client


async def test_each_party_sees_what_it_has_to_do(parties: Parties, sponsor: httpx.AsyncClient) -> None:
    late = await sent_on(parties, TODAY - timedelta(days=20), refer_before=f"{TODAY:%Y-%m}")
    asked, not_now, declined = [(await parties.send())["reference"] for _ in range(3)]
    await parties.walk(asked, "more_asked")
    await parties.walk(not_now, "not_now")
    await parties.walk(declined, "declined")
    async with parties.app.state.database.transaction(as_service=True) as connection:
        stale = datetime.now(UTC) - timedelta(days=40)
        await connection.execute(update(sites).where(sites.c.centre == CENTRE).values(confirmed_at=stale))
        again = update(referrals).where(referrals.c.reference == not_now).values(ask_again_on=TODAY)
        await connection.execute(again)
        ending = {"centre": CENTRE, "code": "jacie", "version": 1, "held": True, "scope": "both", "removed": False}
        await connection.execute(insert(capabilities).values(**ending, valid_until=TODAY + timedelta(days=80)))

    of_centre = await items(parties.centre)
    assert set(of_centre) == {"referral_to_answer", "refer_before", "stale_site", "capability_expiring"}
    assert of_centre["capability_expiring"]["due"] == (TODAY + timedelta(days=80)).isoformat()
    answer = of_centre["referral_to_answer"]
    assert (answer["subject"], answer["due"], answer["overdue"]) == (
        f"referral/{late}", (TODAY - timedelta(days=6)).isoformat(), True,
    )  # fmt: skip
    assert (answer["trial"], answer["links"]) == (NUMBER, [f"/registry/v1/referrals/{late}"])
    of_hospital = await items(parties.hospital)
    assert {kind: one["subject"] for kind, one in of_hospital.items()} == {
        "more_asked": f"referral/{asked}",
        "ask_again": f"referral/{not_now}",
        "patient_to_inform": of_hospital["patient_to_inform"]["subject"],
    }
    assert (await parties.step(parties.hospital, declined, "patient_informed", of="answer")).status_code == 200
    assert (await parties.step(parties.hospital, not_now, "patient_informed", of="answer")).status_code == 200
    assert "patient_to_inform" not in await items(parties.hospital)

    of_all = await items(parties.admin)
    assert (of_all["overdue_answers"]["centre"], of_all["overdue_answers"]["count"]) == (CENTRE, 1)
    assert late not in str(of_all)
    assert set(await items(parties.admin, f"?centre={CENTRE}")) == set(of_centre)
    assert await items(sponsor) == {}
    assert (await parties.hospital.get(f"{WORKLIST}?centre={CENTRE}")).status_code == 403
    async with client_of(parties.app, token=token_of("network", "editor")) as network:
        assert (await network.get(WORKLIST)).status_code == 403


async def test_places_and_releases_are_due(parties: Parties, sponsor: httpx.AsyncClient) -> None:
    path = f"/registry/v1/trials/{NUMBER}/sites/{CENTRE}/enrolment/all"
    staggering = {"interval_days": 28, "needs_decision": True, "last_dosed_on": TODAY.isoformat()}
    offered = {"offered": 1, "hold_days": 3}
    assert (await parties.admin.put(path, json=offered, headers={"If-None-Match": "*"})).status_code == 201
    held, waiting = [(await parties.send(place=True))["reference"] for _ in range(2)]
    expiring = (await items(parties.centre))["expiring_place"]
    assert (expiring["subject"], expiring["links"]) == (f"place/{held}", [f"/registry/v1/referrals/{held}"])
    await parties.walk(held, "declined")
    of_centre = await items(parties.centre)
    assert "expiring_place" not in of_centre
    trial = (await parties.read(parties.hospital, waiting))["trial_id"]
    assert of_centre["place_to_assign"]["subject"] == f"enrolment/{trial}/{CENTRE}/all"

    async with parties.app.state.database.transaction(as_service=True) as connection:
        await connection.execute(update(trials).where(trials.c.key == trial).values(owner="acme"))
    changed = await parties.admin.put(path, json={**offered, "staggering": staggering}, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text
    release = (await items(sponsor))["release"]
    assert (release["subject"], release["due"]) == (f"enrolment/{trial}/all", str(TODAY + timedelta(days=28)))
    async with client_of(parties.app, token=token_of("sponsor", "editor", organisation="rival")) as rival:
        assert await items(rival) == {}


async def test_a_calendar_and_a_table_have_the_same_items(parties: Parties) -> None:
    late = await sent_on(parties, TODAY - timedelta(days=20))
    headers = {"Accept-Language": "fr"}
    answer = await parties.centre.get(WORKLIST, headers={**headers, "Accept": "text/calendar"})
    assert answer.headers["content-type"].startswith("text/calendar")
    lines = answer.content.split(b"\r\n")
    assert (lines[0], lines[-2], lines[-1]) == (b"BEGIN:VCALENDAR", b"END:VCALENDAR", b"")
    assert max(map(len, lines)) <= 75
    unfolded = answer.content.replace(b"\r\n ", b"").decode()
    assert f"UID:referral_to_answer-referral-{late}@cleio\r\n" in unfolded
    assert f"DTSTART;VALUE=DATE:{TODAY - timedelta(days=6):%Y%m%d}\r\n" in unfolded
    assert f"SUMMARY:Demande à laquelle répondre {late} {NUMBER}\r\n" in unfolded
    again = await parties.centre.get(WORKLIST, headers={**headers, "Accept": "text/calendar"})
    assert again.content == answer.content
    table = await parties.centre.get(WORKLIST, headers={**headers, "Accept": "text/csv"})
    (row,) = csv.DictReader(io.StringIO(table.text))
    assert (row["objet"], row["en retard"]) == (f"referral/{late}", "1")


async def test_the_cost_of_a_worklist_is_measured(
    parties: Parties, figure: Callable[[str, object], None], stocked_url: str
) -> None:
    for _ in range(20):
        await parties.send()
    await parties.centre.get(WORKLIST)
    before = time.process_time()
    for _ in range(50):
        assert len((await parties.centre.get(WORKLIST)).json()["items"]) == 20
    spent = (time.process_time() - before) / 50
    figure(f"worklist of 20 referrals, CPU with client, {stocked_url.partition(':')[0]}", f"{spent * 1000:.2f} ms")
