"""Every route of the three services, for every kind of caller and rows of its own and of others, against rights.txt."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import MetaData, select

from services.notifications.app import METADATA as NOTIFICATIONS
from services.registry.app import METADATA as REGISTRY
from shared.access.principal import ROLES
from tests.conftest import new_database, token_of
from tests.contract.network import running_services
from tests.contract.rights import DRAFT, FAR, FREE_PLACES, NEAR, Caller, Stage, ask, callers, lines
from tests.contract.rights_mail import MAIL_SETTINGS

pytestmark = pytest.mark.anyio


async def stored(stage: Stage) -> dict[str, list[Any]]:
    """All rows of both databases but for what is recorded of every request."""
    found = {}
    sides: list[tuple[str, MetaData]] = [("registry", REGISTRY), ("notifications", NOTIFICATIONS)]
    for service, metadata in sides:
        async with stage.services.apps[service].state.database.read() as connection:
            for table in metadata.sorted_tables:
                if not table.name.startswith(("audit_", "deliver", "attempt", "source_positions")):
                    found[f"{service}.{table.name}"] = sorted(map(repr, await connection.execute(select(table))))
    return found


async def judge(
    stage: Stage, asking: list[Caller], only: set[str] | None = None, *, warm: bool = False, every_role: bool = False
) -> tuple[int, list[str]]:
    """Send every request as every caller: first those to be refused, which change nothing, then the allowed ones.

    ``warm``: every read is first sent anonymously, so that its public answer is cached. ``every_role``: also the lesser
    roles of a kind that is refused as an administrator.
    """
    wrong, asked = [], 0
    chosen = [line for line in lines() if only is None or line.row in only]
    cases = [
        (line, caller, line.expects(caller))
        for line in chosen
        for caller in asking
        if line.concerns(caller) and (every_role or not line.repeats(caller))
    ]
    before = await stored(stage)
    for allowed in (False, True):
        for line, caller, expected in cases:
            if expected.allowed is not allowed:
                continue
            app, target, headers, body = await stage.request(line, caller, allowed)
            if warm and line.method == "GET":
                # From many addresses, so that the quota of one does not end.
                await ask(app, "GET", target, {}, b"", f"198.51.100.{asked % 250 + 1}")
            status, answer = await ask(app, line.method, target, headers, body, NEAR if caller.near else FAR)
            asked += 1
            if status != expected.status:
                wrong.append(
                    f"{line.method} {line.path} ({line.row}) by {caller}: {status}, agreed is {expected.status}"
                )
            marker = stage.marker(line) if allowed and line.method == "GET" else None
            if marker is not None and (marker in answer) is not expected.whole and line.row != "own":
                seen = "sees" if marker in answer else "does not see"
                wrong.append(f"{line.method} {line.path} ({line.row}) by {caller}: {seen} {marker}")
            if line.row == "own" and line.method == "GET" and marker is not None and marker in answer:
                wrong.append(f"{line.method} {line.path} by {caller}: sees {marker} of another")
            if not allowed and any(secret in answer for secret in (DRAFT, "other-network", f'"open":{FREE_PLACES}')):
                wrong.append(f"{line.method} {line.path} ({line.row}) by {caller}: the refusal reveals something")
        if not allowed:
            after = await stored(stage)
            wrong += [f"a refused request changed {name}" for name in before if before[name] != after[name]]
    return asked, wrong


@pytest.fixture
async def stage(stocked_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    for name, value in {"CLEIO_OUTBOUND_DEV_HOSTS": "127.0.0.0/8", **MAIL_SETTINGS}.items():
        monkeypatch.setenv(name, value)
    shutil.copyfile(stocked_file, tmp_path / "registry.db")
    async with running_services(f"sqlite:///{tmp_path / 'registry.db'}", tmp_path) as services:
        stage = Stage(services)
        await stage.set()
        yield stage


def routes(app: FastAPI) -> set[tuple[str, str]]:
    return {(method, route.path) for route in app.routes if isinstance(route, APIRoute) for method in route.methods}


async def test_every_caller_may_do_what_was_agreed_and_nothing_else(stage: Stage) -> None:
    asked, wrong = await judge(stage, list(callers(("admin", "editor", "clinician", "auditor"))))
    assert not wrong, f"{len(wrong)} of {asked}:\n" + "\n".join(wrong)


async def test_every_route_stands_in_the_agreement(stage: Stage) -> None:
    agreed = {(line.method, line.path) for line in lines()}
    there = set().union(*map(routes, stage.services.apps.values()))
    # HEAD is GET without its body, and is judged with it.
    assert {one for one in there if one[0] != "HEAD"} == agreed
    assert {path for method, path in there if method == "HEAD"} <= {path for method, path in agreed if method == "GET"}
    wrong = []
    for line in lines():
        if ("HEAD", line.path) in there and line.method == "GET":
            for caller in (
                Caller("public", near=False),
                Caller("hospital", role="admin", token=token_of("hospital", "admin", organisation="own-hospital")),
            ):
                app, target, headers, body = await stage.request(line, caller, allowed=True)
                status, _ = await ask(app, "HEAD", target, headers, body, FAR)
                if status != line.expects(caller).status:
                    wrong.append((line.path, line.row, str(caller), status))
    assert wrong == []


@pytest.mark.full
async def test_every_role_may_do_what_was_agreed(stage: Stage) -> None:
    asked, wrong = await judge(stage, list(callers(ROLES)), warm=True, every_role=True)
    assert not wrong, f"{len(wrong)} of {asked}:\n" + "\n".join(wrong)


async def test_the_same_holds_on_postgresql_with_a_warm_cache(
    postgres: str, stocked_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"CLEIO_OUTBOUND_DEV_HOSTS": "127.0.0.0/8", **MAIL_SETTINGS}.items():
        monkeypatch.setenv(name, value)
    with new_database(postgres, stocked_database) as url:
        async with running_services(url, tmp_path) as services:
            stage = Stage(services)
            await stage.set()
            chosen = [
                one
                for one in callers(("admin",))
                if one.kind in {"public", "hospital", "sponsor", "authority", "coordination"}
            ]
            asked, wrong = await judge(
                stage,
                chosen,
                {
                    "draft",
                    "drafts",
                    "own",
                    "other",
                    "others",
                    "revoked",
                    "revocations",
                    "suspended",
                    "slots",
                    "held",
                    "elsewhere",
                    "fresh",
                    "owned",
                    "unowned",
                    "evidence",
                    "dossier",
                    "rival",
                },
                warm=True,
            )
    assert not wrong, f"{len(wrong)} of {asked}:\n" + "\n".join(wrong)
