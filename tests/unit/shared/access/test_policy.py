from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI

from shared.access import Principal, Role
from shared.access.policy import Access, Action, decide
from shared.access.principal import ROLES
from shared.http.guards import allow
from shared.http.route import ApiRoute
from shared.http.route_checks import UnguardedRouteError
from shared.operations.service import create_service
from shared.settings import ServiceSettings
from tests.conftest import ADMIN, INTERNAL, client_of, token_of

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def nothing(_app: FastAPI) -> AsyncIterator[None]:
    yield


def service(*routers: APIRouter) -> FastAPI:
    return create_service("registry", ServiceSettings(), routers, nothing, "A service of this test.")


def test_a_route_without_a_policy_stops_the_start() -> None:
    router = APIRouter(route_class=ApiRoute)

    @router.get("/open")
    async def handler() -> dict[str, str]:
        return {}

    with pytest.raises(UnguardedRouteError, match="/open"):
        service(router)


def test_a_policy_that_is_not_in_the_table_cannot_be_named() -> None:
    with pytest.raises(LookupError):
        allow("trial", "execute")


def test_a_policy_that_is_not_in_the_table_denies() -> None:
    assert decide(Principal("public", on_loopback=True, closed=True), "write", "trial") is None
    assert decide(Principal("service", on_loopback=True, closed=True), "write", "trial") is None
    assert decide(Principal("service", on_loopback=True, closed=True), "execute", "match") is None
    assert decide(Principal("service"), "read", "backup") is None


def test_a_right_needs_kind_role_and_scope() -> None:
    def coordination(*roles: Role, scopes: frozenset[str] | None = None) -> Principal:
        return Principal("coordination", organisation="c", roles=frozenset(roles), scopes=scopes)

    assert decide(coordination("editor"), "write", "trial") is not None
    assert decide(coordination("auditor"), "write", "trial") is None
    assert decide(coordination("editor", scopes=frozenset({"trial.write"})), "write", "trial") is not None
    assert decide(coordination("editor", scopes=frozenset({"trial.read"})), "write", "trial") is None


def test_a_caller_without_a_scope_still_reads_public_data() -> None:
    limited = Principal(
        "coordination", organisation="c", roles=frozenset({"editor"}), scopes=frozenset({"trial.write"})
    )
    grant = decide(limited, "read", "trial")
    assert grant is not None
    assert grant.rows == "published"
    assert Access(limited, grant.rows).audiences == {"public", "organisation:c"}


def test_a_match_without_a_token_needs_an_installation_that_listens_only_on_loopback() -> None:
    assert decide(Principal("public", on_loopback=True, closed=True), "execute", "match") is not None
    assert decide(Principal("public", on_loopback=True), "execute", "match") is None
    for kind in ("sponsor", "network", "association", "authority"):
        near = Principal(kind, on_loopback=True, closed=True, organisation="x", roles=frozenset(ROLES))
        assert decide(near, "execute", "match") is None


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (None, 401),
        ("wrong", 401),
        (INTERNAL, 403),
        (ADMIN, 200),
        (token_of("coordination", "auditor"), 403),
        (token_of("coordination", "editor", scopes=["trial.read"]), 403),
        (token_of("hospital", "admin", "editor", "system"), 403),
    ],
)
async def test_a_write_needs_the_right_to_it(token: str | None, status: int) -> None:
    router = APIRouter(route_class=ApiRoute)

    @router.delete("/x")
    async def handler(access: Annotated[Access, Depends(allow("trial", "write"))]) -> dict[str, str]:
        return {}

    async with client_of(service(router), token=token) as caller:
        answer = await caller.delete("/x")
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("address", "forwarded", "near"),
    [
        ("127.0.0.1", None, True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "203.0.113.9", False),
        ("203.0.113.9", None, False),
        ("203.0.113.9", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1, 203.0.113.9", False),
    ],
)
async def test_the_address_of_a_caller_comes_only_from_the_gateway(
    address: str, forwarded: str | None, near: bool
) -> None:
    router = APIRouter(route_class=ApiRoute)

    @router.get("/x")
    async def handler(access: Annotated[Access, Depends(allow("backup", "read"))]) -> dict[str, str]:
        return {}

    async with client_of(service(router), token=INTERNAL, address=address) as caller:
        answer = await caller.get("/x", headers={"X-Forwarded-For": forwarded} if forwarded else {})
    assert answer.status_code == (200 if near else 403)


@pytest.mark.parametrize(
    ("token", "right", "named"),
    [
        (token_of("sponsor", "system"), ("match", "execute"), "hospital, centre, coordination"),
        (token_of("hospital", "admin"), ("source", "write"), "coordination"),
        (token_of("hospital", "editor"), ("match", "execute"), "clinician, system"),
        (token_of("hospital", "system", scopes=["trial.read"]), ("match", "execute"), "match.execute"),
    ],
)
async def test_a_refusal_names_the_missing_right_and_the_role_that_can_grant_it(
    token: str, right: tuple[str, Action], named: str
) -> None:
    router = APIRouter(route_class=ApiRoute)

    @router.get("/x")
    async def handler(access: Annotated[Access, Depends(allow(*right))]) -> dict[str, str]:
        return {}

    async with client_of(service(router), token=token) as caller:
        answer = await caller.get("/x", headers={"Accept-Language": "en"})
        french = (await caller.get("/x", headers={"Accept-Language": "fr"})).json()["detail"]
    assert answer.status_code == 403
    for detail in (answer.json()["detail"], french):
        assert named in detail
        assert ".".join(right) in detail
    assert "administrator" in answer.json()["detail"] or "coordination" in answer.json()["detail"]
