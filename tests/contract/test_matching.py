"""Matching through its front door: worked patients, what is refused, and a copy of the registry that outlives it."""

import json
import logging
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter

from services.matching.criteria.schemas import DryRunAnswer
from services.matching.evaluations.schemas import MatchAnswer
from services.registry.schema import FEED
from tests.conftest import ADMIN, client_of
from tests.contract.matching import EXAMPLES, Line, running_matching, until, until_loaded
from tests.contract.registry import running_registry

pytestmark = pytest.mark.anyio

MATCH = "/matching/v1/match"
CHECK = "/matching/v1/criteria/check"
DRY_RUN = "/matching/v1/criteria/dry-run"
NIR = "1 85 05 78 006 084 91"
DEMO = "CLEIO-DEMO-0002"


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with running_registry(f"sqlite:///{tmp_path / 'registry.db'}") as app:
        yield app


@pytest.fixture
def line(registry: FastAPI) -> Line:
    return Line(registry)


@pytest.fixture
async def matching(line: Line) -> AsyncIterator[FastAPI]:
    async with running_matching(line) as app:
        await until_loaded(app)
        yield app


@pytest.fixture
async def public(matching: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(matching) as client:
        yield client


@pytest.fixture
async def curator(registry: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(registry, token=ADMIN) as client:
        yield client


def example(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return document


def found(answer: dict[str, Any], trial: str) -> dict[str, Any]:
    return next(one for one in answer["results"] if one["trial"] == trial)


def states(result: dict[str, Any], state: str) -> set[str]:
    return {criterion["id"] for criterion in result["criteria"] if criterion["state"] == state}


def results_bytes(response: httpx.Response) -> bytes:
    return response.content.split(b'"results":', 1)[1].split(b',"undetermined":', 1)[0]


async def declare(curator: httpx.AsyncClient, trial: str, centre: str, status: str, places: int) -> None:
    answer = await curator.put(
        f"/registry/v1/trials/{trial}/sites/{centre}",
        json={"status": status, "slots": [{"cohort": "1", "open": places}]},
        headers={"If-Match": "*"},
    )
    assert answer.status_code == 200, answer.text


# --- worked patients ---------------------------------------------------------------------------------------------------


async def test_the_duchenne_boy_must_wait_for_his_birthday_his_steroid_and_his_vaccine(public: httpx.AsyncClient) -> None:
    response = await public.post(MATCH, json=example("duchenne-boy"))
    assert response.status_code == 200, response.text
    answer = response.json()
    MatchAnswer.model_validate_json(response.content)
    assert answer["as_of"] == "2025-11-22"
    embark = found(answer, "NCT05096221")
    assert (embark["verdict"], embark["from"], embark["until"]) == ("not_yet", "2026-01-02", "2029-12-20")
    assert embark["refer_before"] == "2029-10-25"
    assert embark["recruitment"] == "closed"
    clears = {one["id"]: one["clears_on"] for one in embark["criteria"] if one["state"] == "not_met"}
    assert clears == {"I-AGE": "2025-12-20", "I-STEROID": "2026-01-02", "X-VACCINE": "2025-12-09"}
    assert "I-AAV" in states(embark, "unknown")
    steroid = next(one for one in embark["criteria"] if one["id"] == "I-STEROID")
    assert steroid["evidence"] == ["prednisone"]
    assert embark["timeline"][0] == {"from": "2025-11-22", "until": "2026-01-02", "verdict": "not_yet"}
    fourth = next(one for one in found(answer, "NCT04626674")["cohorts"] if one["id"] == "4")
    assert fourth["verdict"] in {"excluded", "not_now"}
    assert "titre-anti-aavrh74" in {question["code"] for question in answer["ask_next"]}


async def test_the_twin_without_steroid_may_enter_the_cohort_of_three_year_olds(public: httpx.AsyncClient) -> None:
    twin = example("duchenne-boy")
    twin["facts"] = [fact for fact in twin["facts"] if fact["id"] != "prednisone"]
    twin["facts"].append({"id": "no-steroid", "kind": "medication", "codes": ["CLEIO:oral-glucocorticoid"], "status": "absent", "date": "2025-11-22"})
    endeavor = found((await public.post(MATCH, json=twin)).json(), "NCT04626674")
    assert (endeavor["cohort"], endeavor["verdict"], endeavor["until"]) == ("4", "possible", "2025-12-20")


async def test_the_sickle_cell_girl_is_possible_and_told_what_nobody_recorded(public: httpx.AsyncClient) -> None:
    answer = (await public.post(MATCH, json=example("sickle-cell-girl"))).json()
    exa_cel = found(answer, "NCT03745287")
    assert exa_cel["verdict"] == "possible"
    assert {"I-AGE", "I-DX", "I-GENOTYPE", "I-VOC", "I-PERF", "I-EGFR", "I-ALT"} <= states(exa_cel, "met")
    assert {"X-DONOR", "X-HSCT", "X-GT", "X-HIV", "X-HBV", "X-HCV", "I-BILIRUBIN-DIRECT", "I-LVEF", "I-PLT", "X-STROKE", "X-PREG"} <= states(
        exa_cel, "unknown"
    )
    assert states(exa_cel, "not_met") == set()
    assert [span["from"] for span in exa_cel["timeline"]] == ["2025-11-22", "2026-01-11", "2026-02-02", "2026-05-03", "2026-08-20"]


async def test_trials_that_recruit_in_france_come_first_with_the_nearest_open_site_first(public: httpx.AsyncClient) -> None:
    answer = (await public.post(MATCH, json=example("duchenne-boy"))).json()
    assert answer["results"][0]["trial"] == DEMO
    demo = answer["results"][0]
    assert (demo["recruitment"], demo["illustrative"], demo["cohort"]) == ("open", True, "1")
    names = [site["centre"] for site in demo["sites"]]
    assert names[:2] == ["fr-lille", "fr-necker"]
    assert names[-1] == "fr-nantes"
    assert demo["sites"][-1]["stale"] is True
    assert 30 < demo["sites"][0]["distance_km"] < 60
    without_place = {name: value for name, value in example("duchenne-boy").items() if name != "place"}
    nowhere = found((await public.post(MATCH, json=without_place)).json(), DEMO)
    assert {site["distance_km"] for site in nowhere["sites"]} == {None}


async def test_a_trial_for_another_disease_is_counted_and_not_listed(public: httpx.AsyncClient) -> None:
    answer = (await public.post(MATCH, json={"as_of": "2025-11-22", "sex": "male", "age": "P30Y"})).json()
    listed = {one["trial"] for one in answer["results"]}
    assert "NCT05096221" not in listed
    assert answer["undetermined"] >= 15


async def test_a_phenopacket_is_matched_as_the_patient_it_describes(public: httpx.AsyncClient) -> None:
    response = await public.post(f"{MATCH}?as_of=2025-11-22", json=example("phenopacket"))
    assert response.status_code == 200, response.text
    demo = found(response.json(), DEMO)
    assert (demo["cohort"], demo["verdict"], demo["until"]) == ("1", "possible", "2027-03-14")
    assert {"I-DX", "I-SEX", "I-AGE-1", "I-STEROID", "I-LVEF"} <= states(demo, "met")
    assert "invented-subject" not in response.text
    assert {"id": "/phenotypicFeatures/0/onset", "reason": "no_date"} in response.json()["ignored_facts"]


async def test_facts_that_count_for_nothing_are_named(public: httpx.AsyncClient) -> None:
    patient = example("sickle-cell-girl")
    patient["facts"] += [
        {"id": "later", "kind": "condition", "codes": ["ORPHA:98896"], "date": "2025-11-23"},
        {"id": "mistake", "kind": "condition", "codes": ["ORPHA:98896"], "date": "2020-01-01", "status": "entered_in_error"},
    ]
    ignored = (await public.post(MATCH, json=patient)).json()["ignored_facts"]
    assert sorted((one["id"], one["reason"]) for one in ignored) == [("later", "after_as_of"), ("mistake", "entered_in_error")]


async def test_the_limit_cuts_the_list_and_the_horizon_the_timeline(public: httpx.AsyncClient) -> None:
    girl = example("sickle-cell-girl")
    assert len((await public.post(f"{MATCH}?limit=1", json=girl)).json()["results"]) == 1
    short = found((await public.post(f"{MATCH}?horizon=P2M", json=girl)).json(), "NCT03745287")
    assert [span["from"] for span in short["timeline"]] == ["2025-11-22", "2026-01-11"]
    for query, pointer in (
        ("horizon=P21Y", "/query/horizon"),
        ("dosing_date=2025-11-21", "/query/dosing_date"),
        ("as_of=2025-11-22", "/query/as_of"),
    ):
        refused = await public.post(f"{MATCH}?{query}", json=girl)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, pointer)


async def test_the_same_patient_day_and_snapshot_give_the_same_bytes(
    public: httpx.AsyncClient, matching: FastAPI, line: Line, tmp_path: Path
) -> None:
    girl = example("sickle-cell-girl")
    first = await public.post(MATCH, json=girl)
    shuffled = {**dict(reversed(girl.items())), "facts": girl["facts"][::-1]}
    assert results_bytes(await public.post(MATCH, json=shuffled)) == results_bytes(first)
    async with running_matching(line, data_dir=tmp_path / "another") as other:
        await until_loaded(other)
        async with client_of(other) as caller:
            second = await caller.post(MATCH, json=girl)
    assert second.headers["Snapshot"] == first.headers["Snapshot"]
    assert results_bytes(second) == results_bytes(first)


async def test_a_match_is_for_this_machine_alone(matching: FastAPI) -> None:
    async with client_of(matching, address="203.0.113.9") as stranger:
        assert (await stranger.post(MATCH, json={})).status_code == 401


# --- what is refused ---------------------------------------------------------------------------------------------------

BOY = {"as_of": "2025-11-22", "birth_date": "2021-12-20"}
FACT = {"id": "f", "kind": "condition", "codes": ["ORPHA:98896"]}
SECRET = "Zyxwvutsr"


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (json.dumps({**BOY, "wheight": 12}), 422, "invalid_body", "/wheight"),
        (json.dumps({**BOY, "birth_date": 20211220}), 422, "invalid_body", "/birth_date"),
        (json.dumps({**BOY, "facts": [{**FACT, "codes": SECRET}]}), 422, "invalid_body", "/facts/0/codes"),
        (json.dumps({**BOY, "sex": SECRET}), 422, "invalid_body", "/sex"),
        (json.dumps({**BOY, "birth_date": "2026-01-01"}), 422, "invalid_body", ""),
        (json.dumps({"birth_date": "2199-01-01"}), 422, "invalid_body", "/birth_date"),
        (json.dumps({**BOY, "facts": [FACT, FACT]}), 422, "invalid_body", ""),
        ('{"facts": [{"id": "f", "value": NaN}]}', 400, "malformed_json", "/facts/0/value"),
        ('{"sex": "male", "sex": "female"}', 400, "malformed_json", ""),
        ('{"a":' * 40 + "1" + "}" * 40, 400, "malformed_json", ""),
        ("[1]", 400, "malformed_json", ""),
        ("", 400, "malformed_json", ""),
        ('{"as_of": "2025-11-22"', 400, "malformed_json", ""),
        (json.dumps({"sex": "x" * 3_000_000}), 413, "too_large", None),
        (json.dumps({**BOY, "name": SECRET}), 422, "identifier_forbidden", "/name"),
        (json.dumps({**BOY, "facts": [{**FACT, "Note": SECRET}]}), 422, "identifier_forbidden", "/facts/0/Note"),
        (json.dumps({**BOY, "facts": [{**FACT, "id": NIR}]}), 422, "identifier_forbidden", "/facts/0/id"),
        (json.dumps({**BOY, NIR: 1}), 422, "identifier_forbidden", ""),
        (json.dumps({**BOY, "facts": [{**FACT, "id": f"{SECRET}@hopital.fr"}]}), 422, "identifier_forbidden", "/facts/0/id"),
        (json.dumps({"resourceType": "Bundle", "entry": [{"name": SECRET}]}), 422, "format_not_supported", "/resourceType"),
        (json.dumps({"metaData": {"phenopacketSchemaVersion": "2.0"}, "diseases": SECRET}), 422, "invalid_body", "/diseases"),
        (
            json.dumps({"metaData": {"phenopacketSchemaVersion": "2.0"}, "phenotypicFeatures": [{"type": {"id": "HP:0001250"}, "excluded": SECRET}]}),
            422,
            "invalid_body",
            "/phenotypicFeatures/0/excluded",
        ),
        (
            json.dumps({"metaData": {"phenopacketSchemaVersion": "2.0"}, "subject": {"id": "1", "name": SECRET}}),
            422,
            "identifier_forbidden",
            "/subject/name",
        ),
    ],
)
async def test_a_bad_body_is_refused_with_its_place_and_never_repeated(
    public: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, body: str, status: int, code: str, pointer: str | None
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = await public.post(MATCH, content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in response.json()["errors"]][:1] == ([] if pointer is None else [pointer])
    for secret in (SECRET, NIR, "xxxx"):
        assert secret not in response.text
        assert secret not in caplog.text


async def test_nothing_of_a_patient_is_logged_or_measured(public: httpx.AsyncClient, matching: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    patient = {"birth_date": "2011-07-13", "place": "2A", "facts": [{"id": "fact-of-mine", "kind": "condition", "codes": ["ORPHA:98896"]}]}
    with caplog.at_level(logging.DEBUG):
        assert (await public.post(MATCH, json=patient)).status_code == 200
    told = " ".join(str(vars(record)) for record in caplog.records if record.name.startswith(("shared", "services")))
    told += (await public.get("/metrics")).text
    assert MATCH in told
    for secret in ("2011-07-13", "fact-of-mine", "2A", "98896"):
        assert secret not in told


# --- criteria ----------------------------------------------------------------------------------------------------------

CRITERIA: dict[str, Any] = {
    "trial": "CLEIO-TEST-0001",
    "grade": "signed",
    "authored_by": "A. Martin",
    "signed_by": "B. Petit",
    "signed_at": "2025-11-01T09:00:00Z",
    "criteria": [
        {
            "id": "I1",
            "kind": "include",
            "role": "indication",
            "text": {"fr": "Duchenne", "en": "Duchenne"},
            "expr": {"type": "has", "codes": ["ORPHA:98896"]},
        },
        {"id": "I2", "kind": "include", "text": {"fr": "4 à 7 ans", "en": "4 to 7 years"}, "expr": {"type": "age", "min": "P4Y", "max": "P8Y"}},
    ],
}


def changed(index: int, **fields: Any) -> dict[str, Any]:
    lines = [dict(one) for one in CRITERIA["criteria"]]
    lines[index] |= fields
    return {**CRITERIA, "criteria": lines}


async def test_a_sound_document_has_no_findings_and_a_doubtful_one_is_told_where(public: httpx.AsyncClient) -> None:
    sound = (await public.post(CHECK, json=CRITERIA)).json()
    assert (sound["findings"], sound["errors"]) == ([], 0)
    doubtful = changed(1, expr={"type": "age", "min": "P8Y", "max": "P4Y"})
    told = (await public.post(CHECK, json=doubtful)).json()
    assert told["errors"] == 1
    assert {(one["code"], one["pointer"].split("/expr")[0]) for one in told["findings"]} == {("bounds_contradictory", "/criteria/1")}
    unknown = (await public.post(CHECK, json=changed(0, expr={"type": "has", "codes": ["ORPHA:1"]}))).json()
    assert {one["code"] for one in unknown["findings"]} == {"code_unknown"}


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (changed(0, kindd="include"), "/criteria/0/kindd"),
        (changed(1, expr={"type": "age", "min": "P4Y", "maxx": "P8Y"}), "/criteria/1/expr/maxx"),
        (changed(1, expr={"type": "aged"}), "/criteria/1/expr/type"),
        ({name: value for name, value in CRITERIA.items() if name != "signed_by"}, ""),
        ({**CRITERIA, "signed_by": " a. MARTIN "}, ""),
    ],
)
async def test_a_malformed_document_is_refused_with_its_place(public: httpx.AsyncClient, document: dict[str, Any], pointer: str) -> None:
    response = await public.post(CHECK, json=document)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, pointer)
    assert "MARTIN" not in response.text


async def test_a_dry_run_tells_what_a_document_says_of_a_patient_it_would_not_list(public: httpx.AsyncClient) -> None:
    response = await public.post(DRY_RUN, json={"criteria": CRITERIA, "patient": BOY})
    assert response.status_code == 200, response.text
    answer = TypeAdapter(DryRunAnswer).validate_json(response.content)
    assert (answer.listing, answer.verdict, answer.from_) == ("undetermined", "not_yet", date(2025, 12, 20))
    assert [(one.id, one.role, one.state) for one in answer.criteria] == [("I1", "indication", "unknown"), ("I2", None, "not_met")]
    boy = {**BOY, "birth_date": "2020-12-20", "facts": [FACT]}
    listed = (await public.post(DRY_RUN, json={"criteria": CRITERIA, "patient": boy})).json()
    assert (listed["listing"], listed["verdict"], listed["until"]) == ("listed", "compatible", "2028-12-20")


async def test_a_dry_run_refuses_whoever_could_be_identified(public: httpx.AsyncClient) -> None:
    response = await public.post(DRY_RUN, json={"criteria": CRITERIA, "patient": {**BOY, "prénom": SECRET}})
    assert (response.status_code, response.json()["code"]) == (422, "identifier_forbidden")
    assert SECRET not in response.text
    assert response.json()["errors"][0]["pointer"] == "/patient/prénom"
    wrong = await public.post(DRY_RUN, json={"criteria": CRITERIA, "patient": {"sex": "mail"}})
    assert wrong.json()["errors"][0]["pointer"] == "/patient/sex"


# --- the copy of the registry ------------------------------------------------------------------------------------------


async def test_a_change_of_the_registry_reaches_the_answers(public: httpx.AsyncClient, matching: FastAPI, curator: httpx.AsyncClient) -> None:
    boy = example("duchenne-boy")
    before = await public.post(MATCH, json=boy)
    await declare(curator, DEMO, "fr-lille", "recruiting", 0)
    await until(lambda: matching.state.snapshots.current.id != before.headers["Snapshot"])
    after = await public.post(MATCH, json=boy)
    site = next(one for one in found(after.json(), DEMO)["sites"] if one["centre"] == "fr-lille")
    assert site["slots"] == [{"cohort": "1", "open": 0}]
    assert found(after.json(), DEMO)["sites"][0]["centre"] == "fr-necker"
    held = matching.state.snapshots.current.id
    suspended = await curator.patch(
        f"/registry/v1/trials/{DEMO}",
        content=json.dumps({"status": "suspended"}),
        headers={"Content-Type": "application/merge-patch+json", "If-Match": "*"},
    )
    assert suspended.status_code == 200, suspended.text
    await until(lambda: matching.state.snapshots.current.id != held)
    closed = found((await public.post(MATCH, json=boy)).json(), DEMO)
    assert (closed["recruitment"], closed["recruitment_status"]) == ("closed", "suspended")


async def test_open_trials_come_before_closed_ones_then_the_better_verdict(
    public: httpx.AsyncClient, matching: FastAPI, curator: httpx.AsyncClient
) -> None:
    patches: dict[str, Any] = {DEMO: {"status": "suspended"}, "NCT05096221": {"status": "recruiting", "countries": ["FR"], "locations": []}}
    for trial, patch in patches.items():
        headers = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
        answer = await curator.patch(f"/registry/v1/trials/{trial}", content=json.dumps(patch), headers=headers)
        assert answer.status_code == 200, answer.text
        version = answer.json()["version"]
        await until(lambda: matching.state.snapshots.current.trials[trial].record.trial.version == version)  # noqa: B023  awaited here
    ranked = (await public.post(MATCH, json=example("duchenne-boy"))).json()["results"]
    told = [(one["trial"], one["recruitment"], one["verdict"]) for one in ranked]
    assert told == [("NCT05096221", "open", "not_yet"), (DEMO, "closed", "possible"), ("NCT04626674", "closed", "not_yet")]
    grown = {**example("duchenne-boy"), "birth_date": "2014-01-01", "facts": [FACT]}
    last = (await public.post(MATCH, json=grown)).json()["results"][-1]
    assert (last["trial"], last["recruitment"], last["verdict"]) == ("NCT05096221", "open", "excluded")


async def test_newly_signed_criteria_reach_the_answers(public: httpx.AsyncClient, matching: FastAPI, curator: httpx.AsyncClient) -> None:
    held = matching.state.snapshots.current.id
    document = {**CRITERIA, "trial": "NCT05096221"}
    signed = await curator.put("/registry/v1/trials/NCT05096221/criteria", json=document, headers={"If-Match": "*"})
    assert signed.status_code == 200, signed.text
    await until(lambda: matching.state.snapshots.current.id != held)
    embark = found((await public.post(MATCH, json=example("duchenne-boy"))).json(), "NCT05096221")
    assert [one["id"] for one in embark["criteria"]] == ["I1", "I2"]
    assert (embark["from"], embark["criteria_version"]) == ("2025-12-20", 2)


async def test_it_answers_while_the_registry_is_down_and_says_how_old_the_answer_is(line: Line, tmp_path: Path) -> None:
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


async def test_without_any_snapshot_it_is_not_ready_and_says_so(registry: FastAPI) -> None:
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
async def test_a_cut_export_is_refused_whole(registry: FastAPI, cut: Any) -> None:
    line = Line(registry)
    line.keep_of_export = cut
    async with running_matching(line) as app:
        await until(lambda: line.paths.count("/registry/v1/export") >= 2)
        assert app.state.snapshots.loaded is None
        line.keep_of_export = None
        await until_loaded(app)
        assert len(app.state.snapshots.current.trials) == 18


async def test_what_changed_while_it_was_dead_is_caught_up_from_the_kept_cursor(line: Line, curator: httpx.AsyncClient, tmp_path: Path) -> None:
    async with running_matching(line) as app:
        await until_loaded(app)
        folder = app.state.settings.snapshot_folder
        await until((folder / "current").exists)
        left = tmp_path / "killed" / "matching" / "snapshot"
        shutil.copytree(folder, left)  # what a kill at this moment leaves
    await declare(curator, DEMO, "fr-lille", "recruiting", 7)
    line.paths.clear()
    async with running_matching(line, data_dir=tmp_path / "killed") as app:
        await until(lambda: ("1", 7) in [slot for site in app.state.snapshots.current.trials[DEMO].record.sites for slot in site.slots])
    assert "/registry/v1/export" not in line.paths


async def test_a_restored_registry_is_loaded_again_from_its_export(line: Line, registry: FastAPI, matching: FastAPI) -> None:
    held = matching.state.snapshots.current
    line.paths.clear()
    async with registry.state.database.transaction() as connection:
        await FEED.raise_generation(connection)
    await until(lambda: "/registry/v1/export" in line.paths and matching.state.snapshots.current.following != held.following)
    assert matching.state.snapshots.current.id == held.id


async def test_a_torn_snapshot_is_refused_and_the_one_before_used(line: Line, curator: httpx.AsyncClient, registry: FastAPI) -> None:
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


async def test_a_trial_that_is_withdrawn_is_no_longer_in_the_answers(matching: FastAPI, curator: httpx.AsyncClient) -> None:
    trial = (await curator.get(f"/registry/v1/trials/{DEMO}")).json()
    given = {
        "titles": {"fr": "Leucémie", "en": "Leukaemia"},
        "conditions": [{"text": "Lymphoproliferative disorder", "role": "target"}],
        "summary": None,
    }
    answer = await curator.patch(
        f"/registry/v1/trials/{DEMO}", content=json.dumps(given), headers={"Content-Type": "application/merge-patch+json", "If-Match": "*"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["published"] is False
    assert trial["published"] is True
    await until(lambda: DEMO not in matching.state.snapshots.current.trials)
