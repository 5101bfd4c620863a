"""Matching's snapshot: follows every change of the registry, works without it, survives a crash, is complete."""

import json
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.registry.schema import FEED
from tests.conftest import client_of
from tests.contract.matching import (
    CRITERIA,
    DEMO,
    FACT,
    MATCH,
    Line,
    declare,
    example,
    found,
    held,
    running_matching,
    until,
    until_loaded,
)

pytestmark = pytest.mark.anyio

CONTACT = {
    "function": {"fr": "Unité d'essais cliniques", "en": "Clinical trials unit"},
    "organisation": "CHU",
    "url": "https://chu.example/essais",
}


async def test_a_change_of_the_registry_reaches_the_answers(
    own_matching_client: httpx.AsyncClient, matching: FastAPI, curator: httpx.AsyncClient
) -> None:
    boy = example("duchenne-boy")
    before = await own_matching_client.post(MATCH, json=boy)
    await declare(curator, DEMO, "fr-lille", "recruiting", 0)
    await until(lambda: matching.state.snapshots.current.id != before.headers["Snapshot"])
    after = await own_matching_client.post(MATCH, json=boy)
    site = next(one for one in found(after.json(), DEMO)["sites"] if one["centre"] == "fr-lille")
    assert site["slots"] == [{"cohort": "1", "open": 0}]
    assert found(after.json(), DEMO)["sites"][0]["centre"] == "fr-necker"
    before = matching.state.snapshots.current.id
    suspended = await curator.patch(
        f"/registry/v1/trials/{DEMO}",
        content=json.dumps({"status": "suspended"}),
        headers={"Content-Type": "application/merge-patch+json", "If-Match": "*"},
    )
    assert suspended.status_code == 200, suspended.text
    await until(lambda: matching.state.snapshots.current.id != before)
    closed = found((await own_matching_client.post(MATCH, json=boy)).json(), DEMO)
    assert (closed["recruitment"], closed["recruitment_status"]) == ("closed", "suspended")


async def test_open_trials_come_before_closed_ones_then_the_better_verdict(
    own_matching_client: httpx.AsyncClient, matching: FastAPI, curator: httpx.AsyncClient
) -> None:
    patches: dict[str, Any] = {
        DEMO: {"status": "suspended"},
        "NCT05096221": {"status": "recruiting", "countries": ["FR"], "locations": []},
    }
    for trial, patch in patches.items():
        headers = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
        answer = await curator.patch(f"/registry/v1/trials/{trial}", content=json.dumps(patch), headers=headers)
        assert answer.status_code == 200, answer.text
        version = answer.json()["version"]
        await until(lambda trial=trial, version=version: held(matching, trial).record.trial.version == version)
    ranked = (await own_matching_client.post(MATCH, json=example("duchenne-boy"))).json()["results"]
    ranking = [(one["trial"], one["recruitment"], one["verdict"]) for one in ranked]
    assert ranking == [
        ("NCT05096221", "open", "not_yet"),
        (DEMO, "closed", "possible"),
        ("NCT04626674", "unknown", "not_yet"),
    ]
    grown = {**example("duchenne-boy"), "birth_date": "2014-01-01", "facts": [FACT]}
    last = (await own_matching_client.post(MATCH, json=grown)).json()["results"][-1]
    assert (last["trial"], last["recruitment"], last["verdict"]) == ("NCT05096221", "open", "excluded")


async def test_newly_signed_criteria_reach_the_answers(
    own_matching_client: httpx.AsyncClient, matching: FastAPI, curator: httpx.AsyncClient
) -> None:
    before = matching.state.snapshots.current.id
    document = {**CRITERIA, "trial": "NCT05096221"}
    signed = await curator.put("/registry/v1/trials/NCT05096221/criteria", json=document, headers={"If-Match": "*"})
    assert signed.status_code == 200, signed.text
    await until(lambda: matching.state.snapshots.current.id != before)
    embark = found((await own_matching_client.post(MATCH, json=example("duchenne-boy"))).json(), "NCT05096221")
    assert [one["id"] for one in embark["criteria"]] == ["I1", "I2"]
    assert (embark["from"], embark["criteria_version"]) == ("2025-12-20", 2)
    boy = {**example("duchenne-boy"), "birth_date": "2020-01-01"}
    embark = found((await own_matching_client.post(MATCH, json=boy)).json(), "NCT05096221")
    assert (embark["verdict"], embark["criteria_outdated"], embark["contact"]) == ("compatible", False, None)
    before = matching.state.snapshots.current.id
    changed = await curator.patch(
        "/registry/v1/trials/NCT05096221",
        json={"eligibility": {"text": "Inclusion Criteria:\n* Another text"}, "contact": CONTACT},
        headers={"If-Match": "*", "Content-Type": "application/merge-patch+json"},
    )
    assert changed.status_code == 200, changed.text
    await until(lambda: matching.state.snapshots.current.id != before)
    embark = found((await own_matching_client.post(MATCH, json=boy)).json(), "NCT05096221")
    assert (embark["verdict"], embark["criteria_outdated"], embark["grade"]) == ("possible", True, "signed")
    assert embark["contact"] == {**CONTACT, "email": None}
    study = (await curator.get("/fhir/ResearchStudy/NCT05096221")).json()
    assert study["contact"] == [
        {"name": "Clinical trials unit, CHU", "telecom": [{"system": "url", "value": CONTACT["url"]}]}
    ]


async def test_it_answers_while_the_registry_is_down_with_the_age_of_the_snapshot(line: Line, tmp_path: Path) -> None:
    async with running_matching(line) as app:
        await until_loaded(app)
        current = app.state.snapshots.current
    line.up = False
    async with running_matching(line) as app, client_of(app) as caller:
        assert (await caller.get("/matching/readyz")).status_code == 200
        answer = await caller.post(MATCH, json=example("duchenne-boy"))
        assert answer.status_code == 200
        assert answer.headers["Snapshot"] == current.id
        age = (datetime.now(UTC) - current.current_at).total_seconds()
        assert abs(int(answer.headers["Snapshot-Age"]) - age) <= 2


async def test_without_any_snapshot_it_is_not_ready(registry: FastAPI) -> None:
    line = Line(registry)
    line.up = False
    async with running_matching(line) as app, client_of(app) as caller:
        assert (await caller.get("/matching/readyz")).status_code == 503
        answer = await caller.post(MATCH, json={})
        assert (answer.status_code, answer.json()["code"]) == (503, "snapshot_missing")
        line.up = True
        await until_loaded(app)
        assert (await caller.get("/matching/readyz")).status_code == 200


@pytest.mark.parametrize(
    "cut",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text[: text.rindex(b'{"kind"')],
        lambda text: text[:-2],
        lambda text: text.replace(b'{"kind":"trial"', b"\n", 1).split(b"\n\n")[0] + text[text.rindex(b'\n{"kind"') :],
        lambda text: text[text.index(b"\n") + 1 :],
        lambda _: b"",
    ],
)
async def test_an_incomplete_export_is_refused(registry: FastAPI, cut: Any) -> None:
    line = Line(registry)
    line.keep_of_export = cut
    async with running_matching(line) as app:
        await until(lambda: line.paths.count("/registry/v1/export") >= 2)
        assert app.state.snapshots.loaded is None
        line.keep_of_export = None
        await until_loaded(app)
        assert len(app.state.snapshots.current.trials) == 18


async def test_changes_during_a_down_time_are_read_from_the_stored_cursor(
    line: Line, curator: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with running_matching(line) as app:
        await until_loaded(app)
        folder = app.state.settings.snapshot_folder
        await until((folder / "current").exists)
        left = tmp_path / "killed" / "matching" / "snapshot"
        shutil.copytree(folder, left)  # the state that a kill at this moment leaves
    await declare(curator, DEMO, "fr-lille", "recruiting", 7)
    line.paths.clear()
    async with running_matching(line, data_dir=tmp_path / "killed") as app:
        await until(lambda: ("1", 7) in [slot for site in held(app, DEMO).record.sites for slot in site.slots])
    assert "/registry/v1/export" not in line.paths


async def test_a_restored_registry_is_loaded_again_from_its_export(
    line: Line, registry: FastAPI, matching: FastAPI
) -> None:
    before = matching.state.snapshots.current
    line.paths.clear()
    async with registry.state.database.transaction() as connection:
        await FEED.new_generation(connection)
    await until(
        lambda: (
            "/registry/v1/export" in line.paths
            and matching.state.snapshots.current.next_feed_path != before.next_feed_path
        )
    )
    assert matching.state.snapshots.current.id == before.id


async def test_a_damaged_snapshot_is_refused_and_the_previous_one_used(
    line: Line, curator: httpx.AsyncClient, registry: FastAPI
) -> None:
    async with running_matching(line) as app:
        await until_loaded(app)
        first, folder = app.state.snapshots.current, app.state.settings.snapshot_folder
        await until((folder / "current").exists)
        await declare(curator, DEMO, "fr-lille", "recruiting", 7)
        await until(lambda: app.state.snapshots.current.id != first.id)
        newest = app.state.snapshots.current.id
    assert (folder / "current").read_text().startswith(newest)
    torn = folder / (folder / "current").read_text() / "trials.ndjson"
    torn.write_bytes(torn.read_bytes()[:-40])
    line.up = False
    async with running_matching(line) as app:
        assert app.state.snapshots.current.id == first.id
        line.up = True
        await until(lambda: app.state.snapshots.current.id == newest)


async def test_a_withdrawn_trial_is_no_longer_in_the_answers(matching: FastAPI, curator: httpx.AsyncClient) -> None:
    trial = (await curator.get(f"/registry/v1/trials/{DEMO}")).json()
    given = {
        "titles": {"fr": "Leucémie", "en": "Leukaemia"},
        "conditions": [{"text": "Lymphoproliferative disorder", "role": "target"}],
        "summary": None,
    }
    answer = await curator.patch(
        f"/registry/v1/trials/{DEMO}",
        content=json.dumps(given),
        headers={"Content-Type": "application/merge-patch+json", "If-Match": "*"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["published"] is False
    assert trial["published"] is True
    await until(lambda: held(matching, DEMO) is None)


async def test_a_merged_trial_leaves_the_snapshot_and_comes_back(matching: FastAPI, curator: httpx.AsyncClient) -> None:
    one, other = held(matching, "NCT04626674").record.trial, held(matching, "NCT05096221").record.trial

    async def call(action: str, body: dict[str, str]) -> None:
        headers = {"If-Match": "*", "Idempotency-Key": uuid.uuid4().hex}
        answer = await curator.post(f"/registry/v1/trials/{one.id}/{action}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text

    await call("merge", {"into": other.id, "reason": "one protocol"})
    await until(lambda: one.id not in matching.state.snapshots.current.trials)
    await until(lambda: held(matching, other.identifier).record.trial.version == other.version + 1)
    await call("unmerge", {"reason": "two protocols"})
    await until(lambda: one.id in matching.state.snapshots.current.trials)
    assert held(matching, one.identifier).record.trial.version == one.version + 2
