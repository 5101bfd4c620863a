"""A registry with tokens of an OpenID provider only: it issues and accepts none of its own; API keys still work."""

from pathlib import Path

import pytest

from tests.conftest import ADMIN, INTERNAL, client_of
from tests.contract.registry import running_registry

pytestmark = pytest.mark.anyio

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_the_builtin_issuer_is_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with (
        running_registry(f"sqlite:///{tmp_path / 'on.db'}", sample=False) as registry,
        client_of(registry, token=ADMIN) as admin,
    ):
        assert (await admin.get("/registry/v1/me")).status_code == 200
    monkeypatch.setenv("CLEIO_BUILTIN_ISSUER", "false")
    monkeypatch.setenv("CLEIO_OIDC_ISSUER", "https://idp.example")
    monkeypatch.setenv("CLEIO_OIDC_AUDIENCE", "urn:cleio:api")
    async with running_registry(f"sqlite:///{tmp_path / 'off.db'}", sample=False) as registry:
        async with client_of(registry) as public:
            assert (
                await public.post("/oauth/token", content=b"grant_type=client_credentials", headers=FORM)
            ).status_code == 404
            assert (await public.get("/.well-known/oauth-authorization-server")).status_code == 404
            assert (await public.get("/.well-known/smart-configuration")).status_code == 404
        async with client_of(registry, token=ADMIN) as own:
            assert (await own.get("/registry/v1/me")).status_code == 401
        async with client_of(registry, token=INTERNAL) as installer:
            made = await installer.post("/registry/v1/internal/administrators", json={"name": "first"})
        async with client_of(registry, token=made.json()["key"]) as admin:
            assert (await admin.get("/registry/v1/me")).json()["kind"] == "coordination"
