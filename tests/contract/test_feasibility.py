"""Feasibility over HTTP: the gate, the questionnaire, steps and clocks, and what each party gets of it."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.registry.feasibility.following import remind_some, withdraw_some
from shared.access import Principal
from shared.access.views import view_of
from tests.conftest import client_of
from tests.contract.feasibility import ENTITIES, Member, Study, answers, member, today
from tests.contract.row_security import rows
from tests.contract.test_registry import events_since, now

pytestmark = pytest.mark.anyio

NECKER, TROUSSEAU, STRASBOURG = ENTITIES
# What the dossier says beyond what every centre sees.
HIDDEN = (
    "HIDDEN-1", "DMD-101", "Micro-dystrophin", "AAV9", "in_vivo", "gene_therapy", "Boys who walk", "P4Y", "P8Y",
    "Sponsor of the tests", "acme", "interventional",
)  # fmt: skip


def faults(problem: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["pointer"], one["code"]) for one in problem["errors"]]


async def everything(who: Member, study: Study, centre: str) -> str:
    """Return all that a centre can get of a request, also as refusals."""
    path, found = study.path(centre), []
    for method, where, body in (
        ("GET", "/feasibility", None), ("GET", f"/feasibility?due_by={today(30)}", None), ("GET", path, None),
        ("GET", f"{path}/steps", None), ("GET", f"{path}/answers", None), ("GET", f"{path}/gate", None),
        ("GET", study.overview, None), ("GET", f"{study.overview}/visible-fields", None),
        ("GET", f"/submissions/{study.reference}", None), ("GET", f"/trials?q={study.reference}", None),
        ("POST", f"{path}/steps", {"action": "submit"}), ("POST", f"{path}/steps", {"action": "triage"}),
        ("POST", f"{path}/steps", {"action": "decline"}), ("POST", study.overview, {"by": ["age"]}),
        ("PUT", f"{path}/answers", {"answers": [{"question": "x", "value": 1}]}), ("GET", "/feed?limit=1000", None),
        ("GET", "/feed?atmp_class=gene_therapy&limit=1000", None), ("GET", "/audit?limit=200", None),
    ):  # fmt: skip
        answer = await who.call(method, where, body, "*" if method != "GET" else None)
        # What the caller itself sent is no secret.
        found.append(f"{method} {where.partition('?')[0]}: {answer.text}" if "/feed" not in where else of_feed(answer))
    return "\n".join(found)


def of_feed(answer: httpx.Response) -> str:
    return json.dumps([one for one in answer.json() if one["type"].startswith(("feasibility", "submission"))])


async def treat(study: Study, *centres: str) -> None:
    """Declare centres as sites of a public trial in the disease of the study."""
    for centre in centres:
        body = {"status": "recruiting"}
        answer = await study.coordination.call("PUT", f"/trials/NCT06799247/sites/{centre}", body, "new")
        assert answer.status_code == 201, answer.text


async def test_before_the_gate_a_centre_gets_only_what_was_chosen_and_behind_it_everything(app: FastAPI) -> None:
    study = await Study.open(app)
    await study.ask_all()
    await study.act(NECKER, "triage", "send_cda")
    centre = study.centres[NECKER]
    seen = await everything(centre, study, NECKER)
    assert [secret for secret in HIDDEN if secret in seen] == []
    shown = (await centre.get(study.path(NECKER)))["dossier"]
    assert shown["conditions"] == [{"code": "ORPHA:589", "text": "Myasthenia gravis"}]
    assert (shown["phase"], shown["age_bands"], shown["countries"]) == ("phase-1-phase-2", ["child"], 1)
    assert shown["complete"] is False

    chosen = {"visible": ["sponsor", "product_class"]}
    visible = f"{study.overview}/visible-fields"
    assert (await centre.call("PUT", visible, chosen, "*")).status_code == 404
    assert (await study.sponsor.call("PUT", visible, {"visible": ["vector"]}, "*")).status_code == 422
    assert (await study.sponsor.call("PUT", visible, chosen, "new")).headers["etag"] == '"v1"'
    assert (await study.sponsor.call("PUT", visible, chosen, "new")).status_code == 412
    assert (await study.sponsor.call("PUT", visible, chosen, 7)).status_code == 412
    seen = await everything(centre, study, NECKER)
    assert {secret for secret in HIDDEN if secret in seen} == {"Sponsor of the tests", "gene_therapy"}

    # A centre does not open its own gate, and another entity does not open it either.
    gate = f"{study.path(NECKER)}/gate"
    mine = (await study.centres[NECKER].call("PUT", gate, {}, "new")).status_code
    assert mine == 422
    assert (await study.sign(NECKER, expected=422, finess_ej="670780055"))["errors"][0]["code"] == "not_the_entity"
    wrong = await study.sign(NECKER, expected=422, signed_on=today(1), valid_until=today(0))
    assert faults(wrong) == [("/signed_on", "in_the_future"), ("/valid_until", "before_signature")]
    assert (await study.sign(NECKER, expected=422, evidence="06 12 34 56 78"))["errors"][0]["pointer"] == "/evidence"
    await study.sign(NECKER)
    found = await centre.get(study.path(NECKER))
    assert (found["gate"], found["state"]) == ("open", "cda_signed")
    assert found["dossier"]["trial"]["product"]["serotype"] == "AAV9"
    assert found["dossier"]["trial"]["acronym"] == "HIDDEN-1"
    # The entity signed for its other centre too; a third centre still waits.
    assert (await study.centres[TROUSSEAU].get(study.path(TROUSSEAU)))["gate"] == "open"
    assert "AAV9" not in await everything(study.centres[STRASBOURG], study, STRASBOURG)
    # An agreement that has expired closes the gate again.
    await study.act(NECKER, "send_questionnaire")
    await study.sign(NECKER, expected=200, version=1, signed_on=today(-9), valid_until=today(-1))
    assert "AAV9" not in await everything(centre, study, NECKER)
    assert (await centre.get(study.path(NECKER)))["gate"] == "expired"
    refused = await centre.save(study.path(NECKER), answers(), expected=409)
    assert refused["code"] == "confidentiality_gate"
    assert (await centre.step(study.path(NECKER), "submit", expected=409))["code"] == "confidentiality_gate"


async def test_centres_are_asked_by_disease_and_age_and_by_capability_only_behind_the_gate(app: FastAPI) -> None:
    study = await Study.open(app)
    refused = await study.ask(study.sponsor, 403, centres=[NECKER])
    assert refused["code"] == "coordination_only"
    refused = await study.ask(study.sponsor, 409, by=["age", "capability"], capabilities=["icu"])
    assert refused["code"] == "confidentiality_gate"
    assert faults(await study.ask(study.coordination, 422, centres=["fr-nowhere"])) == [
        ("/centres/0", "unknown_centre")
    ]
    assert (await study.ask(study.sponsor, 422, by=["age"], on=today(1)))["errors"][0]["code"] == "in_the_future"
    await study.ask(study.centres[NECKER], 404, by=["age"])
    await study.ask(member(app, "sponsor", "rival"), 404, by=["age"])
    # Fictitious trials of the sample do not count.
    assert (await study.ask(study.sponsor, 422, by=["indication"]))["code"] == "no_centre"
    await treat(study, NECKER, STRASBOURG)
    # The answer of one of two centres would be known from the result.
    assert (await study.ask(study.sponsor, 422, by=["indication"]))["code"] == "too_few_centres"
    await treat(study, "fr-lille")
    assert await study.ask(study.sponsor, by=["indication", "age"]) == {"asked": 3, "centres": None}
    found = (await study.coordination.get(study.overview))["requests"]
    assert [one["centre"] for one in found] == ["fr-lille", NECKER, STRASBOURG]
    # Who was asked already is not asked again.
    assert (await study.ask(study.sponsor, 422, by=["indication", "age"]))["code"] == "no_centre"
    # Behind the gate of an entity, its other centre is asked by what it can do.
    for centre in (NECKER, TROUSSEAU):
        body = {"finess_ej": ENTITIES[centre], "name": "AP-HP"}
        assert (await study.coordination.call("PUT", f"/centres/{centre}/legal-entity", body, "new")).status_code == 201
    await study.sign(NECKER)
    able = {"by": ["age", "capability"], "capabilities": ["apheresis"]}
    assert (await study.ask(study.sponsor, 422, **able))["code"] == "no_centre"
    known = await study.coordination.get(f"/centres/{TROUSSEAU}")
    changed = {name: value for name, value in known.items() if name not in {"id", "version", "updated_at"}}
    changed["capabilities"] = [{"code": "apheresis"}]
    assert (await study.coordination.call("PUT", f"/centres/{TROUSSEAU}", changed, "*")).status_code == 200
    assert (await study.ask(study.coordination, **able))["centres"] == [TROUSSEAU]
    # A dossier that was not screened is asked about nowhere.
    draft = str((await study.cast.sponsor.create())["reference"])
    answer = await study.sponsor.call("POST", f"/submissions/{draft}/feasibility", {"by": ["age"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "dossier_not_open")


async def test_a_questionnaire_is_prefilled_saved_submitted_and_remembered(app: FastAPI) -> None:
    study = await Study.open(app)
    await treat(study, NECKER)
    await study.ask_all()
    await study.sign(NECKER)
    path, centre = study.path(NECKER), study.centres[NECKER]
    assert (await centre.call("GET", f"{path}/answers")).status_code == 404
    await study.act(NECKER, "triage", "sign_cda")
    sent = await study.coordination.step(path, "send_questionnaire", days=20)
    assert date.fromisoformat(sent["deadline"]) - date.fromisoformat(today()) >= timedelta(days=20)
    sheet = await centre.get(f"{path}/answers")
    known = {
        one["question"]: (one["value"], one["prefilled_from"]) for one in sheet["questions"] if one["prefilled_from"]
    }
    assert known["populations"][1] == "centre"
    assert known["competing_trials"] == (1, "registry")
    assert "patients_per_year/ORPHA:589" in sheet["missing"]

    body = {"answers": [{"question": "able", "value": "maybe"}, {"question": "comment", "value": "jean@example.org"}]}
    refused = await centre.call("PUT", f"{path}/answers", body, "*")
    assert faults(refused.json()) == [("/answers/0/value", "answer_form"), ("/answers/1/value", "identifier_forbidden")]
    dry = await centre.call("PUT", f"{path}/answers?dry_run=true", {"answers": answers()}, sheet["version"])
    assert (dry.status_code, dry.json()["missing"]) == (200, [])
    assert (await centre.get(f"{path}/answers"))["version"] == 1
    await centre.save(path, answers(able=None))
    assert (await centre.call("PUT", f"{path}/answers", {"answers": []}, 1)).status_code == 412
    assert faults(await centre.step(path, "submit", expected=422)) == [("/answers/able", "missing")]
    await centre.save(path, answers())
    assert (await centre.step(path, "submit"))["state"] == "answered"
    assert (await centre.save(path, answers(), expected=409))["code"] == "wrong_step"

    # The next dossier: the centre's last answers are suggested.
    other = await Study.open(app)
    await other.ask_all()
    await other.sign(NECKER)
    await other.act(NECKER, "triage", "sign_cda", "send_questionnaire")
    sheet = await centre.get(f"{other.path(NECKER)}/answers")
    (known_before,) = [one for one in sheet["questions"] if one["question"] == "contract_time"]
    assert (known_before["value"], known_before["prefilled_from"]) == (3, "last_answer")
    assert known_before["prefilled_on"] == today()


async def test_the_sponsor_gets_the_result_of_the_network_and_no_centre_that_did_not_consent(
    app: FastAPI, public: httpx.AsyncClient
) -> None:
    study = await Study.open(app)
    await study.ask_all()
    cursor = await now(public)
    for centre in (NECKER, STRASBOURG):
        await study.sign(centre)
    await study.answer(NECKER, named=True)
    await study.answer(TROUSSEAU, able="no", recruitment_total=0)
    result = (await study.sponsor.get(study.overview))["result"]
    assert (result["asked"], result["answered"], result["expected"]) == (3, 2, None)
    await study.answer(STRASBOURG)
    found = await study.sponsor.get(study.overview)
    assert found["result"]["expected"] == {
        "able": 2, "total": "11–20", "per_year": "<11", "exact_total": None, "months": None,
    }  # fmt: skip
    whole = await study.coordination.get(study.overview)
    assert (whole["result"]["expected"]["exact_total"], len(whole["requests"])) == (18, 3)
    # The centre that consented is named, with what it submitted; the others do not exist for the sponsor.
    assert [one["centre"] for one in found["requests"]] == [NECKER]
    assert [one["centre"] for one in (await study.sponsor.get("/feasibility"))["items"]] == [NECKER]
    sheet = await study.sponsor.get(f"{study.path(NECKER)}/answers")
    assert {one["submitted"] for one in sheet["questions"] if one["question"] == "recruitment_total"} == {9}
    assert all(one["value"] is None for one in sheet["questions"])
    for path in ("", "/steps", "/answers", "/gate"):
        await study.sponsor.get(f"{study.path(STRASBOURG)}{path}", 404)
    await study.sponsor.step(study.path(STRASBOURG), "select", expected=404)
    await member(app, "sponsor", "rival").get(study.overview, 404)
    assert (await member(app, "sponsor", "rival").get("/feasibility"))["items"] == []
    # Once selected, a centre is known to the sponsor.
    await study.act(STRASBOURG, "shortlist", "select")
    assert (await study.sponsor.get(study.path(STRASBOURG)))["state"] == "selected"
    assert (await study.sponsor.step(study.path(STRASBOURG), "start_contract"))["state"] == "contract"

    async def of_feasibility(token: str | None) -> list[dict[str, Any]]:
        async with client_of(app, token=token) as reader:
            return [one for one in await events_since(reader, cursor) if one["type"].startswith("feasibility.")]

    (event,) = await of_feasibility(study.sponsor.token)
    assert (event["type"], event["subject"]) == ("feasibility.decided", f"feasibility/{study.reference}")
    assert event["data"] == {
        "op": "upsert", "id": study.reference, "version": 1, "changed": ["result"], "submission": study.reference,
    }  # fmt: skip
    of_centre = await of_feasibility(study.centres[STRASBOURG].token)
    assert {one["data"]["centre"] for one in of_centre} == {STRASBOURG}
    assert [one["type"].partition(".")[2] for one in of_centre] == [
        "updated", "updated", "requested", "answered", "updated", "decided", "updated",
    ]  # fmt: skip
    assert await of_feasibility(None) == []
    if not app.state.database.is_sqlite:
        await check_row_level_security(app, study)


async def check_row_level_security(app: FastAPI, study: Study) -> None:
    """Read and change without any condition, as row-level security lets a centre and the sponsor."""

    async def of(principal: Principal, statement: str, *, writing: bool = False) -> set[str]:
        return set(await rows(app.state.database, statement, view_of(principal), writing=writing))

    centre = Principal("centre", organisation="org", centre=TROUSSEAU, roles=frozenset({"editor"}))
    sponsor = Principal("sponsor", organisation="acme", roles=frozenset({"editor"}))
    rival = Principal("sponsor", organisation="rival", roles=frozenset({"editor"}))
    asked = f"SELECT centre FROM feasibility_requests WHERE submission = '{study.reference}'"
    answered = "SELECT centre FROM feasibility_answers JOIN feasibility_requests ON reference = subject"
    named = {NECKER, STRASBOURG}
    for statement in (asked, answered):
        assert await of(centre, statement) == {TROUSSEAU}
        assert await of(sponsor, statement) == named
        assert await of(rival, statement) == set()
    assert await of(centre, "SELECT reference FROM submissions") == set()
    change = "UPDATE feasibility_requests SET version = version RETURNING centre"
    assert await of(centre, change, writing=True) == {TROUSSEAU}
    assert await of(sponsor, change, writing=True) == named


async def test_steps_are_dated_coded_and_taken_from_a_version(app: FastAPI) -> None:
    study = await Study.open(app)
    await study.ask_all()
    path, centre = study.path(NECKER), study.centres[NECKER]
    stale = await study.coordination.step(path, "triage", expected=412, version=7)
    assert stale["code"] == "stale_version"
    assert (await study.coordination.call("POST", f"{path}/steps", {"action": "triage"})).status_code == 428
    assert faults(await study.coordination.step(path, "triage", expected=422, on=today(1))) == [
        ("/on", "in_the_future")
    ]
    early = await study.coordination.step(path, "triage", expected=422, on="2020-01-01")
    assert faults(early) == [("/on", "before_last_step")]
    await centre.step(path, "triage", expected=403)
    wrong = await study.coordination.step(path, "select", expected=409)
    assert (wrong["code"], "triage" in wrong["detail"]) == ("wrong_step", True)
    assert faults(await centre.step(path, "decline", expected=422)) == [("/reason", "missing")]
    assert faults(await centre.step(path, "decline", expected=422, reason="enough_centres")) == [
        ("/reason", "not_of_this_step")
    ]
    named = await centre.step(path, "decline", expected=422, reason="no_staff", text="appeler le 06 12 34 56 78")
    assert faults(named) == [("/text", "identifier_forbidden")]
    done = await centre.step(path, "decline", reason="no_staff", text="Poste vacant", version=1)
    assert (done["state"], done["actions"]) == ("declined", [])
    steps = (await study.coordination.get(f"{path}/steps"))["items"]
    assert [(one["action"], one["by"], one["reason"], one["text"]) for one in steps] == [
        ("request", "coordination", None, None), ("decline", "centre", "no_staff", "Poste vacant"),
    ]  # fmt: skip
    assert [one["author"] for one in (await centre.get(f"{path}/steps"))["items"]] == [
        None, f"org-{NECKER}/centre-client",
    ]  # fmt: skip
    for other in (member(app, "centre", "org-lille", "fr-lille"), member(app, "sponsor", "acme")):
        await other.get(path, 404)


async def test_reminders_are_sent_once_and_wait_while_the_sponsor_owes_an_answer(
    app: FastAPI, public: httpx.AsyncClient
) -> None:
    study = await Study.open(app)
    await study.ask_all()
    await study.sign(NECKER)
    await study.act(NECKER, "triage", "sign_cda", "send_questionnaire")
    path, centre, database = study.path(NECKER), study.centres[NECKER], app.state.database
    sent = datetime.now(UTC)
    cursor = await now(public)

    async def reminders() -> list[str]:
        async with client_of(app, token=centre.token) as reader:
            found = await events_since(reader, cursor)
        return [one["data"]["reminder"] for one in found if one["type"] == "feasibility.due"]

    deadline = (await centre.get(path))["deadline"]
    assert await remind_some(database, sent) == 0
    await centre.step(path, "ask_question", text="Quelle dose ?")
    asked = await centre.step(path, "ask_question", expected=409, text="Et la durée ?")
    assert asked["code"] == "wrong_step"
    assert await remind_some(database, sent + timedelta(days=60)) == 0
    assert [one["question_open"] for one in (await centre.get("/feasibility"))["items"]] == [True]
    answered = await study.coordination.step(path, "answer_question", text="1e14 vg/kg")
    assert (answered["question_open"], answered["deadline"]) == (False, deadline)
    for days in (8, 8, 14, 40, 40):
        await remind_some(database, sent + timedelta(days=days))
    assert await reminders() == ["week_before", "day_before", "overdue"]
    (one,) = (await centre.get(f"/feasibility?due_by={deadline}"))["items"]
    assert one["submission"] == study.reference
    # The dossier is withdrawn: so are its requests, at once for readers, and with a step of their own.
    await study.cast.sponsor.act(study.reference, "withdraw")
    assert (await centre.get(path))["state"] == "withdrawn"
    assert (await centre.step(path, "submit", expected=409))["code"] == "wrong_step"
    assert await withdraw_some(database, datetime.now(UTC)) == len(ENTITIES)
    assert await withdraw_some(database, datetime.now(UTC)) == 0
    last = (await centre.get(f"{path}/steps"))["items"][-1]
    assert (last["action"], last["by"], last["author"]) == ("withdraw", "sponsor", None)
    clocks = {one["name"]: one["outcome"] for one in (await centre.get(path))["clocks"]}
    assert clocks == {"triage": "completed", "request_to_answer": "stopped", "answer": "stopped"}


async def test_requests_about_a_declined_dossier_are_withdrawn_when_it_can_no_longer_be_corrected(
    registry: FastAPI,
) -> None:
    study = await Study.open(registry)
    await study.ask_all()
    await study.cast.first.act(study.reference, "decide", answer="declined", reason="No centre is able.")
    declined, database = datetime.now(UTC), registry.state.database
    assert await withdraw_some(database, declined + timedelta(days=6)) == 0
    assert await withdraw_some(database, declined + timedelta(days=7)) == len(ENTITIES)
    centre, path = study.centres[NECKER], study.path(NECKER)
    assert (await centre.get(path))["state"] == "withdrawn"
    last = (await study.coordination.get(f"{path}/steps"))["items"][-1]
    assert (last["action"], last["by"]) == ("withdraw", "coordination")
