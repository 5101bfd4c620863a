"""A trial has one id for ever; its public numbers, also former ones, find it in any spelling."""

import json
from typing import Any

import httpx
import pytest

from tests.contract.test_registry import a_trial, create, events_since, now
from tests.contract.test_sources import send, study

pytestmark = pytest.mark.anyio

TRIALS = "/registry/v1/trials"
NCT, EUDRACT, EUCT = "NCT99999991", "2019-001234-12", "2023-505234-12-00"
NUMBERS = [
    {"type": "nct", "value": NCT},
    {"type": "eudract", "value": EUDRACT},
    {"type": "sponsor", "value": "GT-001"},
]


async def patch(admin: httpx.AsyncClient, name: str, **changes: Any) -> httpx.Response:
    headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    return await admin.patch(f"{TRIALS}/{name}", content=json.dumps(changes), headers=headers)


def numbered(*numbers: tuple[str, str]) -> list[dict[str, str]]:
    return [{"type": kind, "value": value} for kind, value in numbers]


def named(number: str, *secondary: str, former: tuple[str, ...] = (), **modules: Any) -> dict[str, Any]:
    """Return a record with other numbers."""
    identification = {
        "nctId": number,
        "nctIdAliases": list(former),
        "briefTitle": "AAV gene therapy",
        "secondaryIdInfos": [{"id": one} for one in secondary],
    }
    return study(number, identificationModule=identification, **modules)


async def test_any_number_in_any_spelling_finds_the_trial(public: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    created = (await create(admin, a_trial(identifiers=NUMBERS))).json()
    assert created["identifier"] == NCT
    names = (
        created["id"], created["id"].lower(), NCT, NCT.lower(), "NCT 9999 9991", "nct-99999991",
        EUDRACT, f"EudraCT {EUDRACT}", f"eudract number: {EUDRACT}", "2019 001234 12", "2019–001234–12", "gt-001",
    )  # fmt: skip
    for name in names:
        for reader in (public, admin):
            found = await reader.get(f"{TRIALS}/{name}")
            assert (found.status_code, found.json().get("id")) == (200, created["id"]), name
        for part in ("history", "criteria", "sites"):
            assert (await public.get(f"{TRIALS}/{name}/{part}")).status_code == 200, (name, part)
    for name in ("NCT9999999", "CL99999999", "2019-001234-13", "99999991"):
        assert (await public.get(f"{TRIALS}/{name}")).status_code == 404, name


async def test_an_eu_ct_number_is_the_same_with_and_without_its_submission(
    public: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    created = await create(admin, a_trial(EUCT, identifiers=numbered(("euct", EUCT))))
    for name in (EUCT, EUCT[:-3], EUCT[:-2] + "01", f"EU CT {EUCT}", f"CTIS{EUCT}"):
        assert (await public.get(f"{TRIALS}/{name}")).json()["id"] == created.json()["id"], name
    again = EUCT[:-2] + "01"
    assert (await create(admin, a_trial(again, identifiers=numbered(("euct", again))))).status_code == 412
    other = a_trial("NCT99999992", identifiers=numbered(("nct", "NCT99999992"), ("euct", again)))
    assert (await create(admin, other)).json()["code"] == "identifier_taken"


async def test_who_follows_a_trial_by_one_of_its_numbers_gets_its_later_events(
    public: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    created = (await create(admin, a_trial())).json()
    end = await now(public)
    followed = [f"{end}&trial={name}" for name in ("nct 9999 9991", created["id"], EUCT[:-3])]
    better = numbered(("nct", NCT), ("euct", EUCT))
    changed = (await patch(admin, NCT, identifiers=better)).json()
    assert (changed["id"], changed["identifier"]) == (created["id"], EUCT)
    assert (await patch(admin, NCT, status="suspended")).status_code == 200
    # The number of the other registry is removed: a former number of the trial.
    assert (await patch(admin, EUCT, identifiers=better[1:])).status_code == 200
    assert (await patch(admin, NCT, status="recruiting")).json()["id"] == created["id"]
    for following in followed:
        events = await events_since(public, following)
        assert [event["type"] for event in events] == [
            "trial.updated",
            "trial.status_changed",
            "trial.updated",
            "trial.status_changed",
        ], following
        assert {event["subject"] for event in events} == {f"trial/{created['id']}"}
        assert {event["data"]["identifier"] for event in events} == {EUCT}
    assert await events_since(public, f"{end}&trial=NCT99999992") == []
    assert (await public.get(f"{TRIALS}/{NCT}")).json()["id"] == created["id"]


async def test_only_a_person_gives_a_former_number_to_another_trial(
    public: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    wrong = "NCT99999999"
    first = (await create(admin, a_trial(identifiers=numbered(("nct", NCT), ("nct", wrong))))).json()
    await patch(admin, NCT, identifiers=numbered(("nct", NCT)))
    assert (await public.get(f"{TRIALS}/{wrong}")).json()["id"] == first["id"]
    report = await send(admin, named(wrong))
    assert (report["results"][0]["result"], report["results"][0]["trial"]) == ("possible_duplicate", NCT)
    second = await create(admin, a_trial(wrong))
    assert second.status_code == 201, second.text
    assert second.json()["id"] != first["id"]
    assert (await public.get(f"{TRIALS}/{wrong}")).json()["id"] == second.json()["id"]
    end = await now(public)
    await patch(admin, NCT, status="suspended")
    assert await events_since(public, f"{end}&trial={wrong}") == []


async def test_two_records_that_share_a_number_do_not_replace_each_other(
    public: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    cursor = await now(admin)
    parent, extension = named("NCT97000001", EUDRACT), named("NCT97000002", EUDRACT)
    report = await send(admin, parent, extension)
    assert [(one["result"], one["trial"]) for one in report["results"]] == [
        ("created", "NCT97000001"),
        ("possible_duplicate", "NCT97000001"),
    ]
    assert [(one["code"], one["pointer"]) for one in report["results"][1]["reasons"]] == [
        ("shared_number", "/identifiers/1")
    ]
    again = await send(admin, extension, parent)
    assert [one["result"] for one in again["results"]] == ["possible_duplicate", "unchanged"]
    # The second record waits for a person.
    assert [event["type"] for event in await events_since(admin, cursor)] == ["trial.published", "review.opened"]
    assert (await public.get(f"{TRIALS}/NCT97000001")).json()["origin"]["source_id"] == "NCT97000001"


async def test_a_trial_is_updated_although_its_record_takes_up_the_number_of_another(
    public: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    await send(admin, named("NCT97000001", EUDRACT), named("NCT97000002"))
    stopped = named("NCT97000002", EUDRACT, statusModule={"overallStatus": "TERMINATED", "whyStopped": "Safety"})
    [line] = (await send(admin, stopped))["results"]
    assert (line["result"], [one["code"] for one in line["errors"]]) == ("updated", ["shared_number"])
    trial = (await public.get(f"{TRIALS}/NCT97000002")).json()
    assert (trial["status"], trial["identifiers"]) == ("terminated", numbered(("nct", "NCT97000002")))
    assert (await public.get(f"{TRIALS}/{EUDRACT}")).json()["identifier"] == "NCT97000001"


@pytest.mark.parametrize("obsolete_first", [True, False])
async def test_the_record_of_an_obsolete_number_changes_nothing(
    public: httpx.AsyncClient, admin: httpx.AsyncClient, obsolete_first: bool
) -> None:
    new = named("NCT97000006", former=("NCT97000005",), statusModule={"overallStatus": "WITHDRAWN"})
    old = named("NCT97000005")
    await send(admin, *((old, new) if obsolete_first else (new, old)))
    trial = (await public.get(f"{TRIALS}/NCT97000006")).json()
    assert (trial["identifier"], trial["status"]) == ("NCT97000006", "withdrawn")
    assert (await public.get(f"{TRIALS}/NCT97000005")).json() == trial
    again = named("NCT97000005", statusModule={"overallStatus": "COMPLETED"})
    [line] = (await send(admin, again))["results"]
    assert (line["result"], line["trial"], line["trial_id"]) == ("obsolete", "NCT97000006", trial["id"])
    assert (await public.get(f"{TRIALS}/NCT97000005")).json() == trial
