from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query
from pydantic import Field

from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.operations.service import create_service
from shared.settings import ServiceSettings
from shared.values.wire import ApiModel, Day
from tests.conftest import client_of

pytestmark = pytest.mark.anyio

Anyone = Annotated[Access, Depends(allow("criteria", "execute"))]
CANARY = "DUPONT-1.80.01.75.116.001"


class Given(ApiModel):
    count: int
    day: Day | None = None
    names: list[str] = Field(default_factory=list)


def service() -> FastAPI:
    router = APIRouter(route_class=ApiRoute)

    @router.post("/x")
    @accepts(body_bytes=1000)
    async def take(given: Given, access: Anyone) -> Given:
        return given

    @router.get("/x")
    async def ask(access: Anyone, n: Annotated[int, Query(ge=0)] = 0) -> dict[str, int]:
        return {"n": n}

    @router.get("/slow")
    @accepts(seconds=0.05)
    async def slow(access: Anyone) -> dict[str, int]:
        import asyncio

        await asyncio.sleep(5)
        return {}

    @router.get("/broken")
    async def broken(access: Anyone) -> dict[str, int]:
        raise RuntimeError(CANARY)

    @asynccontextmanager
    async def nothing(_app: FastAPI) -> AsyncIterator[None]:
        yield

    return create_service("registry", ServiceSettings(), [router], nothing, "A service of this test.")


@pytest.fixture
async def caller() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(service()) as client:
        yield client


BODIES = [
    (f'{{"count": "{CANARY}"}}', 422, "invalid_body", "/count"),
    ('{"count": true}', 422, "invalid_body", "/count"),
    ('{"count": 1.0}', 422, "invalid_body", "/count"),
    (f'{{"count": 1, "colour": "{CANARY}"}}', 422, "invalid_body", "/colour"),
    (f'{{"count": 1, "{CANARY}": 1}}', 422, "invalid_body", ""),
    ('{"count": 1, "day": "2026-02-30"}', 422, "invalid_body", "/day"),
    ('{"count": 1, "day": 20260101}', 422, "invalid_body", "/day"),
    ('{"count": 1, "day": "20260101"}', 422, "invalid_body", "/day"),
    ('{"count": 1, "names": [1]}', 422, "invalid_body", "/names/0"),
    ("{}", 422, "invalid_body", "/count"),
    ('{"count": NaN}', 400, "malformed_json", "/count"),
    ('{"count": 1, "count": 2}', 400, "malformed_json", ""),
    ("[" * 900, 400, "malformed_json", ""),
    (f'{{"count": {CANARY}}}', 400, "malformed_json", ""),
    ('{"count": 1, "names": ["' + "x" * 2000 + '"]}', 413, "too_large", None),
]


@pytest.mark.parametrize(("body", "status", "code", "pointer"), BODIES)
async def test_a_bad_body_is_a_problem_with_a_place_and_no_value(
    caller: httpx.AsyncClient, body: str, status: int, code: str, pointer: str | None
) -> None:
    answer = await caller.post("/x", content=body, headers={"Content-Type": "application/json"})
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:cleio:problem:{code}"
    assert problem["instance"] == f"urn:request:{answer.headers['x-request-id']}"
    assert [error["pointer"] for error in problem["errors"]] == ([] if pointer is None else [pointer])
    assert CANARY not in answer.text


async def test_a_body_of_unknown_length_is_counted_while_it_arrives(caller: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 100

    answer = await caller.post("/x", content=chunks(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/x?m=1", {}, 400),
        ("/x?n=1&n=2", {}, 400),
        ("/x?n=one", {}, 400),
        ("/x?n=-1", {}, 400),
        ("/x?n=" + "1" * 9000, {}, 414),
        ("/x", {"Accept": "text/html"}, 406),
        ("/x", {"Accept": "text/html, application/*;q=0.5"}, 200),
        ("/x", {"Accept": "application/json;q=0"}, 406),
        ("/x/", {}, 404),
        ("/nothing", {}, 404),
        ("/slow", {}, 503),
    ],
)
async def test_a_request_with_an_unsatisfiable_accept_is_refused_early(
    caller: httpx.AsyncClient, path: str, headers: dict[str, str], status: int
) -> None:
    answer = await caller.get(path, headers=headers)
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/x", "unknown parameter; possible ones: n"),
        ("/broken", "no parameter is accepted here"),
    ],
)
async def test_an_unknown_parameter_is_refused_with_the_possible_ones(
    caller: httpx.AsyncClient, path: str, detail: str
) -> None:
    answer = await caller.get(f"{path}?{CANARY}=1", headers={"Accept-Language": "en"})
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"pointer": "/query", "code": "unknown_parameter", "detail": detail}]


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/json; charset=latin-1", ""])
async def test_other_media_types_are_refused(caller: httpx.AsyncClient, media_type: str) -> None:
    answer = await caller.post("/x", content=b'{"count": 1}', headers={"Content-Type": media_type})
    assert answer.status_code == 415


async def test_an_unsupported_method_names_the_supported_ones(caller: httpx.AsyncClient) -> None:
    answer = await caller.delete("/x")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST", "of every route at this path"


async def test_an_unexpected_error_is_a_500_without_details(capsys: pytest.CaptureFixture[str]) -> None:
    async with client_of(service()) as caller:
        answer = await caller.get("/broken", headers={"X-Request-Id": "request-12345"})
    assert (answer.status_code, answer.json()["code"], answer.json()["instance"]) == (
        500,
        "internal",
        "urn:request:request-12345",
    )
    logged = capsys.readouterr().err
    assert "RuntimeError" in logged
    assert CANARY not in answer.text + logged


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("fr", "Contenu refusé"),
        ("en-GB, fr;q=0.5", "Content refused"),
        ("de", "Contenu refusé"),
        ("fr;q=0.1, en;q=x", "Contenu refusé"),
    ],
)
async def test_texts_are_in_the_callers_language(caller: httpx.AsyncClient, language: str, title: str) -> None:
    answer = await caller.post("/x", json={}, headers={"Accept-Language": language})
    assert answer.json()["title"] == title
