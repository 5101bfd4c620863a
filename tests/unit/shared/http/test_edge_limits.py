"""Each limit of the interface at its boundary: the largest allowed value is accepted, one more is refused."""

import asyncio
import importlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Body, Depends, FastAPI, Query
from fastapi.routing import APIRoute

from shared.access.policy import Access
from shared.http import marks, strict_request
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepted, accepts
from shared.operations.service import create_service
from shared.persistence.request_scope import current_request
from shared.settings import ServiceSettings
from tests.conftest import client_of

pytestmark = pytest.mark.anyio

Anyone = Annotated[Access, Depends(allow("criteria", "execute"))]
KIB, MIB = 1024, 1024 * 1024


def service() -> FastAPI:
    router = APIRouter(route_class=ApiRoute)

    @router.post("/x")
    async def take(given: Annotated[dict[str, Any], Body()], access: Anyone) -> None: ...

    @router.post("/short-deadline")
    @accepts(body_seconds=0.1)
    async def short_deadline(given: Annotated[dict[str, Any], Body()], access: Anyone) -> None: ...

    @router.get("/x")
    async def ask(access: Anyone, q: Annotated[str, Query()] = "") -> None: ...

    @router.get("/statement")
    async def statement(access: Anyone) -> float | None:
        request = current_request()
        return None if request is None else request.statement_seconds

    @asynccontextmanager
    async def nothing(_app: FastAPI) -> AsyncIterator[None]:
        yield

    return create_service("registry", ServiceSettings(), [router], nothing, "A service of this test.")


@pytest.fixture
async def caller() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(service()) as client:
        yield client


def nested(levels: int) -> str:
    """Return nested objects and lists; ``depth`` includes the outermost."""
    return '{"a":' * (levels - 1) + "[]" + "}" * (levels - 1)


def valued(count: int) -> str:
    """Return a body with this many values, itself included, in lists of the maximum length."""
    lists = []
    left = count - 2
    while left > 0:
        size = min(900, left - 1)
        lists.append([0] * size)
        left -= size + 1
    return json.dumps({"a": lists})


def sized(size: int) -> str:
    frame = len('{"a": []}')
    return '{"a": [' + " " * (size - frame) + "]}"


EDGES: list[tuple[str, str, str, int, str]] = [
    ("depth", nested(32), nested(33), 400, "too_deep"),
    ("values", valued(10_000), valued(10_001), 400, "too_many_values"),
    ("integer", f'{{"a": {2**53 - 1}}}', f'{{"a": {2**53}}}', 400, "number_too_large"),
    ("negative", f'{{"a": {1 - 2**53}}}', f'{{"a": {-(2**53)}}}', 400, "number_too_large"),
    ("string", json.dumps({"a": "é" * 10_000}), json.dumps({"a": "é" * 10_001}), 400, "string_too_long"),
    ("key", json.dumps({"k" * 10_000: 1}), json.dumps({"k" * 10_001: 1}), 400, "string_too_long"),
    ("array", json.dumps({"a": [1] * 1_000}), json.dumps({"a": [1] * 1_001}), 400, "array_too_long"),
    ("body", sized(MIB), sized(MIB + 1), 413, "too_large"),
]


@pytest.mark.parametrize(
    ("fits", "does_not", "status", "code"), [one[1:] for one in EDGES], ids=[one[0] for one in EDGES]
)
async def test_a_body_at_its_limit(caller: httpx.AsyncClient, fits: str, does_not: str, status: int, code: str) -> None:
    headers = {"Content-Type": "application/json"}
    assert (await caller.post("/x", content=fits, headers=headers)).status_code == 200
    refused = await caller.post("/x", content=does_not, headers=headers)
    assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")
    assert code in {refused.json()["code"], *(one["code"] for one in refused.json()["errors"])}


async def test_an_address_and_headers_at_their_limits(caller: httpx.AsyncClient) -> None:
    room = 8 * KIB - len("/x") - len("q=")
    assert (await caller.get("/x?q=" + "a" * room)).status_code == 200
    assert (await caller.get("/x?q=" + "a" * (room + 1))).status_code == 414
    bare = sum(
        len(name) + len(value) + 4
        for name, value in caller.build_request("GET", "/x", headers={"X-Much": ""}).headers.raw
    )
    room = 16 * KIB - bare
    assert (await caller.get("/x", headers={"X-Much": "a" * room})).status_code == 200
    refused = await caller.get("/x", headers={"X-Much": "a" * (room + 1)})
    assert (refused.status_code, refused.json()["code"]) == (431, "headers_too_large")


async def _stalling(parts: list[bytes], seconds: float) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
        await asyncio.sleep(seconds)


async def test_a_body_that_does_not_arrive_in_time(caller: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"Content-Type": "application/json"}
    trickle = await caller.post(
        "/short-deadline", content=_stalling([b'{"a"', *[b" "] * 50, b":1}"], 0.02), headers=headers
    )
    assert (trickle.status_code, trickle.json()["code"], trickle.headers["connection"]) == (
        408,
        "body_timed_out",
        "close",
    )
    monkeypatch.setattr(strict_request, "BODY_SECONDS", 0.05)
    stalled = await caller.post("/x", content=_stalling([b'{"a"', b":1}"], 0.5), headers=headers)
    assert stalled.status_code == 408


async def test_a_request_s_statements_have_an_end(caller: httpx.AsyncClient) -> None:
    assert (await caller.get("/statement")).json() == 5.0
    assert current_request() is None, "other work is not cut"


def routes_of(service: str) -> dict[str, Any]:
    app = importlib.import_module(f"services.{service}.app").create_app()
    return {
        f"{method} {route.path}": accepted(route.endpoint)
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }


def test_the_limits_of_each_resource() -> None:
    match, registry = routes_of("matching"), routes_of("registry")
    takes = match["POST /matching/v1/match"]
    sizes = [takes.most_bytes(one) for one in ("application/json", "application/fhir+json", "application/x-ndjson")]
    assert (sizes, takes.seconds) == ([4 * MIB, 4 * MIB, 16 * MIB], 2.0)
    for method, path in (("PUT", ""), ("PATCH", ""), ("PUT", "/criteria")):
        assert registry[f"{method} /registry/v1/trials/{{identifier}}{path}"].body_bytes == MIB
    assert marks.BODY_SECONDS == 15
    assert marks.HANDLER_SECONDS == 10


@pytest.mark.parametrize("service", ["registry", "matching", "notifications"])
def test_no_route_takes_more_or_longer_than_it_may(service: str) -> None:
    """Only bulk uploads, records of patients and protocols are larger; only a stream or a long poll has no end."""
    for name, takes in routes_of(service).items():
        bulk = ("/registry/v1/sources/{source}/trials", "/registry/v1/sources/partner:{network}/trials")
        files = ("/registry/v1/internal/terminology/releases", "/registry/v1/internal/geography/files")
        if name in {*(f"PUT {one}" for one in bulk), *(f"POST {one}" for one in files)}:
            continue
        is_large = name in {
            "POST /registry/v1/submissions/usdm",
            "POST /matching/v1/match",
            "POST /matching/v1/patients/read",
            "POST /matching/v1/criteria/dry-run",
            "POST /fhir/ResearchStudy/$match",
            "POST /cds-services/trials",
        }
        assert takes.body_bytes <= (5 * MIB if is_large else MIB + 256 * KIB), name
        assert takes.body_seconds == 15, name
        if takes.seconds is None:
            assert name.partition(" ")[0] == "GET", name
            assert name.endswith(("/feed", "/export", "/backup", "/jobs/{job}/results")), name
        else:
            assert takes.seconds <= 10, name
