"""Dossiers of sponsors over HTTP: what each party may do and see, and how one becomes a trial."""

import json
import lzma
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import client_of
from tests.contract.submissions import CONTENT, Cast, add_organisation, party
from tests.contract.test_merge import NUMBER, TRIAL, dated
from tests.contract.test_registry import events_since, now
from tests.contract.test_sources import send

pytestmark = pytest.mark.anyio


@pytest.fixture
def cast(app: FastAPI) -> Cast:
    return Cast.of(app)


def codes(problem: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["pointer"], one["code"]) for one in problem.get("errors", [])]


async def test_a_dossier_becomes_a_trial_of_its_sponsor_and_only_the_parties_see_it_before(
    app: FastAPI, cast: Cast, public: httpx.AsyncClient
) -> None:
    cursor = await now(public)
    made = await cast.sponsor.create()
    reference = made["reference"]
    assert (made["state"], made["version"], made["owner"], made["actions"]) == (
        "draft", 1, "acme", ["submit", "withdraw", "delegate", "revoke_delegate", "offer_transfer"],
    )  # fmt: skip
    await cast.other.read(reference, expected=404)
    assert (await cast.other.call("GET", "")).json()["items"] == []
    assert (await cast.authority.read(reference))["actions"] == []

    await cast.accepted(reference)
    (listed,) = (await cast.sponsor.call("GET", "")).json()["items"]
    decided = next(step for step in (await cast.sponsor.read(reference))["steps"] if step["state"] == "decided")
    assert listed["since"] == decided["on"]
    await cast.sponsor.act(reference, "publish", expected=403)
    assert (await cast.first.act(reference, "publish"))["state"] == "decided"
    again = await cast.first.act(reference, "publish", expected=409)
    assert again["code"] == "second_person_required"
    done = await cast.second.act(reference, "publish")
    assert (done["state"], done["published"]) == ("published", 1)
    trial = (await public.get(f"/registry/v1/trials/{done['trial_id']}")).json()
    assert trial["origin"] == {"source": "sponsor", "source_id": reference}
    # No register has given it a number: this network does.
    assert [one["type"] for one in trial["identifiers"]] == ["sponsor", "cleio"]
    assert trial["identifier"].startswith("CLEIO-SUB-")
    assert trial["eligibility"]["maximum_age"] == "P8Y"
    assert await owner_of(app, cast, done["trial_id"]) == "acme"

    for token, sees in ((None, False), (cast.sponsor.token, True), (cast.other.token, False), (cast.first.token, True)):
        async with client_of(app, token=token) as reader:
            found = [one for one in await events_since(reader, cursor) if one["type"].startswith("submission.")]
        assert [one["type"] for one in found][-1:] == (["submission.published"] if sees else [])
        assert all(one["data"]["owner"] == "acme" for one in found)


async def test_nobody_alone_and_no_other_route_publishes_a_dossier(app: FastAPI, cast: Cast) -> None:
    reference = (await cast.sponsor.create())["reference"]
    await cast.sponsor.act(reference, "submit")
    for action in ("screen", "open_feasibility"):
        await cast.first.act(reference, action)
    await cast.first.act(reference, "decide", answer="accepted")
    # Two people of the coordination, without the sponsor.
    for person in (cast.first, cast.second):
        assert (await person.act(reference, "publish", expected=409))["code"] == "consent_missing"
        await person.act(reference, "consent", expected=403)
    # An editor of the sponsor consents to nothing, nor does one of the coordination decide.
    await party(app, "sponsor", "acme", "editor").act(reference, "consent", expected=403)
    await party(app, "coordination", "coordination", "editor", client="third").act(reference, "publish", expected=403)
    await cast.sponsor.act(reference, "consent")
    await cast.first.act(reference, "publish")
    # Another decision between: the first request no longer counts.
    await cast.second.act(reference, "decide", answer="accepted")
    assert (await cast.second.act(reference, "publish"))["state"] == "decided"
    assert (await cast.second.act(reference, "publish", expected=409))["code"] == "second_person_required"
    # A caller cannot name somebody else, and the source of dossiers takes no records.
    answer = await cast.second.call("POST", f"/{reference}/decisions", {"action": "publish", "author": "x"}, "*")
    assert answer.status_code == 422
    record = {"id": reference, "trial": {"identifiers": [{"type": "nct", "value": "NCT00000001"}]}}
    async with client_of(app, token=cast.first.token) as first:
        answer = await first.put(
            "/registry/v1/sources/sponsor/trials",
            content=json.dumps(record), headers={"Content-Type": "application/x-ndjson"},
        )  # fmt: skip
    assert answer.status_code == 404
    assert (await cast.sponsor.read(reference))["trial_id"] is None


async def test_versions_never_change_and_a_draft_is_edited_from_its_version(cast: Cast) -> None:
    made = await cast.sponsor.create()
    reference = made["reference"]
    older = {**CONTENT, "trial": {**CONTENT["trial"], "phase": "phase-1"}}
    await cast.sponsor.edit(reference, older, version=1)
    await cast.sponsor.edit(reference, CONTENT, version=1, expected=412)
    assert (await cast.sponsor.call("PUT", f"/{reference}/content", {"content": {}})).status_code == 428
    await cast.first.edit(reference, {}, expected=403)
    named = {**CONTENT, "trial": {**CONTENT["trial"], "why_stopped": "call 06 12 34 56 78"}}
    assert codes(await cast.sponsor.edit(reference, named, expected=422)) == [
        ("/content/trial/why_stopped", "identifier_phone")
    ]
    await cast.sponsor.act(reference, "submit")
    assert (await cast.sponsor.edit(reference, CONTENT, expected=409))["code"] == "not_a_draft"
    wrong = await cast.first.act(reference, "decide", expected=409, answer="accepted")
    assert wrong["code"] == "wrong_step"
    await cast.first.act(reference, "screen")
    assert codes(await cast.first.act(reference, "return", expected=422, reason=None)) == [("/reason", "missing")]
    early = await cast.first.act(reference, "decide", expected=409, answer="accepted")
    assert early["code"] == "feasibility_required"
    await cast.first.act(reference, "return", on="2999-01-01", expected=422)
    await cast.first.act(reference, "return", on="2020-01-01", expected=422)
    await cast.first.act(reference, "return")
    await cast.sponsor.edit(reference, CONTENT)
    await cast.sponsor.act(reference, "submit")
    versions = (await cast.sponsor.call("GET", f"/{reference}/versions")).json()["items"]
    assert [(one["number"], one["content"]["trial"]["phase"]) for one in versions] == [
        (1, "phase-1"), (2, "phase-1-phase-2"),
    ]  # fmt: skip
    diff = (await cast.first.call("GET", f"/{reference}/versions/diff?from=1&to=2")).json()
    assert diff["items"] == [{"path": "trial.phase", "before": "phase-1", "after": "phase-1-phase-2"}]
    assert diff["criteria_changed"] is False
    assert (await cast.sponsor.act(reference, "withdraw"))["state"] == "withdrawn"
    await cast.sponsor.act(reference, "submit", expected=409)


async def test_comments_stay_between_those_who_may_read_them(cast: Cast) -> None:
    reference = (await cast.sponsor.create())["reference"]
    for who, text, internal in ((cast.first, "ask legal", True), (cast.first, "which dose?", False)):
        body = {"text": text, "internal": internal, "pointer": "/trial/arms"}
        assert (await who.call("POST", f"/{reference}/comments", body)).status_code == 201
    answer = await cast.sponsor.call("POST", f"/{reference}/comments", {"text": "1e14 vg/kg"})
    assert (answer.status_code, answer.json()["number"]) == (201, 3)
    assert (
        await cast.sponsor.call("POST", f"/{reference}/comments", {"text": "x", "internal": True})
    ).status_code == 403
    refused = await cast.sponsor.call("POST", f"/{reference}/comments", {"text": "write to jean@example.org"})
    assert codes(refused.json()) == [("/text", "identifier_forbidden")]
    for who, expected in (
        (cast.sponsor, ["which dose?", "1e14 vg/kg"]),
        (cast.second, ["ask legal", "which dose?", "1e14 vg/kg"]),
    ):
        found = (await who.call("GET", f"/{reference}/comments")).json()["items"]
        assert [one["text"] for one in found] == expected
    assert (await cast.authority.call("GET", f"/{reference}/comments")).status_code == 403
    assert (await cast.other.call("GET", f"/{reference}/comments")).status_code == 404


async def test_a_delegate_acts_for_the_owner_and_consents_only_if_it_may(app: FastAPI, cast: Cast) -> None:
    for name in ("acme", "rival", "cro"):
        await add_organisation(app, name)
    await add_organisation(app, "clinic", "hospital")
    cro, reference = party(app, "sponsor", "cro"), (await cast.sponsor.create())["reference"]
    for organisation in ("clinic", "nowhere", "acme"):
        answer = await cast.sponsor.call("PUT", f"/{reference}/delegates/{organisation}", {}, "*")
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_organisation")
    assert (await cast.sponsor.call("PUT", f"/{reference}/delegates/cro", {}, "*")).status_code == 200
    assert [one["reference"] for one in (await cro.call("GET", "")).json()["items"]] == [reference]
    assert "delegate" not in (await cro.read(reference))["actions"]
    await cro.edit(reference, CONTENT)
    assert (await cro.call("PUT", f"/{reference}/delegates/rival", {}, "*")).status_code == 403
    await cro.act(reference, "submit")
    await cro.act(reference, "consent", expected=403)
    await cast.sponsor.call("PUT", f"/{reference}/delegates/cro", {"may_consent": True}, "*")
    assert (await cro.act(reference, "consent"))["consent_by"] == "cro/one"

    # The receiver accepts: what the former owner delegated ends, and the consent is the new owner's to give.
    assert (
        await cast.sponsor.call("POST", f"/{reference}/transfer", {"to": "rival", "reason": "sold"}, "*")
    ).status_code == 200
    await cro.act(reference, "accept_transfer", expected=403)
    taken = await cast.other.act(reference, "accept_transfer")
    assert (taken["owner"], taken["transfer_to"], taken["consent_by"]) == ("rival", None, None)
    await cro.read(reference, expected=404)
    await cast.sponsor.read(reference, expected=404)
    assert (await cast.other.call("GET", f"/{reference}/delegates")).json()["items"] == []


async def test_an_amendment_is_a_new_version_beside_the_public_one(
    app: FastAPI, cast: Cast, public: httpx.AsyncClient
) -> None:
    reference = (await cast.sponsor.create())["reference"]
    told: list[Any] = []

    async def hook(_connection: Any, publication: Any) -> None:
        told.append((publication.version, publication.criteria_changed))

    app.state.publication_hooks = (hook,)
    trial = await cast.published(reference)
    amended = {**CONTENT, "trial": {**CONTENT["trial"], "eligibility": {"sex": "male", "minimum_age": "P4Y"}}}
    assert (await cast.sponsor.act(reference, "amend"))["amends"] is True
    assert "withdraw" not in (await cast.sponsor.read(reference))["actions"]
    await cast.sponsor.edit(reference, amended)
    dropped = await cast.sponsor.act(reference, "drop_amendment")
    assert (dropped["state"], dropped["content"]["trial"]["eligibility"]["maximum_age"]) == ("published", "P8Y")

    await cast.sponsor.act(reference, "amend")
    await cast.sponsor.edit(reference, amended)
    submitted = await cast.sponsor.act(reference, "submit")
    assert submitted["steps"][-1]["detail"]["criteria_changed"] is True
    await cast.first.act(reference, "screen")
    early = await cast.first.act(reference, "decide", expected=409, answer="accepted")
    assert early["code"] == "feasibility_required"
    assert (await public.get(f"/registry/v1/trials/{trial}")).json()["eligibility"]["maximum_age"] == "P8Y"
    await cast.first.act(reference, "open_feasibility")
    await cast.first.act(reference, "decide", answer="accepted")
    assert (await cast.first.act(reference, "publish", expected=409))["code"] == "consent_missing"
    await cast.sponsor.act(reference, "consent")
    await cast.second.act(reference, "publish")
    done = await cast.first.act(reference, "publish")
    assert (done["trial_id"], done["published"]) == (trial, 2)
    shown = (await public.get(f"/registry/v1/trials/{trial}")).json()
    # What the new version leaves open, the sponsor no longer says.
    assert (shown["version"], shown["eligibility"]["maximum_age"], shown["eligibility"]["text"]) == (2, None, None)
    assert told == [(1, False), (2, True)]


async def owner_of(app: FastAPI, cast: Cast, trial: str) -> Any:
    async with client_of(app, token=cast.first.token) as first:
        return (await first.get(f"/registry/v1/trials/{trial}/state")).json()["owner"]


async def give(app: FastAPI, cast: Cast, owner: str | None) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    async with client_of(app, token=cast.first.token) as first:
        answer = await first.post(f"{TRIAL}/owner", json={"owner": owner, "reason": "none"}, headers=headers)
    assert answer.status_code == 200, answer.text


async def test_a_dossier_about_a_known_trial_joins_it_and_its_owner_follows_a_transfer(
    app: FastAPI, cast: Cast, admin: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    for name in ("acme", "rival"):
        await add_organisation(app, name)
    await send(admin, dated("2025-01-01"))
    known = (await public.get(TRIAL)).json()
    assert codes(await cast.sponsor.create(expected=422, **{"from": "NCT99999999"})) == [("/from", "unknown_trial")]
    made = await cast.sponsor.create(**{"from": NUMBER})
    taken = made["content"]["trial"]
    assert (taken["identifiers"], taken["titles"]) == (known["identifiers"], {"en": known["titles"]["en"]})
    await cast.sponsor.edit(made["reference"], {"trial": {**taken, "acronym": "JOINED"}})
    await cast.accepted(made["reference"])
    await cast.first.act(made["reference"], "publish")
    await give(app, cast, "rival")
    refused = await cast.second.act(made["reference"], "publish", expected=409)
    assert refused["code"] == "trial_of_another_owner"
    assert (await public.get(TRIAL)).json() == known
    await give(app, cast, None)
    assert (await cast.second.act(made["reference"], "publish"))["trial_id"] == known["id"]
    shown = (await public.get(TRIAL)).json()
    assert (shown["acronym"], shown["version"]) == ("JOINED", known["version"] + 1)
    assert await owner_of(app, cast, known["id"]) == "acme"

    # A second dossier about the same trial is no second record of it.
    rival = Cast(cast.other, cast.sponsor, cast.first, cast.second, cast.authority)
    again = (await cast.other.create(**{"from": NUMBER}))["reference"]
    await rival.accepted(again)
    await cast.first.act(again, "publish")
    refused = await cast.second.act(again, "publish", expected=409)
    assert (refused["code"], codes(refused)[0]) == ("not_publishable", ("/trial/identifiers/0", "shared_number"))
    assert (await public.get(TRIAL)).json() == shown
    await cast.sponsor.call("POST", f"/{made['reference']}/transfer", {"to": "rival", "reason": "sold"}, "*")
    await cast.other.act(made["reference"], "accept_transfer")
    assert await owner_of(app, cast, known["id"]) == "rival"


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"conditions": [{"text": "Langerhans cell histiocytosis"}]}, "published"),
        ({"product": {}, "titles": {"en": "A study of care"}}, "published"),
        ({"conditions": [{"text": "Acute myeloid leukemia"}]}, "not_publishable"),
    ],
)
async def test_that_two_people_publish_it_is_their_decision_on_the_scope(
    app: FastAPI, cast: Cast, public: httpx.AsyncClient, changes: dict[str, Any], answer: str
) -> None:
    reference = (await cast.sponsor.create({**CONTENT, "trial": {**CONTENT["trial"], **changes}}))["reference"]
    found = (await cast.sponsor.call("GET", f"/{reference}/screening")).json()
    assert found["findings"][0]["code"] == ("scope_unclear" if answer == "published" else "scope_out")
    if answer == "published":
        scope = (await public.get(f"/registry/v1/trials/{await cast.published(reference)}")).json()["scope"]
        assert (scope["by"], scope["answer"]) == ("person", "in_scope")
        return
    await cast.accepted(reference)
    await cast.first.act(reference, "publish")
    refused = await cast.second.act(reference, "publish", expected=409)
    assert (refused["code"], codes(refused)) == ("not_publishable", [("/trial/conditions/0", "malignant_indication")])
    assert (await cast.sponsor.read(reference))["trial_id"] is None


async def test_a_digital_protocol_becomes_a_draft(cast: Cast, real_data: Path) -> None:
    file = real_data / "usdm" / "Alexion_NCT04573309_Wilsons.json.xz"
    protocol = json.loads(lzma.decompress(file.read_bytes()))
    answer = await cast.sponsor.call("POST", "/usdm", protocol)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["submission"]["content"]["protocol_code"] == "ALXN1840-WD-204"
    assert codes({"errors": made["findings"]}) == [("/study/versions/0/studyIdentifiers/3/text", "number_not_known")]
    screening = (await cast.sponsor.call("GET", f"/{made['submission']['reference']}/screening")).json()
    assert (screening["score"], screening["of"]) == (12, 24)
    assert {"not_in_france", "number_missing"}.isdisjoint(one["code"] for one in screening["findings"])
    assert (await cast.sponsor.call("POST", "/usdm", {"study": {}})).status_code == 422
