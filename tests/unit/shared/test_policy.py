from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI

from shared.edge import EdgeRoute
from shared.identity import Principal
from shared.policy import TABLE, Access, UnguardedRouteError, allow, decide
from shared.service import create_service
from shared.settings import ServiceSettings
from tests.conftest import ADMIN, INTERNAL, client_of

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def nothing(_app: FastAPI) -> AsyncIterator[None]:
    yield


def service(*routers: APIRouter) -> FastAPI:
    return create_service("registry", ServiceSettings(), routers, nothing, "A service of this test.")


def test_a_route_without_a_policy_stops_the_start() -> None:
    router = APIRouter(route_class=EdgeRoute)

    @router.get("/open")
    async def handler() -> dict[str, str]:
        return {}

    with pytest.raises(UnguardedRouteError, match="/open"):
        service(router)


def test_a_policy_that_is_not_in_the_table_cannot_be_named() -> None:
    with pytest.raises(LookupError):
        allow("trial", "execute")


def test_what_is_not_in_the_table_is_denied() -> None:
    for resource, action in TABLE:
        for kind in ("public", "coordination", "service"):
            grant = decide(Principal(kind, on_loopback=False), action, resource)
            assert grant is None or not grant.loopback_only
    assert decide(Principal("public", on_loopback=True), "write", "trial") is None
    assert decide(Principal("service", on_loopback=True), "write", "trial") is None
    assert decide(Principal("coordination", on_loopback=False), "write", "trial") is None
    assert decide(Principal("coordination", on_loopback=True), "write", "trial") is not None
    assert decide(Principal("service", on_loopback=True), "execute", "match") is None


@pytest.mark.parametrize(
    ("token", "address", "forwarded", "status"),
    [
        (None, "127.0.0.1", None, 401),
        ("wrong", "127.0.0.1", None, 401),
        (INTERNAL, "127.0.0.1", None, 403),
        (ADMIN, "127.0.0.1", None, 200),
        (ADMIN, "127.0.0.1", "127.0.0.1", 200),
        (ADMIN, "127.0.0.1", "203.0.113.9", 403),
        (ADMIN, "203.0.113.9", None, 403),
        (ADMIN, "203.0.113.9", "127.0.0.1", 403),
        (ADMIN, "127.0.0.1", "127.0.0.1, 203.0.113.9", 403),
    ],
)
async def test_writes_are_taken_from_this_machine_with_the_administrators_token(
    token: str | None, address: str, forwarded: str | None, status: int
) -> None:
    router = APIRouter(route_class=EdgeRoute)

    @router.delete("/x")
    async def handler(access: Annotated[Access, Depends(allow("trial", "write"))]) -> dict[str, str]:
        return {}

    async with client_of(service(router), token=token, address=address) as caller:
        answer = await caller.delete("/x", headers={"X-Forwarded-For": forwarded} if forwarded else {})
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
