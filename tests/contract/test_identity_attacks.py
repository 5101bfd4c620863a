"""Attacks on identity: forged addresses, busy writers, suspensions in progress, lost keys."""

import asyncio
import base64
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import pytest
from fastapi import APIRouter, Depends

from services.registry.identity.tokens.repository import IssuerRepository
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute
from shared.operations.service import create_service
from shared.settings import ServiceSettings
from tests.conftest import client_of, new_database
from tests.contract.network import ORGANISATIONS, Network, running_network
from tests.contract.registry import running_registry
from tests.unit.shared.access.test_policy import nothing

pytestmark = pytest.mark.anyio

ME = "/registry/v1/me"


async def test_a_caller_without_rights_waits_for_no_writer(stocked_file: Path, tmp_path: Path) -> None:
    """It is refused before it takes the write lock, so that it cannot block others."""
    shutil.copyfile(stocked_file, tmp_path / "registry.db")
    async with (
        running_network(f"sqlite:///{tmp_path / 'registry.db'}") as network,
        network.app.state.database.transaction(),
        client_of(network.app) as stranger,
    ):
        answers = await asyncio.gather(
            *(stranger.put(f"{ORGANISATIONS}/mine-{n}", json={}, headers={"If-Match": "*"}) for n in range(20))
        )
    assert {answer.status_code for answer in answers} == {401}


async def test_no_client_or_member_is_added_while_an_organisation_is_suspended(
    postgres: str, stocked_database: str
) -> None:
    """The suspension has revoked all credentials and waits for its commit: a client created now must not escape it."""
    with new_database(postgres, stocked_database) as url:
        async with running_network(url) as network:
            name = await network.organisation()
            admin = (await network.client(name, "admin"))["key"]
            blocker = await asyncpg.connect(url)
            turn = blocker.transaction()
            await turn.start()
            await blocker.execute("SELECT seq FROM feed_head FOR UPDATE")
            document = {"kind": "hospital", "name": name, "status": "suspended"}
            suspending = asyncio.create_task(
                network.call("PUT", f"{ORGANISATIONS}/{name}", network.admin, json=document, headers={"If-Match": "*"})
            )
            await asyncio.sleep(0.5)
            person = {"issuer": "https://login.example", "subject": "s", "roles": ["dpo"]}
            joining = [
                asyncio.create_task(network.call("POST", f"{ORGANISATIONS}/{name}/{what}", who, json=body))
                for who in (network.admin, admin)
                for what, body in (("clients", {"name": "x", "method": "api_key", "scopes": []}), ("members", person))
            ]
            await asyncio.sleep(0.3)
            await turn.rollback()
            await blocker.close()
            assert (await suspending).status_code == 200
            statuses = [answer.status_code for answer in await asyncio.gather(*joining)]
            # The organisation's own administrator is refused for the suspension, or already for a revoked key.
            assert statuses[:2] == [409, 409]
            assert set(statuses[2:]) <= {401, 409}


@pytest.mark.parametrize(
    ("public_url", "near"),
    [
        ("", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost:8080", True),
        ("https://cleio.example", False),
        ("https://192.0.2.7", False),
    ],
)
async def test_behind_a_proxy_on_this_machine_no_caller_counts_as_local(public_url: str, near: bool) -> None:
    """A TLS proxy on the same machine makes every caller look local: with a public address, loopback gives no right."""
    async with client_of(service_at(public_url)) as caller:
        answer = await caller.get("/x", headers={"X-Forwarded-For": "127.0.0.1"})
    assert answer.status_code == (200 if near else 401)


def service_at(public_url: str) -> Any:
    router = APIRouter(route_class=ApiRoute)

    @router.get("/x")
    async def handler(access: Annotated[Access, Depends(allow("match", "execute"))]) -> dict[str, str]:
        return {}

    return create_service(
        "matching", ServiceSettings(CLEIO_PUBLIC_URL=public_url), [router], nothing, "A service of this test."
    )


async def test_the_last_of_two_forwarded_addresses_counts() -> None:
    """A header sent by the client comes before the one of the proxy."""
    app = service_at("")
    async with client_of(app) as caller:
        for first, second, status in (("127.0.0.1", "203.0.113.9", 401), ("203.0.113.9", "127.0.0.1", 200)):
            answer = await caller.get("/x", headers=[("X-Forwarded-For", first), ("X-Forwarded-For", second)])
            assert answer.status_code == status


async def test_used_assertions_are_deleted_in_small_batches(network: Network) -> None:
    signer = await network.signer(await network.organisation())
    for age in (100, 400):
        async with network.app.state.database.transaction() as connection:
            for number in range(25):
                await connection.exec_driver_sql(
                    "INSERT INTO used_assertions (client, jti, forget_at) VALUES "
                    f"('{signer.client}', '{age}-{number}', '2020-01-01T00:00:{age // 10:02d}.000000Z')"
                )
    assert (await network.ask(signer.assertion(jti="kept"))).status_code == 200
    async with network.app.state.database.transaction() as connection:
        assert await IssuerRepository(connection).delete_used_assertions(datetime.now(UTC), 40) == 40
        assert await IssuerRepository(connection).delete_used_assertions(datetime.now(UTC), 40) == 10
    assert (await network.ask(signer.assertion(jti="kept"))).status_code == 401


async def test_the_issuer_continues_with_another_installation_key(
    stocked_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key encrypted with a lost key signs no more; the tokens that it signed stay valid."""
    shutil.copyfile(stocked_file, tmp_path / "registry.db")
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    async with running_network(url) as network:
        signer = await network.signer(await network.organisation())
        former = await network.token(signer)
    monkeypatch.setenv("CLEIO_CURSOR_KEY", base64.b64encode(bytes(range(1, 65))).decode())
    async with running_registry(url) as app:
        network.app = app
        latter = await network.token(signer)
        for token in (former, latter):
            assert (await network.call("GET", ME, token)).status_code == 200
        states = sorted(row.state for row in await network.rows("SELECT state FROM signing_keys"))
        assert states == ["active", "next", "retired", "retired"]


async def test_without_a_builtin_issuer_there_is_no_discovery_document(
    stocked_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(stocked_file, tmp_path / "registry.db")
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    async with running_network(url) as network:
        token = await network.token(await network.signer(await network.organisation()))
    monkeypatch.setenv("CLEIO_BUILTIN_ISSUER", "false")
    async with running_registry(url) as app:
        network.app = app
        for path in ("oauth-authorization-server", "smart-configuration"):
            assert (await network.call("GET", f"/.well-known/{path}")).status_code == 404
        assert (
            await network.call("POST", "/oauth/token", data={"grant_type": "client_credentials"})
        ).status_code == 404
        assert (await network.call("GET", ME, token)).status_code == 401
        assert (await network.call("GET", ME, network.admin)).status_code == 200
