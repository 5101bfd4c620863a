"""A matching service for one test, with a connection to a real registry that the test can interrupt."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from services.matching.app import create_app
from services.matching.settings import MatchingSettings
from services.matching.snapshots.model import SnapshotTrial
from shared.clients.internal import InternalClient
from tests.conftest import INTERNAL

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
MATCH = "/matching/v1/match"
DEMO = "CLEIO-DEMO-0002"
BOY = {"as_of": "2025-11-22", "birth_date": "2021-12-20"}
FACT = {"id": "f", "kind": "condition", "codes": ["ORPHA:98896"]}
CRITERIA: dict[str, Any] = {
    "trial": "CLEIO-TEST-0001",
    "grade": "signed",
    "authored_by": "A. Martin",
    "signed_by": "B. Petit",
    "signed_by_rpps": "10001234565",
    "source_version": "protocol 1.0",
    "signed_at": "2025-11-01T09:00:00Z",
    "criteria": [
        {
            "id": "I1",
            "kind": "include",
            "role": "indication",
            "text": {"fr": "Duchenne", "en": "Duchenne"},
            "expr": {"type": "has", "codes": ["ORPHA:98896"]},
        },
        {
            "id": "I2",
            "kind": "include",
            "text": {"fr": "4 à 7 ans", "en": "4 to 7 years"},
            "expr": {"type": "age", "min": "P4Y", "max": "P8Y"},
        },
    ],
}


class Line(httpx.AsyncBaseTransport):
    """The network between matching and a registry in this process: it can be down, or cut an export short."""

    def __init__(self, registry: FastAPI) -> None:
        self._transport = httpx.ASGITransport(registry, client=("127.0.0.1", 1))  # type: ignore[arg-type]
        self.up = True
        self.keep_of_export: Callable[[bytes], bytes] | None = None
        self.paths: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.up:
            raise httpx.ConnectError("the line is down")
        self.paths.append(request.url.path)
        response = await self._transport.handle_async_request(request)
        if self.keep_of_export is not None and request.url.path.endswith("/export"):
            return httpx.Response(response.status_code, content=self.keep_of_export(await response.aread()))
        return response


@asynccontextmanager
async def running_matching(
    line: Line, *, data_dir: Path | None = None, persist_every: float = 0.05
) -> AsyncIterator[FastAPI]:
    """Start the service; its snapshots are in ``data_dir`` (default: the folder of the test)."""
    settings = MatchingSettings(feed_wait=1, persist_every=persist_every)
    if data_dir is not None:
        settings = settings.model_copy(update={"data_dir": data_dir})
    app = create_app(settings, InternalClient("http://registry", INTERNAL, line))
    async with app.router.lifespan_context(app):
        yield app


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until a condition becomes true."""
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def until_loaded(app: FastAPI) -> None:
    await until(lambda: app.state.snapshots.loaded is not None)


def example(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return document


def found(answer: dict[str, Any], trial: str) -> dict[str, Any]:
    return next(one for one in answer["results"] if one["trial"] == trial)


def held(app: FastAPI, number: str) -> SnapshotTrial | None:
    """Return a trial of the present snapshot by its preferred public number."""
    trials = app.state.snapshots.current.trials.values()
    return next((one for one in trials if one.record.trial.identifier == number), None)


async def declare(curator: httpx.AsyncClient, trial: str, centre: str, status: str, places: int) -> None:
    answer = await curator.put(
        f"/registry/v1/trials/{trial}/sites/{centre}",
        json={"status": status, "slots": [{"cohort": "1", "open": places}]},
        headers={"If-Match": "*"},
    )
    assert answer.status_code == 200, answer.text
