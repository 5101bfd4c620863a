"""Import of registry records: valid parts are stored, faults are reported by line and field, repeats write nothing."""

import json
from collections import Counter
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.registry.scope import diseases
from services.registry.scope.diseases import DiseaseSigns
from services.registry.sources.importing import SLICE_LINES
from tests.conftest import client_of, token_of
from tests.contract.test_registry import events_since, now

pytestmark = pytest.mark.anyio

PATH = "/registry/v1/sources/ctgov/trials"


def study(number: str = "NCT90000001", **modules: Any) -> dict[str, Any]:
    protocol = {
        "identificationModule": {"nctId": number, "briefTitle": "AAV Gene Therapy for Duchenne Muscular Dystrophy"},
        "statusModule": {"overallStatus": "RECRUITING"},
        "conditionsModule": {"conditions": ["Duchenne Muscular Dystrophy"]},
        "armsInterventionsModule": {
            "interventions": [{"type": "GENETIC", "name": "AAV9 micro-dystrophin gene therapy"}]
        },
        "eligibilityModule": {
            "sex": "MALE",
            "minimumAge": "4 Years",
            "maximumAge": "7 Years",
            "eligibilityCriteria": "Inclusion Criteria:\n\n* Ambulant",
        },
    }
    return {"protocolSection": protocol | modules}


async def send(admin: httpx.AsyncClient, *records: Any, **query: Any) -> dict[str, Any]:
    lines = "\n".join(record if isinstance(record, str) else json.dumps(record) for record in records)
    answer = await admin.put(PATH, content=lines, params=query, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_valid_lines_are_stored_and_invalid_ones_reported_by_line_and_field(admin: httpx.AsyncClient) -> None:
    report = await send(
        admin,
        study(),
        '{"protocolSection": ',
        "",
        {"protocolSection": {"identificationModule": {"briefTitle": "DUPONT"}}},
        study("NCT90000002", conditionsModule={"conditions": ["Multiple myeloma"]}),
        study("NCT90000003", eligibilityModule={"minimumAge": 4, "sex": "DUPONT"}),
        study("NCT90000004", conditionsModule={"conditions": []}, identificationModule={"nctId": "NCT90000004"}),
    )
    results = {one["line"]: one for one in report["results"]}
    assert {line: one["result"] for line, one in results.items()} == {
        1: "created",
        2: "invalid",
        4: "invalid",
        5: "refused",
        6: "created",
        7: "created",
    }
    assert report["counts"] == {"created": 3, "invalid": 2, "refused": 1}
    assert results[4]["errors"][0]["pointer"] == "/protocolSection/identificationModule/nctId"
    assert (results[5]["scope"], results[5]["errors"][0]["pointer"]) == ("out_of_scope", "/conditions/0")
    assert {error["pointer"] for error in results[6]["errors"]} >= {
        "/protocolSection/eligibilityModule/minimumAge",
        "/protocolSection/eligibilityModule/sex",
    }
    assert results[7]["scope"] == "scope_unclear"
    assert "DUPONT" not in json.dumps(report)
    trial = (await admin.get("/registry/v1/trials/NCT90000001")).json()
    assert (trial["status"], trial["eligibility"]["minimum_age"], trial["criteria"]["grade"]) == (
        "recruiting",
        "P4Y",
        "registry",
    )
    assert trial["conditions"][0]["code"] == "ORPHA:98896"
    assert (await admin.get("/registry/v1/trials/NCT90000002")).status_code == 404


async def test_a_repeated_import_writes_nothing(admin: httpx.AsyncClient) -> None:
    await send(admin, study(), study("NCT90000002", conditionsModule={"conditions": ["Multiple myeloma"]}))
    following = await now(admin)
    shuffled = json.loads(json.dumps(study(), sort_keys=True))
    again = await send(admin, shuffled, study("NCT90000002", conditionsModule={"conditions": ["Multiple myeloma"]}))
    assert again["counts"] == {"refused": 1, "unchanged": 1}
    assert await events_since(admin, following) == []
    changed = await send(admin, study(statusModule={"overallStatus": "COMPLETED"}))
    assert changed["counts"] == {"updated": 1}
    (event,) = await events_since(admin, following)
    assert (event["type"], event["data"]["to"]) == ("trial.status_changed", "completed")


async def test_a_dry_run_reports_the_same_and_writes_nothing(admin: httpx.AsyncClient) -> None:
    following = await now(admin)
    tried = await send(admin, study(), dry_run="true")
    assert await events_since(admin, following) == []
    assert (await admin.get("/registry/v1/trials/NCT90000001")).status_code == 404
    assert await send(admin, study()) == tried


async def test_a_record_goes_before_the_sample(admin: httpx.AsyncClient) -> None:
    before = (await admin.get("/registry/v1/trials/NCT05096221")).json()
    stopped = study("NCT05096221", statusModule={"overallStatus": "TERMINATED", "whyStopped": "Safety"})
    (line,) = (await send(admin, stopped))["results"]
    assert (line["result"], line["trial"]) == ("updated", "NCT05096221")
    after = (await admin.get("/registry/v1/trials/NCT05096221")).json()
    assert (after["status"], after["why_stopped"]) == ("terminated", "Safety")
    assert (after["titles"]["fr"], after["criteria"]) == (
        before["titles"]["fr"],
        before["criteria"] | {"outdated": True},
    )


async def test_a_record_that_leaves_the_scope_withdraws_its_trial_and_brings_it_back(
    app: FastAPI, admin: httpx.AsyncClient
) -> None:
    await send(admin, study())
    cursor = await now(admin)
    left = await send(admin, study(conditionsModule={"conditions": ["Osteosarcoma"]}))
    (line,) = left["results"]
    assert (line["result"], line["scope"], line["trial"]) == ("refused", "out_of_scope", "NCT90000001")
    assert line["errors"][0]["code"] == "malignant_indication"
    (event,) = await events_since(admin, cursor)
    assert event["type"] == "trial.withdrawn"
    async with client_of(app) as public:
        assert (await public.get("/registry/v1/trials/NCT90000001")).status_code == 404
    withdrawn = (await admin.get("/registry/v1/trials/NCT90000001")).json()
    assert (withdrawn["published"], withdrawn["scope"]["answer"]) == (False, "out_of_scope")
    assert withdrawn["scope"]["reasons"][0]["code"] == "malignant_indication"
    cursor = await now(admin)
    again = await send(admin, study(conditionsModule={"conditions": ["Osteosarcoma"]}))
    assert (again["results"][0]["result"], again["results"][0]["trial"]) == ("refused", "NCT90000001")
    assert await events_since(admin, cursor) == []
    back = await send(admin, study())
    assert (back["results"][0]["result"], back["results"][0]["trial"]) == ("updated", "NCT90000001")
    assert [event["type"] for event in await events_since(admin, cursor)] == ["trial.published"]
    async with client_of(app) as public:
        trial = (await public.get("/registry/v1/trials/NCT90000001")).json()
    assert trial["conditions"][0]["text"] == "Duchenne Muscular Dystrophy"


async def patch(admin: httpx.AsyncClient, number: str, changes: dict[str, Any]) -> None:
    path = f"/registry/v1/trials/{number}"
    version = (await admin.get(path)).headers["ETag"]
    headers = {"If-Match": version, "Content-Type": "application/merge-patch+json"}
    answer = await admin.patch(path, content=json.dumps(changes), headers=headers)
    assert answer.status_code == 200, answer.text


async def test_an_edited_trial_leaves_the_scope_with_its_record_and_keeps_the_edits(admin: httpx.AsyncClient) -> None:
    await send(admin, study())
    await patch(admin, "NCT90000001", {"titles": {"fr": "Thérapie génique"}})
    assert (await send(admin, study(designModule={"phases": ["PHASE1"]})))["counts"] == {"updated": 1}
    left = await send(admin, study(conditionsModule={"conditions": ["Osteosarcoma"]}))
    assert left["counts"] == {"refused": 1}
    trial = (await admin.get("/registry/v1/trials/NCT90000001")).json()
    assert (trial["published"], trial["titles"]["fr"], trial["phase"]) == (False, "Thérapie génique", "phase-1")
    assert (await send(admin, study()))["counts"] == {"updated": 1}
    assert (await admin.get("/registry/v1/trials/NCT90000001")).json()["published"] is True


@pytest.mark.parametrize(
    ("module", "status"),
    [
        ({"overallStatus": "TERMINATED", "whyStopped": "Safety"}, "terminated"),
        ({"overallStatus": "SUSPENDED"}, "suspended"),
        ({"overallStatus": "WITHDRAWN", "whyStopped": "No funding"}, "withdrawn"),
        ({"overallStatus": "ACTIVE_NOT_RECRUITING", "whyStopped": "Safety"}, "active_not_recruiting"),
    ],
)
async def test_a_stop_of_an_edited_trial_takes_effect_and_its_other_edits_stay(
    admin: httpx.AsyncClient, module: dict[str, Any], status: str
) -> None:
    await send(admin, study())
    await patch(admin, "NCT90000001", {"titles": {"fr": "Thérapie génique"}})
    cursor = await now(admin)
    renamed = {"nctId": "NCT90000001", "briefTitle": "Another title"}
    report = await send(admin, study(statusModule=module, identificationModule=renamed))
    assert report["counts"] == {"updated": 1}
    trial = (await admin.get("/registry/v1/trials/NCT90000001")).json()
    assert (trial["status"], trial["source_status"]) == (status, module["overallStatus"])
    assert trial["why_stopped"] == module.get("whyStopped")
    assert trial["titles"] == {"fr": "Thérapie génique", "en": "Another title"}
    (event,) = await events_since(admin, cursor)
    assert (event["type"], event["data"]["from"], event["data"]["to"]) == ("trial.status_changed", "recruiting", status)
    await patch(admin, "NCT90000001", {"status": "recruiting"})
    await send(admin, study(statusModule=module, designModule={"phases": ["PHASE1"]}))
    assert (await admin.get("/registry/v1/trials/NCT90000001")).json()["status"] == "recruiting"


async def test_an_edit_of_one_field_stops_no_update_of_the_others(admin: httpx.AsyncClient) -> None:
    await send(admin, study())
    await patch(admin, "NCT90000001", {"titles": {"fr": "Thérapie génique"}})
    report = await send(admin, study(statusModule={"overallStatus": "ACTIVE_NOT_RECRUITING"}))
    assert (report["counts"], report["results"][0]["changed"]) == ({"updated": 1}, ["status", "source_status"])
    assert (await admin.get("/registry/v1/trials/NCT90000001")).json()["status"] == "active_not_recruiting"


async def test_unchanged_records_are_judged_again_when_the_rules_change(
    admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(admin, study(), study("NCT90000002"))
    await patch(admin, "NCT90000002", {"titles": {"fr": "Thérapie génique"}})
    signs = diseases.table()
    document = json.loads((resources.files("services.registry.scope") / "disease_signs.json").read_text("utf-8"))
    document["categories"][0]["phrases"].append("duchenne muscular dystrophy")
    monkeypatch.setattr(diseases, "table", lambda: DiseaseSigns(document))
    assert diseases.table().version != signs.version
    cursor = await now(admin)
    report = await send(admin, study(), study("NCT90000002"))
    assert report["counts"] == {"refused": 2}
    assert [event["type"] for event in await events_since(admin, cursor)] == ["trial.withdrawn"] * 2
    monkeypatch.setattr(diseases, "table", lambda: signs)
    assert (await send(admin, study(), study("NCT90000002")))["counts"] == {"updated": 2}


@pytest.mark.parametrize("condition", ["B-ALL", "R/R MM", "Recurrent GBM", "Recurrent Disease", "maladie résiduelle"])
async def test_a_condition_in_which_no_disease_is_recognised_goes_to_review(
    app: FastAPI, admin: httpx.AsyncClient, condition: str
) -> None:
    title = {"nctId": "NCT90000001", "briefTitle": "CD19 CAR-T cells in adults"}
    report = await send(admin, study(conditionsModule={"conditions": [condition]}, identificationModule=title))
    (line,) = report["results"]
    assert (line["scope"], line["reasons"][0]["pointer"]) == ("scope_unclear", "/conditions/0")
    async with client_of(app) as public:
        assert (await public.get("/registry/v1/trials/NCT90000001")).status_code == 404


async def test_a_record_that_joins_two_trials_is_left_to_a_person(admin: httpx.AsyncClient) -> None:
    def named(number: str, *secondary: str) -> dict[str, Any]:
        identification = {
            "nctId": number,
            "briefTitle": "AAV gene therapy",
            "secondaryIdInfos": [{"id": one} for one in secondary],
        }
        return study(number, identificationModule=identification)

    report = await send(
        admin,
        named("NCT90000001", "2019-001234-12"),
        named("NCT90000002", "2020-004321-34"),
        named("NCT90000003", "2019-001234-12", "2020-004321-34"),
        study("NCT90000004"),
    )
    assert [one["result"] for one in report["results"]] == ["created", "created", "possible_duplicate", "created"]
    assert [(one["code"], one["pointer"]) for one in report["results"][2]["reasons"]] == [
        ("shared_number", "/identifiers/1"),
        ("shared_number", "/identifiers/2"),
    ]


async def test_a_record_that_is_too_long_is_a_fault_of_its_line(admin: httpx.AsyncClient) -> None:
    too_long = {**study("NCT90000002"), "resultsSection": {"text": "x" * 1_100_000}}
    report = await send(admin, study(), too_long, study("NCT90000003"))
    assert [one["result"] for one in report["results"]] == ["created", "invalid", "created"]
    assert report["results"][1]["errors"][0]["code"] == "line_too_long"
    assert (await admin.get("/registry/v1/trials/NCT90000003")).status_code == 200


async def test_only_the_protocol_section_counts(admin: httpx.AsyncClient) -> None:
    await send(admin, study())
    more = {**study(), "resultsSection": {"text": "x"}, "derivedSection": {"miscInfoModule": {}}}
    assert (await send(admin, more))["counts"] == {"unchanged": 1}


async def test_long_lists_are_cut_with_a_warning(admin: httpx.AsyncClient) -> None:
    interventions = [{"type": "GENETIC", "name": f"AAV9 vector {number}"} for number in range(500)]
    report = await send(admin, study(armsInterventionsModule={"interventions": interventions}))
    (line,) = report["results"]
    assert line["result"] == "created"
    assert "too_many" in {error["code"] for error in line["errors"]}


async def test_lines_of_one_request_see_each_other_across_slices(admin: httpx.AsyncClient) -> None:
    others = [study(f"NCT9000001{number}") for number in range(SLICE_LINES)]
    report = await send(admin, study(), *others, study(), study(statusModule={"overallStatus": "COMPLETED"}))
    assert [one["result"] for one in report["results"]] == ["created"] * (1 + SLICE_LINES) + ["unchanged", "updated"]
    assert [one["line"] for one in report["results"]] == list(range(1, SLICE_LINES + 4))


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{}\n" * 201, 413),
        (b'{"a": "' + b"x" * 1_100_000 + b'"}', 200),
        (b"", 200),
        (b"\n\n", 200),
        (b"\xff\xfe", 200),
    ],
)
async def test_an_upload_of_any_bytes_is_answered(
    refused_admin: httpx.AsyncClient, content: bytes, status: int
) -> None:
    answer = await refused_admin.put(PATH, content=content, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == status


async def test_only_the_coordination_imports(standing_app: FastAPI) -> None:
    for token, status in (
        (None, 401),
        (token_of("hospital", "admin", "system"), 403),
        (token_of("coordination", "auditor"), 403),
    ):
        async with client_of(standing_app, token=token) as caller:
            answer = await caller.put(PATH, content=b"{}", headers={"Content-Type": "application/x-ndjson"})
            assert answer.status_code == status


@pytest.mark.real_data
@pytest.mark.parametrize("share", [6, pytest.param(1, marks=pytest.mark.full)])
async def test_every_real_record_is_reported_and_the_second_run_writes_nothing(
    admin: httpx.AsyncClient, real_data: Path, figure: Callable[[str, object], None], stocked_url: str, share: int
) -> None:
    files = sorted((real_data / "ctgov_atmp").glob("*.json"))
    assert len(files) == 889
    # Others on each kind of database. Each is also read without a database (tests/unit/registry/sources).
    files = files[:: 2 * share] if stocked_url.startswith("sqlite") else files[share :: 2 * share]
    records = [json.dumps(json.loads(file.read_text(encoding="utf-8"))) for file in files]

    async def run() -> Counter[str]:
        counts: Counter[str] = Counter()
        for start in range(0, len(records), 200):
            counts.update((await send(admin, *records[start : start + 200]))["counts"])
        return counts

    following = await now(admin)
    started = perf_counter()
    first = await run()
    figure(
        f"import of ctgov_atmp, first run of {len(records)}",
        f"{dict(sorted(first.items()))} in {perf_counter() - started:.1f} s",
    )
    assert sum(first.values()) == len(records)
    assert first["invalid"] == 0
    assert first["created"] > 0.75 * len(records)
    after = await now(admin)
    assert after != following
    started = perf_counter()
    second = await run()
    figure(
        f"import of ctgov_atmp, second run of {len(records)}",
        f"{dict(sorted(second.items()))} in {perf_counter() - started:.1f} s",
    )
    assert second == {"unchanged": len(records) - first["refused"], "refused": first["refused"]}
    assert await now(admin) == after
