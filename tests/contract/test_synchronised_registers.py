"""Each register is asked in its own way: pages, changes since a day, faults, and records that cannot be had."""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.registry.sources.registers.documents import records_in
from tests.contract.registers import Ctgov, Ctis, Eclaire, Euctr, Isrctn, Register, serving
from tests.contract.test_registers import CTIS, ECLAIRE
from tests.contract.test_synchronisation import listed, state_of, sync, synchronising

pytestmark = pytest.mark.anyio

TITLE = "AAV9 gene therapy for Duchenne muscular dystrophy"


@pytest.fixture
async def servers() -> AsyncIterator[dict[str, Register]]:
    async with AsyncExitStack() as stack:
        made = {"ctgov": Ctgov(), "eclaire": Eclaire(), "ctis": Ctis(), "isrctn": Isrctn(), "euctr": Euctr()}
        for server in made.values():
            await stack.enter_async_context(serving(server))
        yield made


@pytest.fixture
async def client(stocked_file: Path, tmp_path: Path, servers: dict[str, Register]) -> AsyncIterator[httpx.AsyncClient]:
    file = tmp_path / "registry.db"
    shutil.copyfile(stocked_file, file)
    plans = {name: {"url": server.url} for name, server in servers.items()}
    async with synchronising(f"sqlite:///{file}", **plans) as client:
        yield client


def eclaire(number: int) -> dict[str, Any]:
    name = f"2026-5{number:05}-11-00"
    group = {"resourceType": "Group", "id": f"{name}-group", "type": "person", "actual": False}
    return {
        **ECLAIRE,
        "id": name,
        "identifier": [{"use": "official", "value": name}],
        "meta": {"lastUpdated": f"2026-01-{number % 28 + 1:02}T00:00:00Z"},
        "enrollment": [{"reference": f"Group/{group['id']}"}],
        "contained": [group],
    }


def ctis(number: int) -> dict[str, Any]:
    name, day = f"2026-5{number:05}-11-00", f"{number % 28 + 1:02}/01/2026"
    details = {"clinicalTrialIdentifiers": {"fullTitle": TITLE}}
    return {
        **CTIS,
        "ctNumber": name,
        "lastUpdated": day,
        "authorizedApplication": {"authorizedPartI": {"trialDetails": details}},
    }


def isrctn(number: int, edited: str = "2026-02-01") -> dict[str, Any]:
    digits = f"9100{number:04}"
    return {
        "edited": edited,
        "xml": f'<trial lastUpdated="{edited}T00:00:00Z"><isrctn dateAssigned="2025-01-01">{digits}</isrctn>'
        f"<trialDescription><title>{TITLE}</title></trialDescription></trial>",
    }


def euctr(number: int) -> dict[str, Any]:
    return {
        "text": f"Summary\nEudraCT Number: 2019-{number:06}-11\nTrial Status: Ongoing\n\nA. Protocol Information\n"
        f"A.1 Member State Concerned: France - ANSM\nA.2 EudraCT number: 2019-{number:06}-11\n"
        f"A.3 Full title of the trial: {TITLE},\nin boys\nB. Sponsor Information\nB.Sponsor: 1\n"
        "B.1.1 Name of Sponsor: ACME\nD. IMP Identification\nD.IMP: 1\nD.3.1 Product name: AAV9\n"
        "D.3.11.3 Advanced Therapy IMP (ATIMP): Yes\n"
    }


async def test_eclaire_is_read_by_offset_and_one_broken_page_study_by_study(
    client: httpx.AsyncClient, servers: dict[str, Register]
) -> None:
    server = servers["eclaire"]
    server.records = {one["id"]: one for one in map(eclaire, range(60))}
    server.faults.extend(["", "500", "cut", "html", "", "", "500"])
    state = await sync(client, "eclaire")
    assert (state["listed"], state["quarantine"], state["fault"]) == (60, 1, None)
    state = await sync(client, "eclaire", full=True)
    assert (state["listed"], state["missing"], state["quarantine"], state["fault"]) == (60, 0, 0, None)
    assert state["last_run"]["counts"]["unchanged"] == 59
    server.records = {}
    assert (await sync(client, "eclaire"))["last_run"]["records"] == 0


async def test_ctis_is_searched_until_nothing_is_recent(
    client: httpx.AsyncClient, servers: dict[str, Register]
) -> None:
    server = servers["ctis"]
    server.records = {one["ctNumber"]: one for one in map(ctis, range(45))}
    server.faults.extend(["", "", "500"])
    state = await sync(client, "ctis")
    assert (state["listed"], state["quarantine"], state["fault"]) == (45, 1, None)
    (broken,) = await listed(client, "quarantine", "ctis")
    assert (broken["fault"], broken["source_id"] in server.records) == ("http_500", True)
    server.asked.clear()
    state = await sync(client, "ctis", since="2026-02-01")
    assert len([one for one in server.asked if "page" in one]) == 2
    assert 0 < state["last_run"]["records"] < 20


async def test_isrctn_is_read_by_periods_that_are_halved(
    client: httpx.AsyncClient, servers: dict[str, Register]
) -> None:
    server = servers["isrctn"]
    days = [f"2026-0{month}-{day:02}" for month in (1, 2, 3, 4, 5) for day in range(1, 29)]
    server.records = {f"ISRCTN9100{number:04}": isrctn(number, day) for number, day in enumerate(days)}
    server.faults.extend(["", "html", "cut"])
    state = await sync(client, "isrctn")
    assert (state["listed"], state["quarantine"], state["fault"]) == (140, 0, None)
    server.records["ISRCTN91000001"]["xml"] = "<trial><isrctn>91000001</isrctn></oops>"
    state = await sync(client, "isrctn", full=True)
    assert (state["listed"], state["missing"]) == (140, 0)
    (broken,) = await listed(client, "quarantine", "isrctn")
    assert (broken["source_id"], broken["fault"]) == ("ISRCTN91000001", "not_xml")


async def test_euctr_is_read_page_by_page(client: httpx.AsyncClient, servers: dict[str, Register]) -> None:
    server = servers["euctr"]
    server.records = {f"2019-{number:06}-11": euctr(number) for number in range(1, 6)}
    state = await sync(client, "euctr")
    assert (state["listed"], state["last_run"]["whole"], state["quarantine"]) == (5, True, 0)
    trial = (await client.get("/registry/v1/trials/2019-000003-11")).json()
    assert (trial["titles"]["en"], trial["sponsor"]["name"]) == (f"{TITLE}, in boys", "ACME")


async def test_recorded_records_pass_through_their_connectors(
    client: httpx.AsyncClient, servers: dict[str, Register], real_data: Path
) -> None:
    """Records as the registers publish them: each is listed, and none fails for the way that it was fetched."""
    folder = real_data / "registries"
    for file in sorted(folder.glob("CTGOV2_*.json")):
        (record,) = records_in("ctgov", json.loads(file.read_text(encoding="utf-8")))
        servers["ctgov"].records[record["protocolSection"]["identificationModule"]["nctId"]] = record
    for file in sorted(folder.glob("CTIS_*.json")):
        record = json.loads(file.read_text(encoding="utf-8"))
        servers["ctis"].records[record["ctNumber"]] = {"lastUpdated": "2026-01-01", **record}
    bundle = json.loads(
        (real_data / "fhir_eclaire/dnum_eclaire_snapshots/BundleWithInclude.snap.json").read_text("utf-8")
    )
    for record in records_in("eclaire", bundle):
        servers["eclaire"].records[record["id"]] = record
    for name in ("ctgov", "ctis", "eclaire"):
        await sync(client, name)
        state = await state_of(client, name)
        assert (name, state["listed"], state["quarantine"], state["fault"]) == (
            name,
            len(servers[name].records),
            0,
            None,
        )
