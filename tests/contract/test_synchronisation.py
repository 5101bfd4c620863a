"""Sources are fetched page by page: whatever fails in between, in the end the registry has what the source has."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.registry.app import create_app
from services.registry.settings import RegistrySettings
from tests.conftest import ADMIN, client_of
from tests.contract.registers import Ctgov, serving
from tests.contract.test_registry import events_since, now
from tests.contract.test_sources import study

pytestmark = pytest.mark.anyio

SOURCE = "/registry/v1/sources/ctgov"
LOOPBACK = {"CLEIO_OUTBOUND_DEV_HOSTS": "127.0.0.0/8"}
QUICK = {"pause_seconds": 0, "retry_seconds": 0.01}


def dated(number: str, day: str = "2026-03-01", status: str = "RECRUITING") -> dict[str, Any]:
    return study(number, statusModule={"overallStatus": status, "lastUpdatePostDateStruct": {"date": day}})


def numbers(count: int, first: int = 1) -> list[str]:
    return [f"NCT9100{number:04}" for number in range(first, first + count)]


@pytest.fixture
async def ctgov() -> AsyncIterator[Ctgov]:
    async with serving(Ctgov()) as register:
        register.records = {number: dated(number) for number in numbers(5)}
        yield register


@asynccontextmanager
async def synchronising(url: str, **sync: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """Run a registry with these sources; yield a client of its coordination."""
    plans = {name: {**QUICK, **plan} for name, plan in sync.items()}
    app = create_app(RegistrySettings.model_validate({"database_url": url, "sync": plans, **LOOPBACK}))
    async with app.router.lifespan_context(app), client_of(app, token=ADMIN) as client:
        yield client


@pytest.fixture
async def admin(stocked_url: str, ctgov: Ctgov) -> AsyncIterator[httpx.AsyncClient]:
    async with synchronising(stocked_url, ctgov={"url": ctgov.url}) as client:
        yield client


async def state_of(client: httpx.AsyncClient, source: str = "ctgov") -> dict[str, Any]:
    answer = await client.get(f"/registry/v1/sources/{source}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def sync(client: httpx.AsyncClient, source: str = "ctgov", **asked: Any) -> dict[str, Any]:
    """Ask for a run and wait for its end; return the state of the source."""
    answer = await client.post(f"/registry/v1/sources/{source}/sync", json=asked)
    assert answer.status_code == 202, answer.text
    return await until_state(client, lambda state: not (state["requested"] or state["run"]), source)


async def until_state(
    client: httpx.AsyncClient, is_reached: Callable[[dict[str, Any]], bool], source: str = "ctgov"
) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            if is_reached(state := await state_of(client, source)):
                return state
            await asyncio.sleep(0.02)


async def listed(client: httpx.AsyncClient, kind: str, source: str = "ctgov") -> list[dict[str, Any]]:
    answer = await client.get(f"/registry/v1/sources/{source}/records", params={"state": kind})
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def statuses(client: httpx.AsyncClient) -> dict[str, str]:
    """Return the statuses of the trials that were fetched, by number."""
    answers = [await client.get(f"/registry/v1/trials/{number}") for number in numbers(12)]
    return {one.json()["identifier"]: one.json()["status"] for one in answers if one.status_code == 200}


async def test_a_first_run_lists_everything_and_the_next_one_what_changed(
    admin: httpx.AsyncClient, ctgov: Ctgov
) -> None:
    following = await now(admin)
    state = await sync(admin)
    assert (state["last_run"]["whole"], state["last_run"]["counts"]) == (True, {"created": 5})
    assert (state["listed"], state["cursor"], state["phase"]) == (5, datetime.now(UTC).date().isoformat(), "on_request")
    synced = [one for one in await events_since(admin, following) if one["type"] == "source.synced"]
    assert [one["data"]["source"] for one in synced] == ["ctgov"]
    today = datetime.now(UTC).date().isoformat()
    ctgov.records["NCT91000002"] = dated("NCT91000002", today, "COMPLETED")
    state = await sync(admin)
    assert (state["last_run"]["whole"], state["last_run"]["counts"]) == (False, {"updated": 1})
    assert (await statuses(admin))["NCT91000002"] == "completed"


async def test_a_dry_run_stores_nothing(admin: httpx.AsyncClient) -> None:
    state = await sync(admin, dry_run=True)
    assert (state["last_run"]["dry_run"], state["last_run"]["counts"]) == (True, {"created": 5})
    assert (state["cursor"], state["listed"], await statuses(admin)) == (None, 0, {})


async def test_faults_of_the_server_are_waited_for_and_the_run_goes_on_where_it_was(
    admin: httpx.AsyncClient, ctgov: Ctgov
) -> None:
    ctgov.faults.extend(["", "500", "", "429", "cut", "", "html", "latin-1", "other json"])
    state = await sync(admin)
    assert (state["last_run"]["counts"], state["fault"], state["failures"]) == ({"created": 5}, None, 0)
    assert len([one for one in ctgov.asked if "pageToken" not in one]) == 1


async def test_a_refused_or_repeated_token_begins_the_listing_again(admin: httpx.AsyncClient, ctgov: Ctgov) -> None:
    ctgov.faults.extend(["", "token refused"])
    assert (await sync(admin))["last_run"]["counts"] == {"created": 5, "unchanged": 2}
    ctgov.repeats = True
    await admin.post(f"{SOURCE}/sync", json={"full": True})
    state = await until_state(admin, lambda state: state["fault"] == "repeated_page")
    assert state["phase"] == "failing"
    ctgov.repeats = False
    assert (await sync(admin))["fault"] is None


async def test_records_that_cannot_be_had_or_read_affect_only_themselves(
    admin: httpx.AsyncClient, ctgov: Ctgov
) -> None:
    ctgov.records["NCT91000003"]["protocolSection"]["briefSummary"] = "x" * 2_000_000
    ctgov.records["NCT91000004"]["protocolSection"]["identificationModule"]["nctId"] = "DUPONT"
    state = await sync(admin)
    assert state["last_run"]["counts"] == {"created": 3, "invalid": 2, "quarantined": 2}
    found = {one["source_id"][:11]: one["fault"] for one in await listed(admin, "quarantine")}
    assert (found.pop("NCT91000003"), list(found.values())) == ("line_too_long", ["nct_number"])
    ctgov.records |= {number: dated(number) for number in numbers(2, first=3)}
    state = await sync(admin, full=True)
    assert (state["quarantine"], len(await statuses(admin))) == (0, 5)


async def test_a_record_that_a_complete_listing_no_longer_has_is_marked_and_comes_back(
    admin: httpx.AsyncClient, ctgov: Ctgov
) -> None:
    await sync(admin)
    following, gone = await now(admin), ctgov.records.pop("NCT91000001")
    state = await sync(admin, full=True)
    assert (state["missing"], state["listed"], state["last_run"]["missing"]) == (1, 4, 1)
    (record,) = await listed(admin, "missing")
    assert (record["source_id"], record["trial"]) == ("NCT91000001", "NCT91000001")
    assert len(await statuses(admin)) == 5
    ctgov.records["NCT91000001"] = gone
    assert (await sync(admin, full=True))["missing"] == 0
    events = [one for one in await events_since(admin, following) if one["type"] in {"source.missing", "source.found"}]
    assert [(one["type"], one["data"]["trial"]) for one in events] == [
        ("source.missing", "NCT91000001"),
        ("source.found", "NCT91000001"),
    ]


async def test_a_listing_that_cannot_be_true_marks_nothing(admin: httpx.AsyncClient, ctgov: Ctgov) -> None:
    ctgov.records = {number: dated(number) for number in numbers(12)}
    await sync(admin)
    ctgov.records = {number: dated(number) for number in numbers(3)}
    state = await sync(admin, full=True)
    assert (state["missing"], state["fault"], state["last_run"]["fault"]) == (0, *["implausible_listing"] * 2)


async def test_a_source_is_fetched_by_itself_when_it_is_due(stocked_url: str, ctgov: Ctgov) -> None:
    async with synchronising(stocked_url, ctgov={"url": ctgov.url, "hours": 0.00005}) as client:
        state = await until_state(client, lambda state: (state["last_run"] or {"number": 0})["number"] > 2)
    assert (state["phase"] in {"waiting", "running"}, state["listed"]) == (True, 5)


async def test_nothing_is_fetched_without_a_setting(stocked_url: str) -> None:
    async with synchronising(stocked_url) as client:
        answer = await client.get("/registry/v1/sources")
        assert {one["phase"] for one in answer.json()["items"]} == {"off"}
        assert (await client.post(f"{SOURCE}/sync", json={})).json()["code"] == "source_off"
        assert (await client.get("/registry/v1/sources/nowhere")).status_code == 404
