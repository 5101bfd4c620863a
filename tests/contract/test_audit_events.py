"""An organisation reads the audit entries of its own callers; the coordination reads all."""

import json
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from shared.access.principal import OrganisationKind, Role
from tests.conftest import ADMIN, client_of, token_of
from tests.contract.matching import Line, running_matching, until_loaded
from tests.contract.registry import running_registry

pytestmark = pytest.mark.anyio

BOY = json.loads((Path(__file__).parents[2] / "docs" / "examples" / "duchenne-boy.json").read_text(encoding="utf-8"))
PATCH = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}


def caller(app: FastAPI, kind: OrganisationKind, *roles: Role, organisation: str) -> httpx.AsyncClient:
    return client_of(app, token=token_of(kind, *roles, organisation=organisation))


async def events(client: httpx.AsyncClient, service: str, **query: int) -> list[tuple[str, str | None]]:
    """Return (action, organisation) of all entries, newest first."""
    found, path = [], f"/{service}/v1/audit-events"
    answer = await client.get(path, params=query)
    while True:
        assert answer.status_code == 200, answer.text
        found += [
            (f"{one['outcome']} {one['resource']} {one['status']}", one["organisation"])
            for one in answer.json()["items"]
        ]
        if "next" not in answer.links:
            return found
        answer = await client.get(answer.links["next"]["url"])


async def test_each_organisation_reads_its_own_entries_and_the_coordination_all(database_url: str) -> None:
    async with running_registry(database_url) as app:
        path = "/registry/v1/trials/NCT05096221"
        async with (
            client_of(app, token=ADMIN) as admin,
            caller(app, "hospital", "system", organisation="chu-a") as one,
            caller(app, "hospital", "system", organisation="chu-b") as other,
            caller(app, "hospital", "auditor", organisation="chu-a") as auditor,
        ):
            assert (await admin.patch(path, json={"acronym": "A"}, headers=PATCH)).status_code == 200
            for who in (one, other):
                assert (await who.patch(path, json={"acronym": "B"}, headers=PATCH)).status_code == 403
                assert (await who.get("/registry/v1/audit-events")).status_code == 403
            assert await events(auditor, "registry") == [("denied audit 403", "chu-a"), ("denied trial 403", "chu-a")]
            everything = await events(admin, "registry", limit=2)
            assert [(what, who) for what, who in everything if who != "coordination"][-4:] == [
                ("denied audit 403", "chu-b"),
                ("denied trial 403", "chu-b"),
                ("denied audit 403", "chu-a"),
                ("denied trial 403", "chu-a"),
            ]
            assert ("done trial 200", "coordination") in everything
        async with client_of(app) as public:
            assert (await public.get("/registry/v1/audit-events")).status_code == 401


async def test_an_audit_log_in_files_is_read_from_its_end(tmp_path: Path) -> None:
    async with (
        running_registry(f"sqlite:///{tmp_path / 'registry.db'}") as registry,
        running_matching(Line(registry)) as app,
    ):
        await until_loaded(app)
        async with (
            caller(app, "hospital", "clinician", organisation="chu-a") as one,
            caller(app, "hospital", "auditor", organisation="chu-a") as auditor,
        ):
            for _ in range(7):
                assert (await one.post("/matching/v1/match", json=BOY)).status_code == 200
            async with caller(app, "hospital", "clinician", organisation="chu-b") as other:
                assert (await other.post("/matching/v1/match", json=BOY)).status_code == 200
            assert [what for what, _ in await events(auditor, "matching", limit=3)].count("read match 200") == 7
            assert {who for _, who in await events(auditor, "matching")} == {"chu-a"}
