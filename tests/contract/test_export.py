"""The export is built at most once a minute, and with the feed from its cursor it is exact."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.registry.export.building import ExportBuilder
from services.registry.export.service import ExportService
from shared.endpoints.feed import seal_position
from shared.feed.log import Position
from shared.persistence import Database
from shared.values.problems import DatabaseBusyError
from tests.conftest import ADMIN, INTERNAL, client_of, token_of
from tests.contract.matching import until
from tests.contract.test_registry import a_trial, create

pytestmark = pytest.mark.anyio

EXPORT = "/registry/v1/export"
PATCH = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
TRIAL = "NCT05096221"
UNCLEAR = [{"text": "Langerhans cell histiocytosis"}]


@asynccontextmanager
async def exporting(app: FastAPI, folders: list[Path], **settings: float) -> AsyncIterator[None]:
    """Exports built one row at a time, so that edits come between any two."""

    def feed_path(position: Position) -> str:
        return f"/registry/v1/feed?cursor={seal_position(app.state.cursors, 'registry', position)}"

    builder = ExportBuilder(app.state.database, feed_path, lambda: "v1", rows=1, max_rows=1)
    before, app.state.export = app.state.export, ExportService(builder, folders, **settings)
    task = app.state.tasks.repeat(app.state.export.step, "build_exports_of_the_test")
    yield
    await task.stop()
    app.state.export = before


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert found[0]["kind"] == "header"
    assert found[-1] == {"kind": "end", "count": len(found) - 2}
    return found


def acronym(export: list[dict[str, Any]]) -> str:
    [trial] = [line["trial"] for line in export if line.get("trial", {}).get("identifier") == TRIAL]
    return str(trial["acronym"])


async def rename(admin: httpx.AsyncClient, name: str) -> None:
    changed = await admin.patch(f"/registry/v1/trials/{TRIAL}", json={"acronym": name}, headers=PATCH)
    assert changed.status_code == 200


async def test_callers_get_an_export_of_the_last_minute_and_services_the_present_state(
    app: FastAPI, public: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    before = await public.get(EXPORT)
    await rename(admin, "RENAMED")
    assert (await public.get(EXPORT)).content == before.content
    async with client_of(app, token=INTERNAL) as service:
        for name in ("ONE", "TWO"):
            await rename(admin, name)
            await asyncio.sleep(1.1)
            assert acronym(lines(await service.get(EXPORT))) == name
    events = (await public.get(lines(before)[0]["following"])).json()
    assert [event["data"]["identifier"] for event in events] == [TRIAL] * 3, "the feed continues the older export"


async def test_an_export_is_not_built_again_without_a_change(
    app: FastAPI, public: httpx.AsyncClient, admin: httpx.AsyncClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def built() -> int:
        return sum(record.message == "export_built" for record in caplog.records)

    async with exporting(app, [tmp_path], fresh_seconds=0.0):
        answers = await asyncio.gather(*(public.get(EXPORT) for _ in range(5)))
        answers += [await public.get(EXPORT) for _ in range(2)]
        assert len({answer.content for answer in answers}) == 1
        assert built() == 1
        await rename(admin, "RENAMED")
        assert acronym(lines(await public.get(EXPORT))) == "RENAMED"
        assert built() == 2


async def test_each_kind_of_caller_gets_what_it_may_read(app: FastAPI, admin: httpx.AsyncClient) -> None:
    await create(admin, a_trial(conditions=UNCLEAR))
    site = {"status": "recruiting", "slots": [{"cohort": "1", "open": 2}]}
    await admin.patch(
        f"/registry/v1/trials/{TRIAL}",
        json={
            "cohorts": [{"id": "1", "label": {"fr": "Un", "en": "One"}}],
            "sites": [{"centre": "fr-necker", "status": "recruiting"}],
        },
        headers=PATCH,
    )
    assert (
        await admin.put(f"/registry/v1/trials/{TRIAL}/sites/fr-necker", json=site, headers={"If-Match": "*"})
    ).status_code == 200
    found = {}
    for name, token in (
        ("public", None),
        ("sponsor", token_of("sponsor", "admin")),
        ("hospital", token_of("hospital", "admin")),
        ("authority", token_of("authority", "admin")),
        ("coordination", ADMIN),
        ("service", INTERNAL),
    ):
        async with client_of(app, token=token) as client:
            trials = {
                line["trial"]["identifier"]: line for line in lines(await client.get(EXPORT)) if line["kind"] == "trial"
            }
        [row] = [one for one in trials[TRIAL]["sites"] if one["centre"] == "fr-necker"]
        demo = any(line["trial"]["sample"] == "demo" for line in trials.values())
        found[name] = ("NCT99999991" in trials, demo, bool(row["slots"]))
    assert found == {
        "public": (False, False, False),
        "sponsor": (False, False, False),
        "hospital": (False, False, True),
        "authority": (True, False, True),
        "coordination": (True, True, True),
        "service": (True, True, True),
    }


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.full)])
async def test_an_export_continued_by_the_feed_equals_the_registry(
    app: FastAPI, public: httpx.AsyncClient, admin: httpx.AsyncClient, tmp_path: Path, seed: int
) -> None:
    """Edits go on while exports are built and read. Each copy that then follows the feed is complete."""
    chance = Random(seed)
    exports: list[httpx.Response] = []
    async with exporting(app, [tmp_path], fresh_seconds=0.0):
        enough = asyncio.Event()
        editing = asyncio.create_task(edit(admin, chance, enough))
        for _ in range(6):
            exports.append(await public.get(EXPORT))
            await asyncio.sleep(chance.random() * 0.05)
        enough.set()
        await editing
    fresh = (await public.get("/registry/v1/trials?limit=200&sample=none")).json()["items"]
    for export in exports:
        header, *rest = lines(export)
        copy = {line["id"]: line["version"] for line in rest if line["kind"] == "trial"}
        following = header["following"]
        while True:
            batch = await public.get(following)
            for event in batch.json():
                kind, _, name = event["subject"].partition("/")
                if kind != "trial":
                    continue
                if event["data"]["op"] == "delete":
                    copy.pop(name, None)
                else:
                    copy[name] = event["data"]["version"]
            following = batch.links["next"]["url"]
            if not batch.json():
                break
        assert copy == {trial["id"]: trial["version"] for trial in fresh}


async def edit(admin: httpx.AsyncClient, chance: Random, enough: asyncio.Event) -> None:
    """Create, change, hide and publish trials in a random order until it is enough."""
    known: set[str] = set()
    while not enough.is_set():
        number = f"NCT{chance.choice((1, 9))}999999{chance.randrange(6)}"
        document = a_trial(number, status=chance.choice(("recruiting", "completed", "terminated")))
        if chance.random() < 0.3:
            document["conditions"] = UNCLEAR
        headers = {"If-Match": "*"} if number in known else {"If-None-Match": "*"}
        answer = await admin.put(f"/registry/v1/trials/{number}", json=document, headers=headers)
        assert answer.status_code in {200, 201}, answer.text
        known.add(number)
        await asyncio.sleep(0)


@contextmanager
def busy(database: Database, answers: Iterator[bool]) -> Iterator[None]:
    """A database that is busy as often as ``answers`` says so."""
    read = database.read

    @asynccontextmanager
    async def sometimes(**options: Any) -> AsyncIterator[Any]:
        if next(answers):
            raise DatabaseBusyError
        async with read(**options) as connection:
            yield connection

    database.read = sometimes  # type: ignore[method-assign]
    yield
    database.read = read  # type: ignore[method-assign]


async def test_a_busy_database_does_not_cut_an_export_short(
    app: FastAPI, public: httpx.AsyncClient, tmp_path: Path
) -> None:
    chance = Random(1)
    async with exporting(app, [tmp_path]):
        with busy(app.state.database, iter(lambda: chance.random() < 0.3, None)):
            assert len(lines(await public.get(EXPORT))) > 20


async def test_readers_get_the_last_export_while_no_new_one_can_be_built(
    app: FastAPI, public: httpx.AsyncClient, admin: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with exporting(app, [tmp_path], fresh_seconds=0.0, wait_seconds=1.0):
        first = await public.get(EXPORT)
        await rename(admin, "RENAMED")
        with busy(app.state.database, iter(lambda: True, None)):
            assert (await public.get(EXPORT)).content == first.content
        # The background work tries again after a pause.
        await asyncio.sleep(0.5)
        assert acronym(lines(await public.get(EXPORT))) == "RENAMED"


async def test_a_folder_that_cannot_be_written_is_replaced_by_the_next(
    app: FastAPI, public: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with exporting(app, [tmp_path / "missing", tmp_path]):
        assert len(lines(await public.get(EXPORT))) > 20


async def test_a_reader_keeps_the_file_that_it_began_to_read(
    app: FastAPI, public: httpx.AsyncClient, admin: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with exporting(app, [tmp_path], fresh_seconds=0.0):
        await public.get(EXPORT)
        [build] = app.state.export._builds.values()
        chunks = build.file.chunks()
        first = await anext(chunks)
        await rename(admin, "RENAMED")
        await public.get(EXPORT)
        [newer] = app.state.export._builds.values()
        assert newer is not build
        assert len(first + b"".join([chunk async for chunk in chunks])) == build.file.size
        handle = build.file._file
        del build, newer, chunks
        await until(lambda: handle.closed)
