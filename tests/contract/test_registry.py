"""The registry over HTTP, on both databases."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import INTERNAL, client_of, token_of

pytestmark = pytest.mark.anyio


async def events_since(client: httpx.AsyncClient, following: str) -> list[dict[str, Any]]:
    answer = await client.get(following)
    assert answer.status_code == 200
    return answer.json()


async def now(client: httpx.AsyncClient) -> str:
    """Return the present end of the feed."""
    following = "/registry/v1/feed?limit=1000"
    while True:
        answer = await client.get(following)
        following = answer.links["next"]["url"]
        if not answer.json():
            return following


def a_trial(number: str = "NCT99999991", **changes: Any) -> dict[str, Any]:
    return {
        "identifiers": [{"type": "nct", "value": number}],
        "titles": {"fr": "Thérapie génique de la drépanocytose à Évry", "en": "Gene therapy of sickle cell disease"},
        "conditions": [{"code": "ORPHA:232", "text": "Sickle cell disease"}],
        "product": {
            "name": "Lenti-X",
            "atmp_class": "gene_therapy",
            "delivery": "ex_vivo",
            "vector": "lentiviral",
            "genes": ["HBB"],
            "cell_origin": "autologous",
        },
        "status": "recruiting",
        "countries": ["FR"],
        "eligibility": {
            "text": "Inclusion Criteria:\n\n* HbSS disease\n\nExclusion Criteria:\n\n* Prior transplant",
            "minimum_age": "P5Y",
            "maximum_age": "P35Y",
            "sex": "all",
        },
        **changes,
    }


async def create(admin: httpx.AsyncClient, document: dict[str, Any], number: str | None = None) -> httpx.Response:
    number = number or document["identifiers"][0]["value"]
    return await admin.put(f"/registry/v1/trials/{number}", json=document, headers={"If-None-Match": "*"})


async def test_the_sample_is_listed_in_pages(reader: httpx.AsyncClient) -> None:
    seen: list[str] = []
    following: str | None = "/registry/v1/trials?limit=5&count=exact"
    while following:
        page = await reader.get(following)
        assert page.status_code == 200
        assert page.json()["total"] == 18
        seen += [trial["identifier"] for trial in page.json()["items"]]
        assert (page.json()["next"] is None) == ("next" not in page.links)
        following = page.links.get("next", {}).get("url")
    assert len(seen) == len(set(seen)) == 18
    # In the order of registration (the sample is loaded by identifier), demonstration trials last.
    assert seen == sorted(seen, key=lambda one: (one.startswith("CLEIO-DEMO"), one))
    assert sum(one.startswith("CLEIO-DEMO-") for one in seen) == 6


async def test_demonstration_trials_are_labelled_and_absent_from_public_copies(
    reader: httpx.AsyncClient, standing_app: FastAPI
) -> None:
    demos = (await reader.get("/registry/v1/trials?q=CLEIO-DEMO")).json()["items"]
    assert len(demos) == 6
    for demo in demos:
        assert demo["illustrative"]
        assert demo["sample"] == "demo"
        assert demo["titles"]["fr"].startswith("[Fictif]")
        assert demo["titles"]["en"].startswith("[Fictitious]")
    export = (await reader.get("/registry/v1/export")).text
    feed = (await reader.get("/registry/v1/feed?limit=1000")).text
    assert "CLEIO-DEMO" not in export + feed
    async with client_of(standing_app, token=INTERNAL) as service:
        lines = [json.loads(line) for line in (await service.get("/registry/v1/export")).text.splitlines()]
    assert lines[0]["kind"] == "header"
    assert lines[-1] == {"kind": "end", "count": len(lines) - 2}
    assert sum(line["kind"] == "trial" for line in lines) == 18
    assert sum(line["kind"] == "centre" for line in lines) == 11


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("drepanocytose", "NCT03745287"),
        ("DRÉPANOCYTOSE", "NCT03964792"),
        ("sickle cell", "NCT03745287"),
        ("EMBARK", "NCT05096221"),
        ("duchenne aavrh74", "NCT05096221"),
        ("NCT03964792", "NCT03964792"),
        ("duch", "NCT04626674"),
        ("Zolgensma", "NCT03461289"),
        ("AVXS-101", "NCT03461289"),
        ("onasemnogène", "NCT03461289"),
        ("Elevidys", "NCT05096221"),
        ("SRP-9001", "NCT04626674"),
        ("Roctavian", "NCT03370913"),
        ("Casgevy", "NCT03745287"),
        ("exa-cel", "NCT03745287"),
    ],
)
async def test_a_trial_is_found_by_words_in_both_languages(reader: httpx.AsyncClient, words: str, number: str) -> None:
    found = (await reader.get("/registry/v1/trials", params={"q": words})).json()["items"]
    assert number in [trial["identifier"] for trial in found]
    assert len(found) < 18


async def test_unknown_resources_are_not_found(reader: httpx.AsyncClient) -> None:
    assert (await reader.get("/registry/v1/trials?q=zzzz")).json()["items"] == []
    assert (await reader.get("/registry/v1/trials?q=%25_💊")).json()["items"] == []
    for path in (
        "/registry/v1/trials/%00",
        "/registry/v1/trials?q=%00",
        "/registry/v1/trials/NCT03745287/criteria?version=99999999999999999999",
    ):
        assert (await reader.get(path)).status_code == 400
    for path in (
        "/registry/v1/trials/NCT00000000",
        "/registry/v1/trials/NCT00000000/criteria",
        "/registry/v1/centres/fr-nowhere",
    ):
        answer = await reader.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("country=FR", 200, ""),
        ("country=fr", 200, ""),
        ("country=ZZ", 400, "unknown_country"),
        ("country=FRA", 400, ""),
        ("centre=fr-necker", 200, ""),
        ("centre=fr-nowhere", 400, "unknown_centre"),
        ("centre=Necker", 400, ""),
        ("condition=ORPHA:98896", 200, ""),
        ("condition=ORPHA:9999999", 400, "unknown_condition"),
        ("condition=duchenne", 400, ""),
        ("status=open", 400, ""),
    ],
)
async def test_an_unknown_filter_value_is_an_error(
    reader: httpx.AsyncClient, query: str, status: int, code: str
) -> None:
    answer = await reader.get(f"/registry/v1/trials?{query}")
    assert answer.status_code == status, answer.text
    if code:
        assert answer.json()["errors"][0]["code"] == code
    if query == "country=fr":
        assert answer.json()["items"] == (await reader.get("/registry/v1/trials?country=FR")).json()["items"]


async def test_demonstration_trials_come_last_across_pages(reader: httpx.AsyncClient) -> None:
    found: list[str] = []
    url: str | None = "/registry/v1/trials?q=duchenne&limit=1"
    while url:
        page = await reader.get(url)
        found += [trial["identifier"] for trial in page.json()["items"]]
        url = page.links.get("next", {}).get("url")
    assert found == ["NCT04626674", "NCT05096221", "CLEIO-DEMO-0002"]


async def test_a_disease_finds_the_trials_of_its_subtypes(reader: httpx.AsyncClient) -> None:
    above = {
        trial["identifier"]
        for trial in (await reader.get("/registry/v1/trials?condition=ORPHA:98896&sample=none")).json()["items"]
    }
    assert {"NCT05096221", "NCT04626674"} <= above
    assert not any(one.startswith("CLEIO-DEMO") for one in above)


async def test_a_trial_is_created_read_and_changed_only_with_its_version(
    public: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    following = await now(public)
    created = await create(admin, a_trial())
    assert created.status_code == 201, created.text
    assert created.headers["etag"] == '"v1"'
    assert created.headers["location"] == f"/registry/v1/trials/{created.json()['id']}"
    assert (await create(admin, a_trial())).status_code == 412

    path = "/registry/v1/trials/NCT99999991"
    read = await public.get(path)
    assert read.json() == created.json()
    assert (await public.get(path, headers={"If-None-Match": '"v1"'})).status_code == 304

    body = a_trial(status="suspended")
    assert (await admin.put(path, json=body)).status_code == 428
    assert (await admin.put(path, json=body, headers={"If-Match": '"v2"'})).status_code == 412
    assert (await admin.put(path, json=body, headers={"If-Match": '"x"'})).status_code == 412
    changed = await admin.put(path, json=body, headers={"If-Match": '"v1"'})
    assert (changed.status_code, changed.headers["etag"], changed.json()["status"]) == (200, '"v2"', "suspended")
    assert (await admin.put(path, json=body, headers={"If-Match": '"v2"'})).headers["etag"] == '"v2"', (
        "nothing changed, nothing written"
    )

    events = await events_since(public, following)
    assert [(event["type"], event["data"]["version"]) for event in events] == [
        ("trial.published", 1),
        ("trial.status_changed", 2),
    ]
    assert (events[1]["data"]["from"], events[1]["data"]["to"], events[1]["data"]["changed"]) == (
        "recruiting",
        "suspended",
        ["status"],
    )
    history = (await public.get(f"{path}/history")).json()["items"]
    assert [(one["version"], one["changed"], one["trial"]["status"]) for one in history] == [
        (2, ["status"], "suspended"),
        (1, ["created"], "recruiting"),
    ]


async def test_of_twenty_writers_of_one_version_one_succeeds(admin: httpx.AsyncClient) -> None:
    await create(admin, a_trial())
    patches = [
        admin.patch(
            "/registry/v1/trials/NCT99999991",
            content=json.dumps({"acronym": f"A{number}"}),
            headers={"If-Match": '"v1"', "Content-Type": "application/merge-patch+json"},
        )
        for number in range(20)
    ]
    answers = [answer.status_code for answer in await asyncio.gather(*patches)]
    assert sorted(answers) == [200] + [412] * 19


async def test_of_twenty_creators_of_one_trial_one_succeeds(admin: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(create(admin, a_trial()) for _ in range(20)))
    assert {answer.status_code for answer in answers if answer.status_code != 201} <= {409, 412}
    assert sum(answer.status_code == 201 for answer in answers) == 1


async def test_two_sponsors_may_use_the_same_code(admin: httpx.AsyncClient, public: httpx.AsyncClient) -> None:
    for number in ("NCT99999991", "NCT99999992"):
        created = await create(
            admin,
            a_trial(number, identifiers=[{"type": "nct", "value": number}, {"type": "sponsor", "value": "GT-001"}]),
        )
        assert created.status_code == 201
    assert (await public.get("/registry/v1/trials/GT-001")).status_code == 404, "a code of two trials names none"


async def test_a_patch_changes_only_the_named_fields(admin: httpx.AsyncClient) -> None:
    await create(admin, a_trial(acronym="ONE"))
    headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    path = "/registry/v1/trials/NCT99999991"
    patched = (
        await admin.patch(path, content='{"titles": {"fr": "Autre titre"}, "acronym": null}', headers=headers)
    ).json()
    assert patched["titles"] == {"fr": "Autre titre", "en": "Gene therapy of sickle cell disease"}
    assert patched["acronym"] is None
    refused = await admin.patch(path, content='{"status": "DUPONT"}', headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/status")
    assert "DUPONT" not in refused.text
    for known in ('{"duration": "P5Y", "travel_paid": true}', '{"visits_first_year": 8, "travel_paid": null}'):
        answer = await admin.patch(path, content=f'{{"participation": {known}}}', headers=headers)
        assert answer.status_code == 200, answer.text
    said = {name: value for name, value in answer.json()["participation"].items() if value is not None}
    assert said == {"duration": "P5Y", "visits_first_year": 8}
    origins = (await admin.get(f"{path}/provenance")).json()["items"]
    assert {"participation.duration", "participation.visits_first_year"} <= {one["path"] for one in origins}
    note = '{"participation": {"note": {"fr": "Appelez le 06 12 34 56 78."}}}'
    refused = await admin.patch(path, content=note, headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/participation/note/fr")


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"conditions": [{"text": "Acute lymphoblastic leukemia"}]}, "out_of_scope", "/conditions/0"),
        ({"identifiers": [{"type": "nct", "value": "NCT1"}]}, "invalid_body", "/identifiers/0"),
        ({"sites": [{"centre": "fr-nowhere", "status": "recruiting"}]}, "unknown_centre", "/sites/0/centre"),
        ({"id": "NCT99999991"}, "invalid_body", "/id"),
        ({"version": 7}, "invalid_body", "/version"),
        ({"published": True}, "invalid_body", "/published"),
        ({"status": "open"}, "invalid_body", "/status"),
        ({"identifiers": [{"type": "nct", "value": "NCT99999992"}]}, "identifier_mismatch", "/identifiers"),
        (
            {"identifiers": [{"type": "nct", "value": "NCT99999991"}, {"type": "nct", "value": "NCT03745287"}]},
            "identifier_taken",
            None,
        ),
    ],
)
async def test_an_invalid_trial_is_refused_with_its_place(
    refused_admin: httpx.AsyncClient, changes: dict[str, Any], code: str, pointer: str | None
) -> None:
    answer = await refused_admin.put(
        "/registry/v1/trials/NCT99999991", json=a_trial(**changes), headers={"If-None-Match": "*"}
    )
    assert 400 <= answer.status_code < 500
    assert answer.json()["code"] == code
    assert [error["pointer"] for error in answer.json()["errors"]][:1] == ([pointer] if pointer else [])


async def test_an_unclear_trial_waits_for_review_and_is_not_public(
    public: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    following = await now(public)
    unclear = a_trial(conditions=[{"text": "Langerhans cell histiocytosis"}])
    created = await create(admin, unclear)
    assert (created.status_code, created.json()["published"], created.json()["scope"]["answer"]) == (
        201,
        False,
        "scope_unclear",
    )
    assert (await public.get("/registry/v1/trials/NCT99999991")).status_code == 404
    assert await events_since(public, following) == []
    published = await admin.put("/registry/v1/trials/NCT99999991", json=a_trial(), headers={"If-Match": '"v1"'})
    assert published.json()["published"]
    assert [event["type"] for event in await events_since(public, following)] == ["trial.published"]
    hidden = await admin.put("/registry/v1/trials/NCT99999991", json=unclear, headers={"If-Match": '"v2"'})
    assert not hidden.json()["published"]
    assert [event["type"] for event in await events_since(public, following)] == ["trial.published", "trial.removed"]


async def test_criteria_signed_by_invented_people_are_illustrative(reader: httpx.AsyncClient) -> None:
    trial = "/registry/v1/trials/NCT05096221"
    head = (await reader.get(trial)).json()["criteria"]
    assert (head["grade"], head["illustrative"]) == ("signed", True)
    assert (await reader.get(f"{trial}/criteria")).json()["illustrative"] is True


async def test_criteria_are_immutable_versions(public: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    await create(admin, a_trial())
    path = "/registry/v1/trials/NCT99999991/criteria"
    first = await public.get(path)
    assert (first.json()["grade"], first.json()["version"]) == ("registry", 1)
    assert {leaf["type"] for leaf in (one["expr"] for one in first.json()["criteria"])} == {"age", "has", "human"}
    document = {
        "trial": "NCT99999991",
        "grade": "signed",
        "authored_by": "A. Author",
        "signed_by": "B. Signer",
        "signed_by_rpps": "10001234565",
        "source_version": "protocol 1.0",
        "signed_at": "2026-01-01T00:00:00Z",
        "criteria": [
            {
                "id": "dx",
                "kind": "include",
                "role": "indication",
                "text": {"fr": "Drépanocytose", "en": "Sickle cell disease"},
                "expr": {"type": "has", "codes": ["ORPHA:232"]},
            }
        ],
    }
    same_person = await admin.put(path, json={**document, "signed_by": " a.  author"}, headers={"If-Match": '"v1"'})
    assert (same_person.status_code, same_person.json()["code"]) == (422, "invalid_body")
    unsigned = {name: value for name, value in document.items() if not name.startswith("signed")}
    assert (await admin.put(path, json=unsigned, headers={"If-Match": '"v1"'})).status_code == 422
    unknown = json.loads(json.dumps(document).replace('"codes"', '"colour": "DUPONT", "codes"'))
    refused = await admin.put(path, json=unknown, headers={"If-Match": '"v1"'})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"].startswith("/criteria/0/expr")
    assert "DUPONT" not in refused.text
    for missing in ("signed_by_rpps", "source_version"):
        partly = {name: value for name, value in document.items() if name != missing}
        refused = await admin.put(path, json=partly, headers={"If-Match": '"v1"'})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, f"/{missing}")
    wrong = await admin.put(path, json={**document, "signed_by_rpps": "10001234566"}, headers={"If-Match": '"v1"'})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/signed_by_rpps")
    assert "10001234566" not in wrong.text
    invented = await admin.put(path, json={**document, "illustrative": True}, headers={"If-Match": '"v1"'})
    assert (invented.status_code, invented.json()["errors"][0]["pointer"]) == (422, "/illustrative")
    following = await now(public)
    signed = await admin.put(path, json=document, headers={"If-Match": '"v1"'})
    assert (signed.status_code, signed.json()["version"], signed.json()["grade"]) == (200, 2, "signed")
    assert (await admin.put(path, json=document, headers={"If-Match": '"v1"'})).status_code == 412
    assert (await public.get(path)).json()["version"] == 2
    assert (await public.get(f"{path}?version=1")).json() == first.json()
    head = (await public.get("/registry/v1/trials/NCT99999991")).json()["criteria"]
    assert (head["version"], head["grade"], head["outdated"], head["illustrative"]) == (2, "signed", False, False)
    assert [event["type"] for event in await events_since(public, following)] == ["criteria.signed"]


async def test_signed_criteria_are_outdated_when_the_text_of_the_source_changes(
    public: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    path = "/registry/v1/trials/NCT99999991"
    await create(admin, a_trial(eligibility={"text": "Inclusion Criteria:\n* Adults", "minimum_age": "P18Y"}))
    draft = (await public.get(f"{path}/criteria")).json()
    signed = {
        **{name: draft[name] for name in ("trial", "criteria", "source_hash")},
        "grade": "signed",
        "authored_by": "A. Author",
        "signed_by": "B. Signer",
        "signed_by_rpps": "10001234565",
        "signed_at": "2026-01-01T00:00:00Z",
        "source_version": "protocol 1.0",
    }
    other_text = await admin.put(
        f"{path}/criteria", json={**signed, "source_hash": "0" * 64}, headers={"If-Match": '"v1"'}
    )
    assert other_text.status_code == 412
    written = await admin.put(f"{path}/criteria", json=signed, headers={"If-Match": '"v1"'})
    assert (written.status_code, written.json()["source_hash"]) == (200, draft["source_hash"])

    async def change(version: int, **eligibility: Any) -> dict[str, Any]:
        headers = {"If-Match": f'"v{version}"', "Content-Type": "application/merge-patch+json"}
        answer = await admin.patch(path, json={"eligibility": eligibility}, headers=headers)
        return dict(answer.json()["criteria"])

    following = await now(public)
    assert not (await change(2, text="Inclusion Criteria:\n\n*  Adults"))["outdated"], "spaces do not count"
    assert (await change(3, text="Inclusion Criteria:\n* Adults\n* Not pregnant"))["outdated"]
    assert [event["type"] for event in await events_since(public, following)] == [
        "trial.updated",
        "trial.updated",
        "criteria.outdated",
    ]
    assert not (await change(4, text="Inclusion Criteria:\n* Adults"))["outdated"]
    assert (await change(5, minimum_age="P12Y"))["outdated"]
    again = {name: value for name, value in signed.items() if name != "source_hash"}
    renewed = await admin.put(f"{path}/criteria", json=again, headers={"If-Match": '"v2"'})
    assert (renewed.status_code, renewed.json()["version"]) == (200, 3)
    head = (await public.get(path)).json()["criteria"]
    assert (head["version"], head["outdated"]) == (3, False)


async def test_a_site_declares_places_without_a_new_version_of_the_trial(
    public: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    cohorts = [{"id": "1", "label": {"fr": "Cohorte 1", "en": "Cohort 1"}}]
    await create(admin, a_trial(cohorts=cohorts, sites=[{"centre": "fr-necker", "status": "not_yet_recruiting"}]))
    following = await now(public)
    path = "/registry/v1/trials/NCT99999991/sites/fr-necker"
    opened = await admin.put(
        path, json={"status": "recruiting", "slots": [{"cohort": "1", "open": 2}]}, headers={"If-Match": '"v1"'}
    )
    assert (opened.status_code, opened.headers["etag"], opened.json()["stale"]) == (200, '"v2"', False)
    trial = (await public.get("/registry/v1/trials/NCT99999991")).json()
    assert (trial["version"], trial["sites"]) == (
        1,
        [
            {
                "centre": "fr-necker",
                "status": "recruiting",
                "confirmed_at": opened.json()["confirmed_at"],
                "stale": False,
            }
        ],
    )
    fewer = await admin.put(
        path, json={"status": "recruiting", "slots": [{"cohort": "1", "open": 1}]}, headers={"If-Match": '"v2"'}
    )
    assert fewer.json()["slots"] == [{"cohort": "1", "open": 1, "status": None}]
    assert (await public.get("/registry/v1/trials/NCT99999991")).json()["version"] == 1
    listed = {**fewer.json(), "distance_km": None}
    assert (await admin.get("/registry/v1/trials/NCT99999991/sites")).json()["items"] == [listed]
    # Anonymous readers see where a trial is open, but not how many places there are.
    assert (await public.get("/registry/v1/trials/NCT99999991/sites")).json()["items"] == [{**listed, "slots": None}]
    own = (await public.get("/registry/v1/trials/NCT99999991")).json()["id"]
    assert [(event["type"], event["subject"]) for event in await events_since(public, following)] == [
        ("site.opened", f"site/{own}/fr-necker"),
        ("site.slots_changed", f"site/{own}/fr-necker"),
    ]
    for body, pointer in (
        ({"status": "recruiting", "slots": [{"cohort": "9", "open": 1}]}, "/slots/0/cohort"),
        ({"status": "recruiting", "slots": [{"cohort": "1", "open": -1}]}, "/slots/0/open"),
        ({"status": "recruiting", "confirmed_at": "2999-01-01T00:00:00Z"}, "/confirmed_at"),
    ):
        refused = await admin.put(path, json=body, headers={"If-Match": '"v3"'})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_centres_are_read_and_changed(public: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    centres = (await public.get("/registry/v1/centres")).json()["items"]
    assert len(centres) == 11
    assert {centre["id"] for centre in centres if not centre["illustrative"]} == {
        "fr-strasbourg",
        "fr-necker",
        "fr-toulouse",
    }
    necker = await public.get("/registry/v1/centres/fr-necker")
    body = {name: value for name, value in necker.json().items() if name not in {"id", "version", "updated_at"}}
    path = "/registry/v1/centres/fr-necker"
    assert (await admin.put(path, json={**body, "label": "suspended"})).status_code == 428
    changed = await admin.put(path, json={**body, "label": "suspended"}, headers={"If-Match": necker.headers["etag"]})
    assert (changed.status_code, changed.json()["label"], changed.headers["etag"]) == (200, "suspended", '"v2"')
    assert (await admin.put(path, json=body, headers={"If-Match": '"v1"'})).status_code == 412
    function = {"fr": "Unité d'essais cliniques", "en": "Clinical trials unit"}
    for contact, pointer in (
        ({"function": {**function, "fr": "Dr Anne Martin"}, "phone": "+33 1 99 00 12 34"}, "/contact"),
        ({"function": function}, "/contact"),
        ({"function": function, "phone": "01 99 00 12 34"}, "/contact/phone"),
        ({"function": function, "email": "anne.martin@chu.example"}, "/contact/email"),
    ):
        refused = await admin.put(path, json={**body, "contact": contact}, headers={"If-Match": '"v2"'})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert (await public.put(path, json=body, headers={"If-Match": '"v2"'})).status_code == 401


async def test_a_centre_cannot_change_its_label_or_membership(app: FastAPI) -> None:
    path = "/registry/v1/centres/fr-necker"
    async with client_of(app, token=token_of("centre", "editor", "system", centre="fr-necker")) as centre:
        now = await centre.get(path)
        body = {name: value for name, value in now.json().items() if name not in {"id", "version", "updated_at"}}
        version = {"If-Match": now.headers["etag"]}
        for changes in ({"label": "labelled"}, {"member": False}, {"illustrative": True}):
            refused = await centre.put(path, json={**body, **changes}, headers=version)
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
            assert [error["pointer"] for error in refused.json()["errors"]] == [f"/{name}" for name in changes]
        function = {"fr": "Unité d'essais cliniques", "en": "Clinical trials unit"}
        own = {"city": "Paris 15", "contact": {"function": function, "phone": "+33 1 99 00 12 34"}}
        accepted = await centre.put(path, json={**body, **own}, headers=version)
        assert (accepted.status_code, accepted.json()["city"]) == (200, "Paris 15")
        assert accepted.json()["contact"] == {**own["contact"], "email": None, "url": None}


async def test_a_copy_from_export_and_feed_equals_the_registry(app: FastAPI, admin: httpx.AsyncClient) -> None:
    async with client_of(app, token=INTERNAL) as service:
        header, *lines = [json.loads(line) for line in (await service.get("/registry/v1/export")).text.splitlines()]
        copy = {line["id"]: line["version"] for line in lines if line["kind"] == "trial"}
        await create(admin, a_trial())
        await admin.patch(
            "/registry/v1/trials/NCT99999991",
            content='{"status": "completed"}',
            headers={"If-Match": "*", "Content-Type": "application/merge-patch+json"},
        )
        for event in (await service.get(header["following"])).json():
            if event["subject"].startswith("trial/"):
                copy[event["data"]["id"]] = event["data"]["version"]
        everything = (await service.get("/registry/v1/trials?limit=200")).json()["items"]
        assert copy == {trial["id"]: trial["version"] for trial in everything}
