"""Worked patients over the API of matching: verdicts, dates, reasons and order."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.matching.evaluations.schemas import MatchAnswer
from tests.conftest import client_of
from tests.contract.matching import DEMO, MATCH, Line, example, found, running_matching, until_loaded

pytestmark = pytest.mark.anyio


def states(result: dict[str, Any], state: str) -> set[str]:
    return {criterion["id"] for criterion in result["criteria"] if criterion["state"] == state}


def warned(response: httpx.Response) -> list[tuple[str, str]]:
    assert response.status_code == 200, response.text
    return [(one["pointer"], one["reason"]) for one in response.json()["warnings"]]


def results_bytes(response: httpx.Response) -> bytes:
    return response.content.split(b'"results":', 1)[1].split(b',"undetermined":', 1)[0]


async def test_the_duchenne_boy_waits_for_his_birthday_and_his_steroid(
    matching_client: httpx.AsyncClient,
) -> None:
    response = await matching_client.post(MATCH, json=example("duchenne-boy"))
    assert response.status_code == 200, response.text
    answer = response.json()
    MatchAnswer.model_validate_json(response.content)
    assert answer["as_of"] == "2025-11-22"
    embark = found(answer, "NCT05096221")
    assert (embark["verdict"], embark["from"], embark["until"]) == ("not_yet", "2026-01-02", "2029-12-20")
    (ending,) = embark["until_because"]
    assert ending["asks"]["en"].startswith("Age: ")
    assert "under 8 years" in ending["asks"]["en"]
    assert (embark["recruitment"], embark["refer_before"]) == ("closed", None)
    open_trial = found(answer, DEMO)
    assert (open_trial["recruitment"], open_trial["until"], open_trial["refer_before"]) == (
        "open",
        "2029-12-20",
        "2029-10-11",
    )
    clears = {one["id"]: one["clears_on"] for one in embark["criteria"] if one["state"] == "not_met"}
    assert clears == {"I-AGE": "2025-12-20", "I-STEROID": "2026-01-02"}
    assert "I-AAV" in states(embark, "unknown")
    steroid = next(one for one in embark["criteria"] if one["id"] == "I-STEROID")
    assert steroid["evidence"] == ["prednisone"]
    assert embark["timeline"][0] == {"from": "2025-11-22", "until": "2026-01-02", "verdict": "not_yet"}
    fourth = next(one for one in found(answer, "NCT04626674")["cohorts"] if one["id"] == "4")
    assert fourth["verdict"] in {"excluded", "not_now"}
    assert "titre-anti-aavrh74" in {question["code"] for question in answer["ask_next"]}


async def test_the_twin_without_steroid_may_enter_the_cohort_of_three_year_olds(
    matching_client: httpx.AsyncClient,
) -> None:
    twin = example("duchenne-boy")
    twin["facts"] = [fact for fact in twin["facts"] if fact["id"] != "prednisone"]
    twin["facts"].append(
        {
            "id": "no-steroid",
            "kind": "medication",
            "codes": ["CLEIO:oral-glucocorticoid"],
            "status": "absent",
            "date": "2025-11-22",
        }
    )
    endeavor = found((await matching_client.post(MATCH, json=twin)).json(), "NCT04626674")
    assert (endeavor["cohort"], endeavor["verdict"], endeavor["until"]) == ("4", "possible", "2025-12-20")


async def test_the_sickle_cell_girl_is_possible_and_missing_facts_are_named(matching_client: httpx.AsyncClient) -> None:
    answer = (await matching_client.post(MATCH, json=example("sickle-cell-girl"))).json()
    exa_cel = found(answer, "NCT03745287")
    assert exa_cel["verdict"] == "possible"
    assert states(exa_cel, "met") == {"I-AGE", "I-DX", "I-GENOTYPE", "I-VOC"}
    assert {"I-SUPPORTIVE", "I-OTHER"} <= states(exa_cel, "unknown")
    assert states(exa_cel, "not_met") == set()
    fictitious = found(answer, "CLEIO-DEMO-0001")
    assert {"I-AGE-2", "I-DX", "I-GENOTYPE", "I-VOC", "I-PERF", "I-EGFR", "I-ALT"} <= states(fictitious, "met")
    assert {"X-DONOR", "X-HSCT", "X-GT", "X-HIV", "X-PREG"} <= states(fictitious, "unknown")
    assert [span["from"] for span in exa_cel["timeline"]] == [
        "2025-11-22",
        "2026-01-11",
        "2026-02-02",
        "2026-05-03",
    ]


async def test_trials_that_recruit_in_france_come_first_with_the_nearest_open_site_first(
    matching_client: httpx.AsyncClient,
) -> None:
    answer = (await matching_client.post(MATCH, json=example("duchenne-boy"))).json()
    assert answer["results"][0]["trial"] == DEMO
    demo = answer["results"][0]
    assert (demo["recruitment"], demo["illustrative"], demo["cohort"]) == ("open", True, "1")
    names = [site["centre"] for site in demo["sites"]]
    assert names[:2] == ["fr-lille", "fr-necker"]
    assert names[-1] == "fr-nantes"
    assert demo["sites"][-1]["stale"] is True
    assert 30 < demo["sites"][0]["distance_km"] < 60
    without_place = {name: value for name, value in example("duchenne-boy").items() if name != "place"}
    nowhere = found((await matching_client.post(MATCH, json=without_place)).json(), DEMO)
    assert {site["distance_km"] for site in nowhere["sites"]} == {None}


async def test_a_trial_for_another_disease_is_counted_and_not_listed(matching_client: httpx.AsyncClient) -> None:
    answer = (await matching_client.post(MATCH, json={"as_of": "2025-11-22", "sex": "male", "age": "P30Y"})).json()
    listed = {one["trial"] for one in answer["results"]}
    assert "NCT05096221" not in listed
    assert answer["undetermined"] >= 15


async def test_a_phenopacket_is_matched_like_the_same_native_patient(matching_client: httpx.AsyncClient) -> None:
    response = await matching_client.post(f"{MATCH}?as_of=2025-11-22", json=example("phenopacket"))
    assert response.status_code == 200, response.text
    demo = found(response.json(), DEMO)
    assert (demo["cohort"], demo["verdict"], demo["until"]) == ("1", "possible", "2035-03-14")
    # The first cohort ends earlier; the second takes over, so what ends the trial is its criterion.
    assert [one["criterion"] for one in demo["until_because"]] == ["I-AGE-2"]
    assert {"I-DX", "I-SEX", "I-AGE-1", "I-STEROID", "I-LVEF"} <= states(demo, "met")
    assert "invented-subject" not in response.text
    assert ("/phenotypicFeatures/0/onset", "no_date") in warned(response)


async def test_unused_facts_are_named(matching_client: httpx.AsyncClient) -> None:
    patient = example("sickle-cell-girl")
    patient["facts"] += [
        {"id": "later", "kind": "condition", "codes": ["ORPHA:98896"], "date": "2025-11-23"},
        {
            "id": "mistake",
            "kind": "condition",
            "codes": ["ORPHA:98896"],
            "date": "2020-01-01",
            "status": "entered_in_error",
        },
    ]
    first = len(patient["facts"]) - 2
    warnings = warned(await matching_client.post(MATCH, json=patient))
    assert (f"/facts/{first}", "after_as_of") in warnings
    assert (f"/facts/{first + 1}", "entered_in_error") in warnings


async def test_a_criterion_tells_apart_satisfied_and_unsatisfied(matching_client: httpx.AsyncClient) -> None:
    girl = example("sickle-cell-girl")
    criteria = {
        one["id"]: one
        for one in found((await matching_client.post(MATCH, json=girl)).json(), "CLEIO-DEMO-0001")["criteria"]
    }
    assert (criteria["I-AGE-2"]["satisfied"], criteria["X-HIV"]["satisfied"]) == (True, None)
    hiv = {"id": "hiv", "kind": "condition", "codes": ["CLEIO:hiv-positive"], "date": "2025-11-01"}
    for status, satisfied, state in (("present", False, "not_met"), ("absent", True, "met")):
        patient = {**girl, "facts": [*girl["facts"], {**hiv, "status": status}]}
        answer = found((await matching_client.post(MATCH, json=patient)).json(), "CLEIO-DEMO-0001")
        exclusion = next(one for one in answer["criteria"] if one["id"] == "X-HIV")
        assert (exclusion["kind"], exclusion["satisfied"], exclusion["state"]) == ("exclude", satisfied, state)


async def test_an_answer_contains_the_recruitment_of_a_trial(matching_client: httpx.AsyncClient) -> None:
    patient = {
        "as_of": "2025-11-22",
        "facts": [
            {"id": f"f{number}", "kind": "condition", "codes": [code]}
            for number, code in enumerate(("ORPHA:98896", "ORPHA:275752", "ORPHA:589", "ORPHA:221"))
        ],
    }
    answer = (await matching_client.post(MATCH, json=patient)).json()
    assert answer["country"] == "FR"
    recruitment = {one["trial"]: one["recruitment"] for one in answer["results"]}
    # They recruit, but the countries are not all known: nothing can be said of France.
    assert recruitment["NCT06799247"] == recruitment["NCT06298019"] == "unknown"
    assert recruitment["NCT03964792"] == recruitment["NCT04626674"] == "unknown"
    assert recruitment["NCT05096221"] == "closed"
    assert recruitment[DEMO] == "open"
    assert {one["refer_before"] for one in answer["results"] if one["recruitment"] == "closed"} == {None}


async def test_signatures_of_invented_people_are_marked(matching_client: httpx.AsyncClient) -> None:
    answer = (await matching_client.post(MATCH, json=example("duchenne-boy"))).json()
    assert {(one["grade"], one["criteria_illustrative"]) for one in answer["results"]} == {("signed", True)}
    assert (found(answer, "NCT05096221")["illustrative"], found(answer, DEMO)["illustrative"]) == (False, True)


async def test_pages_contain_every_trial_once(matching_client: httpx.AsyncClient) -> None:
    boy = example("duchenne-boy")
    whole = (await matching_client.post(MATCH, json=boy)).json()
    assert (whole["total"], whole["next"]) == (len(whole["results"]), None)
    assert whole["total"] > 2
    pages: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = (await matching_client.post(f"{MATCH}?limit=2{cursor and '&cursor='}{cursor}", json=boy)).json()
        assert (page["total"], page["ask_next"]) == (whole["total"], whole["ask_next"])
        pages.append(page)
        cursor = page["next"]
    assert [one for page in pages for one in page["results"]] == whole["results"]
    # The cursor works the same for an entirely different patient.
    other = {**example("sickle-cell-girl"), "facts": [{"id": "a", "kind": "condition", "codes": ["ORPHA:98896"]}]}
    assert (await matching_client.post(f"{MATCH}?limit=2", json=other)).json()["next"] == pages[0]["next"]


@pytest.mark.parametrize(
    ("cursor", "status", "code"),
    [
        ("x", 400, "invalid_cursor"),
        ("0123456789abcdef-0", 400, "invalid_cursor"),
        ("0123456789abcdef-1000000", 400, "invalid_cursor"),
        ("0123456789abcdef-2", 410, "cursor_outdated"),
        ("0" * 41, 400, "invalid_parameter"),
    ],
)
async def test_a_cursor_of_another_snapshot_or_request_is_refused(
    matching_client: httpx.AsyncClient, cursor: str, status: int, code: str
) -> None:
    answer = await matching_client.post(f"{MATCH}?cursor={cursor}", json=example("duchenne-boy"))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_limit_cuts_the_list_and_the_horizon_the_timeline(matching_client: httpx.AsyncClient) -> None:
    girl = example("sickle-cell-girl")
    assert len((await matching_client.post(f"{MATCH}?limit=1", json=girl)).json()["results"]) == 1
    short = found((await matching_client.post(f"{MATCH}?horizon=P2M", json=girl)).json(), "NCT03745287")
    assert [span["from"] for span in short["timeline"]] == ["2025-11-22", "2026-01-11"]
    for query, pointer in (
        ("horizon=P21Y", "/query/horizon"),
        ("dosing_date=2025-11-21", "/query/dosing_date"),
        ("as_of=2025-11-22", "/query/as_of"),
    ):
        refused = await matching_client.post(f"{MATCH}?{query}", json=girl)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, pointer)


async def test_the_same_patient_day_and_snapshot_give_the_same_bytes(
    matching_client: httpx.AsyncClient, standing_matching: FastAPI, standing_line: Line, tmp_path: Path
) -> None:
    girl = example("sickle-cell-girl")
    first = await matching_client.post(MATCH, json=girl)
    shuffled = {**dict(reversed(girl.items())), "facts": girl["facts"][::-1]}
    assert results_bytes(await matching_client.post(MATCH, json=shuffled)) == results_bytes(first)
    async with running_matching(standing_line, data_dir=tmp_path / "another") as other:
        await until_loaded(other)
        async with client_of(other) as caller:
            second = await caller.post(MATCH, json=girl)
    assert second.headers["Snapshot"] == first.headers["Snapshot"]
    assert results_bytes(second) == results_bytes(first)


async def test_without_a_token_a_match_is_only_for_this_machine(standing_matching: FastAPI) -> None:
    async with client_of(standing_matching, address="203.0.113.9") as stranger:
        assert (await stranger.post(MATCH, json={})).status_code == 401
