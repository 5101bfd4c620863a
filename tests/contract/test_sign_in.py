"""Sessions of the portal, and demonstration users: what ends a session, and what never begins one."""

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.portal.clients.api import Api
from services.portal.sessions.model import Tokens
from services.portal.sessions.service import SessionLimits, Sessions
from tests.conftest import INTERNAL, client_of, installation_at, new_database
from tests.contract.network import Network
from tests.contract.portal import COOKIE, Visitor, running_portal
from tests.contract.registry import running_registry

pytestmark = pytest.mark.anyio
USERS = "/registry/v1/internal/demonstration-users"


@pytest.fixture(scope="module")
async def registry(stocked_file: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    folder = tmp_path_factory.mktemp("registry")
    shutil.copyfile(stocked_file, folder / "registry.db")
    with installation_at(folder / "var"):
        async with running_registry(f"sqlite:///{folder / 'registry.db'}") as app:
            yield app


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def portal(
    request: pytest.FixtureRequest, registry: FastAPI, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    """One portal for the tests of this module, on each kind of database; each test has visitors of its own."""
    folder = tmp_path_factory.mktemp("portal")
    with installation_at(folder / "var"), ExitStack() as stack:
        url = f"sqlite:///{folder / 'portal.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(new_database(request.getfixturevalue("postgres")))
        async with running_portal(url, registry) as app:
            yield app


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'portal.db'}"


async def test_a_session_begins_with_a_new_id_and_ends_for_good(portal: FastAPI) -> None:
    async with Visitor(portal) as thief, Visitor(portal) as visitor:
        # An id that somebody else chose is not taken over.
        visitor.cookies.set(COOKIE, "chosen-by-somebody-else", domain="test.local")
        entered = await visitor.sign_in("clinician", back="/about?x=1")
        assert (entered.status_code, entered.headers["location"]) == (303, "/about?x=1")
        first = visitor.session
        assert first is not None
        assert first != "chosen-by-somebody-else"
        page = await visitor.get("/about")
        assert "Se déconnecter" in page.text
        assert page.headers["cache-control"] == "no-store"
        # Signing in again ends the former session.
        await visitor.sign_in("sponsor")
        assert visitor.session != first
        thief.cookies.set(COOKIE, first, domain="test.local")
        assert not await thief.is_signed_in()
        # Signing out ends the session on the server, not only in the browser.
        stolen = visitor.session or ""
        out = await visitor.submit("/sign-out")
        assert "Vous êtes déconnecté" in out.text
        assert visitor.session is None
        thief.cookies.set(COOKIE, stolen, domain="test.local")
        assert not await thief.is_signed_in()


@pytest.mark.parametrize(("idle", "longest"), [(0.4, 60.0), (60.0, 0.4)])
async def test_a_session_ends_unused_or_old(file_url: str, registry: FastAPI, idle: float, longest: float) -> None:
    limits = {"session_idle_seconds": idle, "session_seconds": longest}
    async with running_portal(file_url, registry, **limits) as app, Visitor(app) as visitor:
        await visitor.sign_in("clinician")
        assert await visitor.is_signed_in()
        await asyncio.sleep(0.5)
        page = await visitor.get("/about")
        assert "Se connecter" in page.text
        assert visitor.session is None  # the browser is told to forget it


async def test_a_session_of_another_installation_is_none(file_url: str, registry: FastAPI) -> None:
    async with running_portal(file_url, registry) as app, Visitor(app) as visitor:
        await visitor.sign_in("clinician")
        found = visitor.session or ""
    other = SecretStr(base64.b64encode(bytes(64)).decode())
    async with running_portal(file_url, registry, cursor_key=other) as app, Visitor(app) as visitor:
        visitor.cookies.set(COOKIE, found, domain="test.local")
        assert not await visitor.is_signed_in()


async def test_a_form_of_another_site_is_refused(portal: FastAPI) -> None:
    async with Visitor(portal) as visitor:
        foreign = await visitor.post("/sign-in/demonstration/clinician", headers={"Origin": "https://evil.example"})
        assert (foreign.status_code, visitor.session) == (403, None)
        await visitor.sign_in("clinician")
        for headers, fields in (
            ({}, {"csrf": ""}),
            ({}, {"csrf": "wrong"}),
            ({"Origin": "https://evil.example"}, {}),
            ({"Origin": "null"}, {}),
            ({"Sec-Fetch-Site": "cross-site"}, {}),
            ({"Sec-Fetch-Site": "same-site"}, {}),
        ):
            answer = await visitor.submit("/sign-out", headers=headers, **fields)
            assert answer.status_code == 403, (headers, fields)
            assert await visitor.is_signed_in()
        assert (await visitor.get("/sign-out")).status_code == 303  # an address alone signs nobody out
        assert await visitor.is_signed_in()


async def test_signing_in_never_leads_to_another_site(portal: FastAPI) -> None:
    async with Visitor(portal) as visitor:
        for back in (
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "javascript:alert(1)",
            "/about\r\nSet-Cookie: a=b",
            "/a@evil.example",
            "/sign-out",
            "about",
        ):
            assert (await visitor.sign_in("clinician", back=back)).headers["location"] == "/workspace", back


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({"gateway_bind": "0.0.0.0"}, "127.0.0.1"),
        ({"public_url": "https://cleio.example"}, "127.0.0.1"),
        ({"public_url": "http://cleio.example"}, "127.0.0.1"),
        ({}, "192.0.2.7"),
    ],
)
async def test_there_is_no_demonstration_where_other_machines_can_call(
    file_url: str, registry: FastAPI, settings: dict[str, str], address: str
) -> None:
    async with running_portal(file_url, registry, **settings) as app, Visitor(app, address) as visitor:
        page = await visitor.get("/sign-in")
        assert (page.status_code, "émonstration" in page.text) == (200, False)
        posted = await visitor.sign_in("clinician")
        assert (posted.status_code, "émonstration" in posted.text) == (404, False)
        assert "set-cookie" not in posted.headers


async def test_the_registry_itself_refuses_demonstration_tokens_to_others(network: Network) -> None:
    async with client_of(network.app, token=INTERNAL) as service:
        assert (await service.get(USERS)).status_code == 200
        assert (await service.post(f"{USERS}/nobody/tokens")).status_code == 404
        # Forwarded from another machine: a portal behind a gateway says so.
        elsewhere = {"X-Forwarded-For": "192.0.2.7"}
        assert (await service.post(f"{USERS}/clinician/tokens", headers=elsewhere)).status_code == 403
    for token in (None, network.admin):
        assert (await network.call("POST", f"{USERS}/clinician/tokens", token)).status_code in {401, 404}


async def test_demonstration_users_have_the_rights_of_their_roles_and_are_different_people(network: Network) -> None:
    seen = {}
    async with client_of(network.app, token=INTERNAL) as service:
        users = [user["id"] for user in (await service.get(USERS)).json()["items"]]
        for user in users:
            token = (await service.post(f"{USERS}/{user}/tokens")).json()["access_token"]
            seen[user] = (await network.call("GET", "/registry/v1/me", token)).json()
    assert {me["kind"] for me in seen.values()} == {
        "hospital", "centre", "sponsor", "coordination", "authority", "network", "association",
    }  # fmt: skip
    assert {user: me["human"] for user, me in seen.items()} == {user: f"demo:{user}" for user in users}
    first, second = seen["coordination"], seen["coordination-2"]
    assert first["organisation"] == second["organisation"]
    assert first["roles"] == second["roles"] == ["editor", "validator"]


async def test_concurrent_requests_renew_the_tokens_once(portal: FastAPI) -> None:
    sessions: Sessions = portal.state.sessions
    tokens = await portal.state.sign_in.demonstration.tokens("clinician")
    renewed = 0

    async def renew(given: Tokens) -> Tokens:
        nonlocal renewed
        renewed += 1
        await asyncio.sleep(0.02)
        return replace(given, expires_at=tokens.expires_at, refresh="next")

    limits = SessionLimits(timedelta(minutes=1), timedelta(minutes=1))
    services = portal.state.services
    own = Sessions(
        sessions._database,
        b"k" * 64,
        limits,
        {"demonstration": renew},
        lambda token: Api(services, "fr", token=token),
    )
    identifier = await own.begin(replace(tokens, expires_at=0, refresh="first"))
    found = await asyncio.gather(*(own.find(identifier) for _ in range(5)))
    assert renewed == 1
    assert {one.secret.tokens.refresh for one in found if one is not None} == {"next"}
