"""The terminology from release files to answers: loaded, published, and the same trials for every code of a disease."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from shared.terminology.document import read_document
from tests.conftest import ADMIN, client_of, install
from tests.contract.matching import MATCH, Line, running_matching, until_loaded
from tests.contract.registry import running_registry

pytestmark = pytest.mark.anyio

TERMINOLOGY = "/registry/v1/terminology"
CODE_MAP = (
    "local,standard,relation,label\nCHUX:DMD1,Orphanet:98896,same,Duchenne (code local)\nCHUX:MYO,G71.0,narrower,\n"
)


def boy(code: str) -> dict[str, object]:
    fact = {"id": "diagnosis", "kind": "condition", "codes": [code], "date": "2024-02-01"}
    return {"as_of": "2025-11-22", "birth_date": "2021-12-20", "sex": "male", "facts": [fact]}


async def trials_for(client: httpx.AsyncClient, code: str) -> dict[str, str]:
    """Return the verdicts of the trials listed for a boy with this code."""
    answer = await client.post(MATCH, json=boy(code))
    assert answer.status_code == 200, answer.text
    return {one["trial"]: one["verdict"] for one in answer.json()["results"]}


@pytest.mark.parametrize(
    ("trial", "codes", "broader"),
    [
        ("CLEIO-DEMO-0002", ("ORPHA:98896", "OMIM:310200", "MONDO:0010679", "MESH:D020388"), "ICD10:G71.0"),
        ("NCT03461289", ("ORPHA:83330", "OMIM:253300", "MONDO:0009669"), "ICD10:G12"),
    ],
    ids=["Duchenne", "spinal muscular atrophy type 1"],
)
async def test_every_code_of_a_disease_lists_the_same_trials_and_a_broader_one_lists_them_as_possible(
    matching_client: httpx.AsyncClient, trial: str, codes: tuple[str, ...], broader: str
) -> None:
    first, *others = [await trials_for(matching_client, code) for code in codes]
    assert trial in first
    assert others == [first] * len(others)
    wider = await trials_for(matching_client, broader)
    assert trial in wider
    assert set(wider.values()) <= {"possible", "not_yet", "not_now", "excluded"}


async def test_a_concept_is_found_by_any_code_and_by_its_names(line: Line, registry: object) -> None:
    async with client_of(registry, token=ADMIN) as client:
        for code in ("Orphanet:98896", "OMIM:310200", "http://purl.obolibrary.org/obo/MONDO_0010679"):
            (found,) = (await client.get(TERMINOLOGY, params={"code": code})).json()["concepts"]
            assert found["code"] == "ORPHA:98896"
        (seizure,) = (await client.get(TERMINOLOGY, params={"code": "HP:0001275"})).json()["concepts"]
        assert seizure["label"] == {"fr": "Epilépsie", "en": "Seizure"}
        assert seizure["parents"] == ["CLEIO:seizure-disorder", "HP:0012638"]
        by_name = (await client.get(TERMINOLOGY, params={"q": "aspartylglucosaminuria"})).json()["concepts"]
        assert {one["code"] for one in by_name[:2]} == {"ORPHA:93", "HP:0012068"}
        assert (await client.get(TERMINOLOGY, params={"code": "LOCAL:1"})).json()["concepts"] == []
        answer = await client.get(f"{TERMINOLOGY}/document")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/gzip")
        document = read_document(answer.content)
        assert answer.headers["etag"] == f'"{document.version}"'
        unchanged = await client.get(f"{TERMINOLOGY}/document", headers={"If-None-Match": answer.headers["etag"]})
        assert unchanged.status_code == 304


async def test_a_code_map_loaded_without_the_registry_is_announced_at_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.cli.terminology import list_releases, read_releases, store_releases, undo_last

    install(monkeypatch, tmp_path / "var")
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    monkeypatch.setenv("CLEIO_REGISTRY_DATABASE_URL", url)
    (tmp_path / "codes.csv").write_text(CODE_MAP, encoding="utf-8")
    async with running_registry(url) as app:
        before = app.state.terminology.version
    releases = read_releases([tmp_path / "codes.csv"], progress=False)
    assert [(one.kind, one.new, one.draft.unreadable) for one in releases] == [("code-map", 1, 1)]
    await asyncio.to_thread(store_releases, releases)
    assert [one.name for one in await asyncio.to_thread(list_releases)] == ["codes.csv"]
    async with running_registry(url) as app, client_of(app, token=ADMIN) as client:
        assert app.state.terminology.version != before
        events = (await client.get("/registry/v1/feed?limit=1000")).json()
        assert [one["subject"] for one in events if one["type"] == "terminology.updated"] == ["terminology/current"]
        async with running_matching(Line(app)) as matching, client_of(matching) as caller:
            await until_loaded(matching)
            assert await trials_for(caller, "CHUX:DMD1") == await trials_for(caller, "ORPHA:98896") != {}
    assert (await asyncio.to_thread(undo_last)).name == "codes.csv"
    async with running_registry(url) as app:
        assert app.state.terminology.version == before


@pytest.mark.real_data
def test_the_disease_codes_of_real_patients_are_understood(real_data: Path) -> None:
    """Of the disease codes of real patients, 99 % are understood."""
    import lzma

    from services.registry.terminology.terminology import builtin
    from shared.terminology.codes import read_code

    known, understood, codes = builtin().graph, 0, 0
    file = real_data / "patients_phenopackets" / "phenopacket_store.jsonl.xz"
    with lzma.open(file, "rt", encoding="utf-8") as packets:
        for line in packets:
            packet = json.loads(line)
            diseases = [one["term"]["id"] for one in packet.get("diseases", ())]
            diagnoses = [one["diagnosis"]["disease"]["id"] for one in packet.get("interpretations", ())]
            for code in map(read_code, {*diseases, *diagnoses}):
                codes += 1
                understood += code is not None and known.understands(code)
    assert codes > 10_000
    assert understood / codes >= 0.99
