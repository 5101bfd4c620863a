"""Referrals over HTTP, on both databases: what each party may do and see."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI

from services.registry.referrals.upkeep import delete_old
from tests.conftest import ADMIN, client_of, token_of
from tests.contract.rights_referrals import until_marked
from tests.contract.test_registry import a_trial, create, events_since, now

pytestmark = pytest.mark.anyio

NUMBER, CENTRE = "NCT99999961", "fr-strasbourg"
REFERRALS = "/registry/v1/referrals"
TODAY = datetime.now(ZoneInfo("Europe/Paris")).date()
MAILBOX = "cic-strasbourg@chu-exemple.mssante.fr"


def a_referral(**changes: Any) -> dict[str, Any]:
    return {
        "trial": NUMBER,
        "centre": CENTRE,
        "patient_agreement": {"given": True, "on": TODAY.isoformat(), "by": "patient"},
        "minor": False,
        "urgency": "standard",
        "disclose_after_consent": False,
        "place": False,
        **changes,
    }


@dataclass
class Parties:
    """A hospital, a centre with an open trial, the coordination and others."""

    app: FastAPI
    hospital: httpx.AsyncClient
    centre: httpx.AsyncClient
    admin: httpx.AsyncClient

    async def send(self, **changes: Any) -> dict[str, Any]:
        answer = await self.post(self.hospital, REFERRALS, a_referral(**changes))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def post(
        self, client: httpx.AsyncClient, path: str, body: dict[str, Any], version: str = "*"
    ) -> httpx.Response:
        headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": version}
        return await client.post(path, json=body, headers=headers)

    async def step(self, client: httpx.AsyncClient, reference: str, action: str, **more: Any) -> httpx.Response:
        version = more.pop("version", "*")
        body = {"action": action, "on": TODAY.isoformat(), **more}
        return await self.post(client, f"{REFERRALS}/{reference}/steps", body, version)

    async def walk(self, reference: str, *actions: str) -> None:
        """Have the centre record these steps."""
        for action in actions:
            answer = await self.step(self.centre, reference, action, **DETAILS.get(action, {}))
            assert answer.status_code == 200, answer.text

    async def until_marked(self) -> None:
        """Wait until no mark waits: the service does the same in the background."""
        await until_marked(self.app)

    async def read(self, client: httpx.AsyncClient, reference: str) -> dict[str, Any]:
        answer = await client.get(f"{REFERRALS}/{reference}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["etag"] == f'"v{answer.json()["version"]}"'
        return dict(answer.json())


DETAILS: dict[str, dict[str, Any]] = {
    "declined": {"reason": "not_eligible"},
    "more_asked": {"items": ["genetic_report", "antibodies"]},
    "not_now": {"ask_again_on": (TODAY + timedelta(days=60)).isoformat()},
    "pre_screen_failure": {"reason": "antibodies"},
    "screen_failure": {"reason": "organ_function"},
    "consented": {"consent": {"by": "patient"}, "disclose": False},
    "transferred": {"accepted_on": TODAY.isoformat()},
    "patient_informed": {"of": "answer"},
}


@pytest.fixture
async def parties(app: FastAPI, admin: httpx.AsyncClient) -> AsyncIterator[Parties]:
    assert (await create(admin, a_trial(NUMBER))).status_code == 201
    site = await admin.put(
        f"/registry/v1/trials/{NUMBER}/sites/{CENTRE}", json={"status": "recruiting"}, headers={"If-None-Match": "*"}
    )
    assert site.status_code == 201, site.text
    hospital = token_of("hospital", "clinician", organisation="chu-exemple")
    centre = token_of("centre", "clinician", centre=CENTRE)
    async with client_of(app, token=hospital) as sender, client_of(app, token=centre) as receiver:
        yield Parties(app, sender, receiver, admin)


async def test_a_referral_goes_from_the_hospital_to_the_dosing(parties: Parties) -> None:
    own = {**(await parties.admin.get(f"/registry/v1/centres/{CENTRE}")).json(), "referral_mailbox": MAILBOX}
    document = {name: value for name, value in own.items() if name not in {"id", "version", "updated_at"}}
    put = await parties.admin.put(f"/registry/v1/centres/{CENTRE}", json=document, headers={"If-Match": "*"})
    assert put.status_code == 200, put.text
    cursor = {one: await now(one) for one in (parties.hospital, parties.centre)}

    sent = await parties.send(refer_before=f"{TODAY:%Y-%m}", urgency="urgent")
    reference = sent["reference"]
    assert reference.startswith("REF-")
    assert (sent["state"], sent["file"]["mailbox"]) == ("sent", MAILBOX)
    assert reference in sent["file"]["quote"]["fr"]
    assert sent["answer_due"] == (TODAY + timedelta(days=14)).isoformat()
    received = await parties.read(parties.centre, reference)
    assert sent["file"]["quote"]["fr"].startswith("Envoyez")
    assert received["file"]["quote"]["fr"].startswith("L'hôpital vous envoie")
    assert "accepted" in received["possible"]
    assert "accepted" not in sent["possible"]

    asked = await parties.step(parties.centre, reference, "more_asked", items=["genetic_report"], version='"v1"')
    assert asked.json()["answer_due"] is None
    # Decided from what another one has changed meanwhile.
    assert (await parties.step(parties.centre, reference, "accepted", version='"v1"')).status_code == 412
    assert (await parties.step(parties.centre, reference, "more_sent")).status_code == 403
    assert (await parties.step(parties.hospital, reference, "more_sent")).status_code == 200
    await parties.walk(reference, "accepted")
    assert (await parties.step(parties.hospital, reference, "patient_informed", of="answer")).status_code == 200
    for act in ("screening", "included", "screen_failure", "dosed"):
        refused = await parties.step(parties.centre, reference, act, **DETAILS.get(act, {}))
        assert (refused.status_code, refused.json()["code"]) == (409, "wrong_step"), act
    agreed = {"consent": {"by": "patient"}, "disclose": True}
    await parties.walk(reference, "contacted", "pre_screened")
    assert (await parties.step(parties.centre, reference, "consented", **agreed)).status_code == 200
    await parties.walk(reference, "screening", "included", "collection", "collection", "manufacturing", "released")
    await parties.walk(reference, "conditioning", "dosed", "dosed", "follow_up", "completed")

    seen = await parties.read(parties.hospital, reference)
    assert (seen["state"], seen["possible"]) == ("completed", ["patient_informed"])
    assert [one["to"] for one in seen["clocks"]] == [
        "answer", "contact", "pre_screening", "consent", "inclusion", "collection", "dosing",
    ]  # fmt: skip
    assert {one["days"] for one in seen["clocks"]} == {0}
    steps = [one["action"] for one in seen["steps"]]
    assert (steps.count("collection"), steps.count("dosed")) == (2, 2)
    for client, since in cursor.items():
        events = [one for one in await events_since(client, since) if one["subject"] == f"referral/{reference}"]
        assert [one["data"]["version"] for one in events] == list(range(1, len(steps) + 1))
        assert [one["data"]["state"] for one in events] == [one["state"] for one in seen["steps"]]
        assert {one["type"] for one in events} == {"referral.sent", "referral.answered", "referral.updated"}
        assert set(events[0]["data"]) == {"op", "id", "version", "changed", "state", "on"}
    listed = (await parties.hospital.get(f"{REFERRALS}?state=completed&trial={NUMBER}")).json()["items"]
    assert [one["reference"] for one in listed] == [reference]


async def test_the_hospital_learns_nothing_after_consent_unless_the_patient_agrees(parties: Parties) -> None:
    shown, hidden = [(await parties.send(disclose_after_consent=True))["reference"] for _ in range(2)]
    for reference in (shown, hidden):
        await parties.walk(reference, "accepted", "contacted", "pre_screened", "consented")
    cursor = await now(parties.hospital)
    before = await parties.read(parties.hospital, hidden)
    await parties.walk(hidden, "screening", "included", "collection", "manufacturing", "treatment_withdrawn", "died")
    assert await parties.read(parties.hospital, hidden) == before
    assert await events_since(parties.hospital, cursor) == []
    listed = (await parties.hospital.get(f"{REFERRALS}?state=consented")).json()["items"]
    assert {one["reference"] for one in listed} == {shown, hidden}
    assert (await parties.hospital.get(f"{REFERRALS}?state=died")).json()["items"] == []
    # A refusal says the same of both: the state that the hospital sees.
    refusals = [await parties.step(parties.hospital, one, "patient_declined") for one in (shown, hidden)]
    assert len({(one.status_code, one.json()["detail"]) for one in refusals}) == 1
    # What the hospital records itself counts from the version that it sees.
    version = f'"v{before["version"]}"'
    informed = [
        await parties.step(parties.hospital, one, "patient_informed", of="answer", version=version)
        for one in (shown, hidden)
    ]
    answers = [
        {name: value for name, value in one.json().items() if name not in {"reference", "sent_at", "file"}}
        for one in informed
    ]
    assert answers[0] == answers[1]
    (first, second) = await events_since(parties.hospital, cursor)
    assert (first["data"]["version"], first["data"]["state"]) == (second["data"]["version"], second["data"]["state"])
    assert (await parties.read(parties.centre, hidden))["state"] == "died"

    assert (await parties.step(parties.centre, hidden, "disclosure_agreed")).status_code == 200
    seen = await parties.read(parties.hospital, hidden)
    assert (seen["state"], seen["version"]) == ("died", (await parties.read(parties.centre, hidden))["version"])


async def test_a_child_needs_both_holders_and_an_adult_consents_alone(parties: Parties) -> None:
    agreement = {"given": True, "on": TODAY.isoformat(), "by": "one_holder"}
    coming = f"{TODAY.year + 9}-05"
    reference = (await parties.send(minor=True, adult_on=coming, patient_agreement=agreement))["reference"]
    await parties.walk(reference, "accepted", "contacted", "pre_screened")
    for by in ("patient", "representative"):
        refused = await parties.step(parties.centre, reference, "consented", consent={"by": by}, disclose=False)
        assert (refused.status_code, refused.json()["code"]) == (422, "both_holders_required")
    alone = {"by": "sole_authority", "assent": "given"}
    refused = await parties.step(parties.centre, reference, "consented", consent=alone, disclose=False)
    assert refused.json()["errors"][0]["pointer"] == "/consent/sole_authority"
    without = await parties.step(parties.centre, reference, "consented", consent={"by": "both_holders"}, disclose=False)
    assert without.json()["errors"][0]["pointer"] == "/consent/assent"
    coded = {**alone, "sole_authority": "other_holder_deceased"}
    accepted = await parties.step(parties.centre, reference, "consented", consent=coded, disclose=False)
    assert (accepted.status_code, accepted.json()["steps"][-1]["consent"]) == (200, coded)
    assert (await parties.read(parties.hospital, reference))["steps"][-1]["state"] == "consented"


@pytest.mark.parametrize(
    ("changes", "status", "pointer"),
    [
        ({"patient_agreement": {"given": False, "on": "2026-01-05", "by": "patient"}}, 422, "/patient_agreement/given"),
        ({"patient_agreement": None}, 422, "/patient_agreement"),
        ({"patient_agreement": {"given": True, "on": "2999-01-05", "by": "patient"}}, 422, "/patient_agreement/on"),
        ({"patient_agreement": {"given": True, "on": "2026-02-30", "by": "patient"}}, 422, "/patient_agreement/on"),
        ({"patient_agreement": {"given": True, "on": "2026-01-05", "by": "one_holder"}}, 422, "/patient_agreement/by"),
        ({"reference": "REF-7K2M-Q9XT-4HWD"}, 422, "/reference"),
        ({"refer_before": "2027-13"}, 422, "/refer_before"),
        ({"adult_on": "2030-01"}, 422, "/adult_on"),
        ({"cohort": "A"}, 422, "/cohort"),
        ({"same_patient_as": "REF-7K2M-Q9XT-4HWD"}, 422, "/same_patient_as"),
        ({"trial": "NCT00000000"}, 409, "/trial"),
        ({"centre": "fr-lille"}, 409, "/centre"),
    ],
)
async def test_what_cannot_be_sent_is_named(
    standing_parties: Parties, changes: dict[str, Any], status: int, pointer: str
) -> None:
    answer = await standing_parties.post(standing_parties.hospital, REFERRALS, a_referral(**changes))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer), answer.text
    assert (await standing_parties.hospital.get(REFERRALS)).json()["items"] == []


@pytest.fixture(scope="module")
async def standing_parties(standing_app: FastAPI) -> AsyncIterator[Parties]:
    async with client_of(standing_app, token=ADMIN) as admin:
        assert (await create(admin, a_trial(NUMBER))).status_code == 201
        path = f"/registry/v1/trials/{NUMBER}/sites/{CENTRE}"
        assert (await admin.put(path, json={"status": "recruiting"}, headers={"If-None-Match": "*"})).is_success
        token = token_of("hospital", "clinician", organisation="chu-exemple")
        async with client_of(standing_app, token=token) as hospital:
            yield Parties(standing_app, hospital, hospital, admin)


async def test_only_the_parties_and_the_coordination_see_a_referral(parties: Parties) -> None:
    reference = (await parties.send(urgency="emergency", dosing_limit=TODAY.isoformat()))["reference"]
    await parties.walk(reference, "declined")
    others = {
        "another hospital": token_of("hospital", "clinician", organisation="chu-autre"),
        "another centre": token_of("centre", "clinician", centre="fr-necker"),
    }
    for name, token in others.items():
        async with client_of(parties.app, token=token) as other:
            assert (await other.get(f"{REFERRALS}/{reference}")).status_code == 404, name
            assert (await other.get(REFERRALS)).json()["items"] == [], name
            assert (await parties.step(other, reference, "patient_declined")).status_code == 404, name
            gone = await other.delete(f"{REFERRALS}/{reference}", headers={"If-Match": "*"})
            assert gone.status_code == 404, name
    for kind in ("sponsor", "network", "association", "authority"):
        async with client_of(parties.app, token=token_of(kind, "admin", "system")) as other:  # type: ignore[arg-type]
            assert (await other.get(f"{REFERRALS}/{reference}")).status_code == 403, kind
    seen = await parties.read(parties.admin, reference)
    assert (seen["state"], seen["trial"], seen["centre"], seen["possible"]) == ("declined", NUMBER, CENTRE, [])
    for name in ("hospital", "urgency", "dosing_limit", "patient_agreement", "minor", "file", "same_patient"):
        assert seen[name] is None, name
    assert [(one["action"], one["reason"]) for one in seen["steps"]] == [("sent", None), ("declined", None)]


async def test_an_acceptance_marks_the_other_referrals_of_the_patient(parties: Parties) -> None:
    first = (await parties.send())["reference"]
    second = await parties.send(same_patient_as=first)
    assert second["same_patient"] == [first]
    stranger = (await parties.send())["reference"]
    await parties.walk(second["reference"], "accepted")
    await parties.until_marked()
    marked = {one: (await parties.read(parties.hospital, one))["check_again"] for one in (first, stranger)}
    assert marked == {first: "accepted_elsewhere", stranger: None}
    checked = await parties.step(parties.hospital, first, "checked")
    assert (checked.status_code, checked.json()["check_again"]) == (200, None)


async def test_a_place_follows_the_steps_of_its_referral(parties: Parties) -> None:
    refused = await parties.post(parties.hospital, REFERRALS, a_referral(place=True))
    assert (refused.status_code, refused.json()["code"]) == (409, "no_place")
    assert (await parties.hospital.get(REFERRALS)).json()["items"] == []
    path = f"/registry/v1/trials/{NUMBER}/sites/{CENTRE}/enrolment/all"
    offered = await parties.admin.put(path, json={"offered": 1}, headers={"If-None-Match": "*"})
    assert offered.status_code == 201, offered.text
    first, second = await parties.send(place=True), await parties.send(place=True)
    assert (first["place"]["state"], second["place"]["state"], second["place"]["position"]) == ("held", "waiting", 1)
    # A patient holds one place.
    again = await parties.post(parties.hospital, REFERRALS, a_referral(place=True, same_patient_as=first["reference"]))
    assert (again.status_code, again.json()["code"]) == (409, "active_hold")

    one = first["reference"]
    await parties.walk(one, "accepted", "contacted", "pre_screened", "consented")
    assert (await parties.read(parties.hospital, one))["place"] is None
    await parties.walk(one, "screening", "included", "collection", "manufacturing", "released", "conditioning")
    assert (await parties.read(parties.centre, one))["place"]["state"] == "confirmed"
    await parties.walk(one, "manufacturing_failed")
    assert (await parties.read(parties.centre, one))["place"]["state"] == "decision_due"
    waiting = await parties.read(parties.hospital, second["reference"])
    assert (waiting["place"]["state"], waiting["place"]["position"]) == ("waiting", 1)
    early = await parties.step(parties.centre, one, "dosed")
    assert (early.status_code, early.json()["code"]) == (409, "decision_due")
    # What was erased waits no more.
    gone = await parties.hospital.delete(f"{REFERRALS}/{second['reference']}", headers={"If-Match": "*"})
    assert gone.status_code == 204
    assert (await parties.admin.get(path)).json()["waiting"] == 0


async def test_an_acceptance_gives_back_the_places_elsewhere(parties: Parties) -> None:
    path = f"/registry/v1/trials/{NUMBER}/sites/{CENTRE}/enrolment/all"
    offered = await parties.admin.put(path, json={"offered": 1}, headers={"If-None-Match": "*"})
    assert offered.status_code == 201, offered.text
    held = (await parties.send(place=True))["reference"]
    other = (await parties.send(same_patient_as=held))["reference"]
    await parties.walk(other, "accepted")
    await parties.until_marked()
    assert (await parties.read(parties.hospital, held))["place"]["state"] == "given_back"
    assert (await parties.admin.get(path)).json()["free"] == 1
    assert (await parties.step(parties.hospital, other, "place_asked")).json()["place"]["state"] == "held"


async def test_a_safety_hold_stops_new_referrals_and_inclusions_and_marks_the_others(parties: Parties) -> None:
    reference, dosed = [(await parties.send())["reference"] for _ in range(2)]
    for one in (reference, dosed):
        await parties.walk(one, "accepted", "contacted", "pre_screened", "consented", "screening")
    await parties.walk(dosed, "included", "dosed")
    hold = {"scope": "trial", "kind": "sponsor_halt_safety", "reason": "serious_adverse_reaction"}
    imposed = await parties.post(parties.admin, f"/registry/v1/trials/{NUMBER}/holds", hold)
    assert imposed.status_code == 201, imposed.text
    refused = [
        await parties.post(parties.hospital, REFERRALS, a_referral()),
        await parties.step(parties.centre, reference, "included"),
    ]
    assert {(one.status_code, one.json()["code"]) for one in refused} == {(409, "safety_hold")}
    await parties.walk(dosed, "follow_up")
    await parties.until_marked()
    marks = [(await parties.read(parties.centre, one))["check_again"] for one in (reference, dosed)]
    assert marks == ["safety_hold", None]


async def test_a_deleted_referral_leaves_a_tombstone_alone(parties: Parties) -> None:
    sent, old = await parties.send(), await parties.send()
    reference = sent["reference"]
    cursors = {one: await now(one) for one in (parties.hospital, parties.centre)}
    path = f"{REFERRALS}/{reference}"
    assert (await parties.centre.delete(path, headers={"If-Match": "*"})).status_code == 403
    assert (await parties.hospital.delete(path, headers={"If-Match": '"v7"'})).status_code == 412
    assert (await parties.hospital.delete(path, headers={"If-Match": '"v1"'})).status_code == 204
    for client, cursor in cursors.items():
        assert (await client.get(path)).status_code == 404
        (event,) = await events_since(client, cursor)
        assert (event["type"], event["data"]) == ("referral.removed", {"op": "delete", "id": reference})
    # A closed referral is deleted after its years; an open one is not.
    database, later = parties.app.state.database, datetime.now(UTC) + timedelta(days=1)
    assert await delete_old(database, later) == 0
    await parties.walk(old["reference"], "declined")
    assert await delete_old(database, datetime.now(UTC) - timedelta(days=1)) == 0
    assert await delete_old(database, later) == 1
    assert (await parties.centre.get(REFERRALS)).json()["items"] == []


async def test_dates_of_steps_are_possible(parties: Parties) -> None:
    reference = (await parties.send())["reference"]
    for on, code in ((TODAY + timedelta(days=1), "in_the_future"), (date(2020, 1, 1), "before_the_step_before")):
        refused = await parties.step(parties.centre, reference, "accepted", on=on.isoformat())
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code)
    refused = await parties.step(parties.centre, reference, "declined", reason="antibodies", items=["imaging"])
    faults = {one["pointer"]: one["code"] for one in refused.json()["errors"]}
    assert faults == {"/reason": "unknown_code", "/items": "not_of_this_action"}
