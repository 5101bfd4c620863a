"""The list of trials as people search it: filters, order, facets, forms of the answer, and what nobody may see."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import ADMIN, client_of, token_of
from tests.contract.registry import running_registry

pytestmark = pytest.mark.anyio

TRIALS = "/registry/v1/trials"
MERGE_PATCH = {"Content-Type": "application/merge-patch+json", "If-Match": "*", "Authorization": f"Bearer {ADMIN}"}
SICKLE = {"NCT03964792", "NCT03745287", "CLEIO-DEMO-0001"}


async def found(client: httpx.AsyncClient, query: str) -> list[str]:
    answer = await client.get(f"{TRIALS}?{query}")
    assert answer.status_code == 200, answer.text
    return [one["identifier"] for one in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=drépanocytose", SICKLE),
        ("q=drepanocitose", SICKLE),  # a typing error
        ("q=Drépanocytoses de l'enfant", {"NCT03964792", "NCT03745287", "CLEIO-DEMO-0001"}),
        ("q=NCT 03964792", {"NCT03964792"}),
        ("q=03964792", {"NCT03964792"}),
        ("q=ORPHA:232", SICKLE),  # the patient's disease is a form of what the trials treat
        ("condition=ORPHA:232", SICKLE),
        ("q=thérapie génique pour la drépanocytose", {"NCT03964792", "NCT03745287"}),
        ("q=...", set()),
        ("q=zzzzzzzz", set()),
    ],
)
async def test_words_and_diseases_find_trials(standing_app: FastAPI, query: str, expected: set[str]) -> None:
    async with client_of(standing_app) as anyone:
        assert set(await found(anyone, query)) >= expected
        if not expected:
            assert await found(anyone, query) == []


async def test_a_search_finds_what_was_written_just_before(app: FastAPI) -> None:
    async with client_of(app) as anyone:
        for word in ("xylophone", "zygomatique"):
            titles = json.dumps({"titles": {"fr": f"Étude {word}"}})
            assert (await anyone.patch(f"{TRIALS}/NCT03745287", content=titles, headers=MERGE_PATCH)).status_code == 200
            assert await found(anyone, f"q={word}") == ["NCT03745287"]
        assert await found(anyone, "q=xylophone") == []


async def test_unpublished_trials_are_in_no_hit_count_or_facet(app: FastAPI) -> None:
    # A condition in which no disease is recognised goes to review: until then the trial is not public.
    hide = json.dumps({"conditions": [{"text": "R/R MM"}]})
    async with client_of(app) as anyone, client_of(app, token=token_of("coordination", "admin")) as staff:
        before = (await anyone.get(f"{TRIALS}?sort=updated&count=exact&facets=phase,condition")).json()
        assert (await anyone.patch(f"{TRIALS}/NCT03745287", content=hide, headers=MERGE_PATCH)).status_code == 200
        after = (await anyone.get(f"{TRIALS}?sort=updated&count=exact&facets=phase,condition")).json()
        assert after["total"] == before["total"] - 1
        assert (
            sum(one["count"] for one in after["facets"]["phase"])
            == sum(one["count"] for one in before["facets"]["phase"]) - 1
        )
        assert await found(anyone, "ids=NCT03745287") == []
        assert await found(staff, "published=false") == ["NCT03745287"]
        assert (await staff.get(f"{TRIALS}/statistics")).json()["total"] == before["total"]
        assert (await anyone.get(f"{TRIALS}/statistics")).json()["total"] == before["total"] - 1
        assert not [one for one in (await suggestions(anyone, "NCT03745287")) if one["kind"] == "trial"]


async def suggestions(client: httpx.AsyncClient, typed: str) -> list[Any]:
    answer = await client.get(f"{TRIALS}/suggest", params={"q": typed})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_suggestions_while_typing(standing_app: FastAPI) -> None:
    async with client_of(standing_app) as anyone:
        for typed in ("drep", "drépanoc", "drepanocit", "sickle c", "Y a-t-il un essai pour la drépanocytose ?"):
            assert "ORPHA:275752" in [one["value"] for one in await suggestions(anyone, typed)], typed
        assert "fr-strasbourg" in [one["value"] for one in await suggestions(anyone, "strasb")]
        assert "fr-necker" in [one["value"] for one in await suggestions(anyone, "neker")]
        assert await suggestions(anyone, "...") == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("status=open", "/query/status"),
        ("status=recruiting,maybe", "/query/status"),
        ("phase=3", "/query/phase"),
        ("country=QQ", "/query/country"),
        ("centre=fr-nowhere", "/query/centre"),
        ("condition=ORPHA:0", "/query/condition"),
        ("region=Atlantide", "/query/region"),
        ("radius=50", "/query/radius"),
        ("near=1;2", "/query/near"),
        ("age=young", "/query/age"),
        ("updated_since=2026-02-31", "/query/updated_since"),
        ("sort=distance", "/query/sort"),
        ("fields=password", "/query/fields"),
        ("facets=search", "/query/facets"),
        ("open_places=true", "/query/open_places"),
        ("published=false", "/query/published"),
        ("stale=true", "/query/stale"),
    ],
)
async def test_a_wrong_value_is_named(standing_app: FastAPI, query: str, pointer: str) -> None:
    async with client_of(standing_app) as anyone:
        for reads in ((), standing_app.state.public_reads):
            standing_app.state.public_reads = reads
            answer = await anyone.get(f"{TRIALS}?{query}")
            assert answer.status_code == 400, answer.text
            assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


async def test_filters_narrow_the_list(standing_app: FastAPI) -> None:
    async with client_of(standing_app) as anyone:
        everything = (await anyone.get(f"{TRIALS}?limit=200")).json()["items"]

        def where(keep: Any) -> set[str]:
            return {one["identifier"] for one in everything if keep(one)}

        cases = {
            "status=recruiting,completed": lambda one: one["status"] in {"recruiting", "completed"},
            "open=true": lambda one: one["status"] in {"recruiting", "enrolling_by_invitation", "available"},
            "phase=phase-3": lambda one: one["phase"] == "phase-3",
            "atmp_class=gene_therapy": lambda one: one["product"]["atmp_class"] == "gene_therapy",
            "vector=lentiviral,aav": lambda one: one["product"]["vector"] in {"lentiviral", "aav"},
            "delivery=ex_vivo": lambda one: one["product"]["delivery"] == "ex_vivo",
            "sponsor_kind=industry": lambda one: (one["sponsor"] or {}).get("kind") == "industry",
            "country=fr": lambda one: "FR" in one["countries"],
            "sex=female": lambda one: one["eligibility"]["sex"] != "male",
            "centre=fr-necker": lambda one: "fr-necker" in [site["centre"] for site in one["sites"]],
            "departement=67": lambda one: "fr-strasbourg" in [site["centre"] for site in one["sites"]],
            "region=ile-de-france": lambda one: {"fr-necker", "fr-trousseau"} & {s["centre"] for s in one["sites"]},
            "near=48.58,7.75&radius=30": lambda one: "fr-strasbourg" in [site["centre"] for site in one["sites"]],
            "sample=none&limit=60": lambda one: one["sample"] != "demo",
            "updated_since=2020-01-01": lambda one: one["id"],
            "updated_since=2090-01-01": lambda one: not one["id"],
            "ids=nct03745287, NCT 03964792": lambda one: one["identifier"] in {"NCT03745287", "NCT03964792"},
        }
        for query, keep in cases.items():
            assert set(await found(anyone, query)) == where(keep), query
        genes = {gene for one in everything for gene in one["product"]["genes"]}
        for gene in genes:
            assert set(await found(anyone, f"gene={gene.lower()}")) == where(
                lambda one, gene=gene: gene in one["product"]["genes"]
            )


async def test_ages_in_days_or_as_a_duration(app: FastAPI) -> None:
    async with client_of(app) as anyone:
        assert await found(anyone, "age=P8Y") == await found(anyone, "age=2922")
        everyone = set(await found(anyone, "limit=200"))
        assert set(await found(anyone, "age=P8Y&limit=200")) < everyone
        assert set(await found(anyone, "age=P8Y&limit=200")) != set(await found(anyone, "age=P40Y&limit=200"))
        # From 18 years: no child. Up to 17 years: until the 18th birthday.
        for ages, child, age, taken in (
            ({"minimum_age": "P18Y"}, False, "P17Y11M", False),
            ({"minimum_age": "P18Y"}, False, "P18Y", True),
            ({"maximum_age": "P17Y"}, True, "P17Y11M", True),
            ({"maximum_age": "P17Y"}, True, "P18Y", False),
        ):
            whole = json.dumps({"eligibility": {"minimum_age": None, "maximum_age": None, **ages}})
            changed = await anyone.patch(f"{TRIALS}/NCT03745287", content=whole, headers=MERGE_PATCH)
            assert changed.status_code == 200, changed.text
            assert (await found(anyone, "ids=NCT03745287&q=enfant") == ["NCT03745287"]) is child
            assert (await found(anyone, f"ids=NCT03745287&age={age}") == ["NCT03745287"]) is taken


async def test_open_in_france_comes_first_and_demonstrations_last(standing_app: FastAPI) -> None:
    async with client_of(standing_app) as anyone:
        items = (await anyone.get(f"{TRIALS}?sort=relevance&limit=200")).json()["items"]
    kinds = [
        2 if one["sample"] == "demo" else 0 if one["status"] == "recruiting" and "FR" in one["countries"] else 1
        for one in items
    ]
    assert kinds == sorted(kinds)


async def test_near_puts_trials_of_near_centres_first(standing_app: FastAPI) -> None:
    async with client_of(standing_app) as anyone:
        items = (await anyone.get(f"{TRIALS}?near=48.58,7.75&sort=distance&limit=200")).json()["items"]
    there = ["fr-strasbourg" in [site["centre"] for site in one["sites"]] for one in items]
    assert any(there)
    assert there == sorted(there, reverse=True)


@pytest.mark.parametrize("sort", ["relevance", "updated", "start", "identifier", "distance&near=48.58,7.75"])
async def test_pages_of_every_order_follow_each_other_to_the_end(standing_app: FastAPI, sort: str) -> None:
    async with client_of(standing_app) as anyone:
        whole = await found(anyone, f"sort={sort}&limit=200")
        seen: list[str] = []
        path: str | None = f"{TRIALS}?sort={sort}&limit=4"
        while path:
            page = await anyone.get(path)
            seen += [one["identifier"] for one in page.json()["items"]]
            path = page.links["next"]["url"] if "next" in page.links else None
        assert seen == whole
        assert len(set(seen)) == 18


async def test_a_page_goes_on_behind_its_last_trial_while_trials_change(app: FastAPI) -> None:
    async with client_of(app) as anyone:
        whole = await found(anyone, "sort=updated&limit=200")
        first = await anyone.get(f"{TRIALS}?sort=updated&limit=4")
        # The last trial of the list becomes the first: what follows the first page stays as it is.
        titles = json.dumps({"titles": {"fr": "Étude"}})
        changed = await anyone.patch(f"{TRIALS}/{whole[-1]}", content=titles, headers=MERGE_PATCH)
        assert changed.status_code == 200
        second = await anyone.get(first.links["next"]["url"])
        assert [one["identifier"] for one in second.json()["items"]] == whole[4:8]


async def test_fields_facets_and_the_total(standing_app: FastAPI) -> None:
    async with client_of(standing_app) as anyone:
        page = (await anyone.get(f"{TRIALS}?fields=identifier,phase&facets=phase,condition&count=exact&limit=3")).json()
        assert all(one.keys() == {"id", "identifier", "phase"} for one in page["items"])
        assert page["total"] == 18
        everything = (await anyone.get(f"{TRIALS}?limit=200")).json()["items"]
        assert {one["value"]: one["count"] for one in page["facets"]["phase"]} == {
            phase: sum(one["phase"] == phase for one in everything)
            for phase in {one["phase"] for one in everything if one["phase"]}
        }
        assert all(one["label"]["fr"] for one in page["facets"]["condition"])


async def test_open_trials_are_counted_where_they_recruit(standing_app: FastAPI) -> None:
    async with client_of(standing_app) as anyone:
        page = (await anyone.get(f"{TRIALS}?open=true&facets=centre,departement,region&limit=1")).json()
        names = {one["value"]: one["label"]["fr"] for one in page["facets"]["region"]}
        assert names["ile de france"] == "Île-de-France"
        for name, counted in page["facets"].items():
            for one in counted:
                there = await found(anyone, f"open=true&{name}={one['value']}&limit=200")
                assert len(there) == one["count"], (name, one["value"])
        several = await found(anyone, f"open=true&region={','.join(names)}&limit=200")
        assert set(several) >= set(await found(anyone, "open=true&region=bretagne&limit=200"))


async def test_csv_and_lines(app: FastAPI) -> None:
    formula = json.dumps({"titles": {"fr": "=HYPERLINK(1)", "en": "-1+2"}})
    async with client_of(app) as anyone:
        assert (await anyone.patch(f"{TRIALS}/NCT03745287", content=formula, headers=MERGE_PATCH)).status_code == 200
        table = await anyone.get(f"{TRIALS}?limit=200", headers={"Accept": "text/csv"})
        lines = await anyone.get(f"{TRIALS}?ids=NCT03745287", headers={"Accept": "application/x-ndjson"})
        refused = await anyone.get(TRIALS, headers={"Accept": "text/html"})
    assert table.headers["content-type"].startswith("text/csv")
    rows = {row["identifier"]: row for row in csv.DictReader(io.StringIO(table.text))}
    assert len(rows) == 18
    assert rows["NCT03745287"]["title_fr"] == "'=HYPERLINK(1)"
    assert rows["NCT03745287"]["title_en"] == "'-1+2"
    assert [json.loads(line)["identifier"] for line in lines.text.splitlines()] == ["NCT03745287"]
    assert refused.status_code == 406


async def test_open_places_are_for_those_who_may_see_them(app: FastAPI) -> None:
    async with (
        client_of(app, token=token_of("hospital")) as hospital,
        client_of(app, token=token_of("coordination", "admin")) as staff,
    ):
        before = await found(hospital, "open_places=true&limit=200")
        trial = next(one for one in (await staff.get(f"{TRIALS}?open=true&limit=200")).json()["items"] if one["sites"])
        path = f"{TRIALS}/{trial['id']}/sites/{trial['sites'][0]['centre']}"
        cohort = trial["cohorts"][0]["id"] if trial["cohorts"] else "all"
        site = {"status": "recruiting", "slots": [{"cohort": cohort, "open": 2}]}
        written = await staff.put(path, json=site, headers={"If-Match": "*"})
        assert written.status_code == 200, written.text
        assert set(await found(hospital, "open_places=true&limit=200")) == {*before, trial["identifier"]}
        assert (await hospital.get(f"{TRIALS}?stale=true")).status_code == 400
        assert (await staff.get(f"{TRIALS}?stale=true")).status_code == 200


async def test_a_number_that_became_that_of_another_trial_finds_that_one_only(app: FastAPI) -> None:
    def trial(number: str) -> str:
        conditions = [{"code": "ORPHA:275752", "text": "Sickle cell disease"}]
        product = {"name": "a gene therapy", "atmp_class": "gene_therapy"}
        numbers = [{"type": "nct", "value": number}]
        return json.dumps({"identifiers": numbers, "conditions": conditions, "product": product})

    new = {"Content-Type": "application/json", "If-None-Match": "*"}
    async with client_of(app, token=token_of("coordination", "admin")) as staff:
        first = await staff.put(f"{TRIALS}/NCT99000001", content=trial("NCT99000001"), headers=new)
        assert first.status_code == 201, first.text
        numbers = json.dumps({"identifiers": [{"type": "nct", "value": "NCT99000002"}]})
        path = f"{TRIALS}/{first.json()['id']}"
        assert (await staff.patch(path, content=numbers, headers=MERGE_PATCH)).status_code == 200
        assert await found(staff, "ids=NCT99000001") == ["NCT99000002"]
        second = await staff.put(f"{TRIALS}/NCT99000001", content=trial("NCT99000001"), headers=new)
        assert second.status_code == 201, second.text
        assert await found(staff, "ids=NCT99000001") == ["NCT99000001"]


async def test_a_stored_trial_that_cannot_be_read_is_missing_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    async with running_registry(url):
        pass
    with closing(sqlite3.connect(tmp_path / "registry.db")) as file, file:
        file.execute(
            "UPDATE trials SET document = json_remove(document, '$.identifier') WHERE public_id = 'NCT03745287'"
        )
    async with running_registry(url, sample=False) as app, client_of(app) as anyone:
        assert set(await found(anyone, "q=drépanocytose")) == SICKLE - {"NCT03745287"}
