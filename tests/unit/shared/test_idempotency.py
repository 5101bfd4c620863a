from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request

from shared.access import Principal
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute
from shared.http.route_checks import UnkeyedRouteError
from shared.idempotency import idempotent, repeatable
from shared.idempotency.keys import _claim
from shared.operations.service import create_service
from shared.settings import ServiceSettings
from shared.values.wire import ApiModel

pytestmark = pytest.mark.anyio

Writer = Annotated[Access, Depends(allow("centre", "write"))]
Reckoner = Annotated[Access, Depends(allow("criteria", "execute"))]


class Made(ApiModel):
    id: str
    secret: str
    note: str | None = None


@asynccontextmanager
async def nothing(_app: FastAPI) -> AsyncIterator[None]:
    yield


def start(*routers: APIRouter) -> None:
    create_service("registry", ServiceSettings(), routers, nothing, "A service of this test.")


def test_a_post_that_writes_declares_its_behaviour_on_repetition() -> None:
    router = APIRouter(route_class=ApiRoute)

    @router.post("/things")
    async def make(access: Writer) -> None: ...

    with pytest.raises(UnkeyedRouteError, match="/things"):
        start(router)


def test_a_route_with_a_declaration_or_without_a_write_starts() -> None:
    router = APIRouter(route_class=ApiRoute)

    @router.post("/a")
    @idempotent()
    async def make(access: Writer) -> None: ...

    @router.post("/b")
    @repeatable("it is a test")
    async def again(access: Writer) -> None: ...

    @router.post("/c")
    async def reckon(access: Reckoner) -> None: ...

    @router.put("/d")
    async def put(access: Writer) -> None: ...

    start(router)


@pytest.mark.parametrize("field", ["secret", "nothing"])
def test_a_secret_can_be_left_out_of_the_stored_answer(field: str) -> None:
    router = APIRouter(route_class=ApiRoute)

    @router.post("/things", response_model=Made)
    @idempotent(shown_once=[field])
    async def make(access: Writer) -> None: ...

    with pytest.raises(UnkeyedRouteError, match=field):
        start(router)


def request_of(path: str = "/things", query: bytes = b"", body: bytes = b'{"a": 1}') -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"idempotency-key", b"a-key-of-this-test")]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": query, "headers": headers}
    return Request(scope, receive)


def owner(organisation: str | None, client: str | None) -> Principal:
    return Principal("coordination", organisation=organisation, client=client)


async def test_a_key_belongs_to_one_client_of_one_organisation_on_one_route() -> None:
    one = await _claim(request_of(), owner("chu-a", "ehr"), "/things")
    assert (await _claim(request_of(), owner("chu-a", "ehr"), "/things")).id == one.id
    others = [
        await _claim(request_of(), owner("chu-b", "ehr"), "/things"),
        await _claim(request_of(), owner("chu-a", "lab"), "/things"),
        await _claim(request_of(), owner("chu-a", None), "/things"),
        await _claim(request_of(), owner(None, "ehr"), "/things"),
        await _claim(request_of(), owner("chu-a", "ehr"), "/others"),
    ]
    assert len({one.id, *(other.id for other in others)}) == 6


async def fingerprint(query: bytes, body: bytes, path: str = "/things") -> str:
    return (await _claim(request_of(path, query, body), owner("a", None), "/things")).fingerprint


async def test_the_fingerprint_depends_on_the_content_and_not_on_its_notation() -> None:
    one = await fingerprint(b"m=1&n=2", b'{"a": 1, "b": ["x"]}')
    assert await fingerprint(b"n=2&m=1", b'{"b":["\\u0078"],"a":1}') == one
    for query, body, path in (
        (b"m=1&n=2", b'{"a": 1, "b": ["y"]}', "/things"),
        (b"m=1&n=3", b'{"a": 1, "b": ["x"]}', "/things"),
        (b"m=1&n=2", b'{"a": 1, "b": ["x"]}', "/things/1"),
        (b"m=1&n=2", b"", "/things"),
    ):
        assert await fingerprint(query, body, path) != one
