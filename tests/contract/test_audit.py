"""The audit log: complete, without data of patients, and every tampering is detected."""

import asyncio
import json
import resource
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from services.cli.app import app as command_line
from services.cli.databases import migrate_service
from services.matching.app import create_app as create_matching
from services.matching.settings import MatchingSettings
from services.notifications.schema import AUDIT as NOTIFICATIONS_AUDIT
from shared.audit.checkpoints import CheckpointFile, signing_key
from shared.audit.entries import DenialAggregator, Entry
from shared.audit.recording import DatabaseAudit, FileAudit
from shared.clients.internal import InternalClient
from shared.persistence import open_database
from shared.settings import ServiceSettings
from shared.values.problems import StorageFullError
from tests.conftest import ADMIN, INTERNAL, client_of, installation_at, token_of
from tests.contract.registry import running_registry

pytestmark = pytest.mark.anyio

TRIAL = "/registry/v1/trials/NCT05096221"
CONTENT = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
CANARY = "DUPONT-JEANNE-1850312"


async def entries_of(app: FastAPI) -> list[dict[str, Any]]:
    """Return all entries so far, including denials that wait to be aggregated."""
    await app.state.audit.step()
    async with app.state.database.read() as connection:
        return [
            dict(row._mapping) for row in await connection.execute(text("SELECT * FROM audit_entries ORDER BY number"))
        ]


def summaries(entries: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (
            one["outcome"],
            one["principal"],
            one["resource"],
            one["resource_id"],
            one["method"],
            one["status"],
            one["count"],
        )
        for one in entries
    ]


@pytest.fixture
async def registry(stocked_url: str) -> AsyncIterator[FastAPI]:
    async with running_registry(stocked_url) as app:
        yield app


async def test_a_write_is_recorded_with_its_effect_and_a_failed_one_is_not(registry: FastAPI) -> None:
    async with client_of(registry, token=ADMIN) as admin:
        headers = {**CONTENT, "X-Request-Id": "request-of-this-test"}
        assert (await admin.patch(TRIAL, json={"acronym": "A"}, headers=headers)).status_code == 200
        assert (
            await admin.patch(TRIAL, json={"acronym": "B"}, headers={**CONTENT, "If-Match": '"v1"'})
        ).status_code == 412
        assert (await admin.patch(TRIAL, json={"acronym": 7}, headers=CONTENT)).status_code == 422
    entries = await entries_of(registry)
    assert summaries(entries) == [("done", "coordination", "trial", "NCT05096221", "PATCH", 200, 1)]
    assert entries[0]["request_id"] == "request-of-this-test"
    assert entries[0]["route"] == "/registry/v1/trials/{identifier}"
    assert entries[0]["organisation"] == "coordination"


async def test_public_reads_are_not_recorded_and_restricted_reads_are(registry: FastAPI) -> None:
    async with (
        client_of(registry) as public,
        client_of(registry, token=INTERNAL) as service,
        client_of(registry, token=ADMIN) as admin,
    ):
        for caller in (public, service):
            assert (await caller.get(TRIAL)).status_code == 200
            assert (await caller.get("/registry/v1/feed")).status_code == 200
        assert (await admin.get("/registry/v1/centres")).status_code == 200
        assert (await entries_of(registry)) == []
        # The coordination sees unpublished trials, so its read is recorded.
        assert (await admin.get(TRIAL)).status_code == 200
        assert (await admin.get("/registry/v1/trials/NCT00000000")).status_code == 404
    assert summaries(await entries_of(registry)) == [("read", "coordination", "trial", "NCT05096221", "GET", 200, 1)]


async def test_every_denial_is_recorded(registry: FastAPI) -> None:
    async with (
        client_of(registry) as public,
        client_of(registry, token="guess") as forger,
        client_of(registry, token=token_of("hospital", "system")) as hospital,
        client_of(registry, token=INTERNAL) as service,
    ):
        path = f"/registry/v1/trials/{CANARY}"
        for _ in range(5):
            assert (await public.patch(path, json={}, headers=CONTENT)).status_code == 401
        assert (await forger.patch(path, json={}, headers=CONTENT)).status_code == 401
        assert (await hospital.patch(path, json={}, headers=CONTENT)).status_code == 403
        assert (await service.patch(path, json={}, headers=CONTENT)).status_code == 403
    entries = await entries_of(registry)
    counted: Counter[tuple[Any, ...]] = Counter()
    for *what, count in summaries(entries):
        counted[tuple(what)] += count
    assert counted == {
        ("denied", "hospital", "trial", None, "PATCH", 403): 1,
        ("denied", "service", "trial", None, "PATCH", 403): 1,
        ("denied", "public", "trial", None, "PATCH", 401): 5,
        ("denied", "unknown", "trial", None, "PATCH", 401): 1,
    }
    assert CANARY not in repr(entries), "what a refused caller wrote is not kept"


def test_denials_of_anonymous_callers_are_aggregated() -> None:
    aggregator, refused = (
        DenialAggregator(),
        Entry(datetime.now(UTC), "first-of-many", "public", None, None, "denied", "trial", None, "PATCH", "/x", 401),
    )
    for number in range(1_000):
        aggregator.add(replace(refused, request_id=f"number-{number}"))
    aggregator.add(replace(refused, status=403))
    expected = [("number-0", 401, 1_000), ("first-of-many", 403, 1)]
    with suppress(OSError), aggregator.taken() as waiting:
        assert [(one.request_id, one.status, one.count) for one in waiting] == expected
        raise OSError  # the disk is full
    with aggregator.taken() as waiting:
        # Entries that could not be written are kept for the next attempt.
        assert [(one.request_id, one.status, one.count) for one in waiting] == expected
        waiting.clear()
    with aggregator.taken() as waiting:
        assert waiting == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET principal = 'public'",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_seals",
        (
            "INSERT INTO audit_entries SELECT * FROM audit_entries WHERE true"
            " ON CONFLICT (number) DO UPDATE SET principal = 'public'"
        ),
    ],
)
async def test_the_database_refuses_changes_of_the_log(registry: FastAPI, statement: str) -> None:
    async with client_of(registry, token=ADMIN) as admin:
        assert (await admin.patch(TRIAL, json={"acronym": "A"}, headers=CONTENT)).status_code == 200
    kept = await entries_of(registry)
    with pytest.raises(DBAPIError, match="only added to"):
        await change(registry, statement)
    assert await entries_of(registry) == kept


async def change(app: FastAPI, statement: str) -> None:
    async with app.state.database.transaction() as connection:
        await connection.execute(text(statement))


async def test_concurrent_writers_leave_no_gap(registry: FastAPI) -> None:
    async with client_of(registry, token=ADMIN) as admin:
        answers = await asyncio.gather(
            *(admin.patch(TRIAL, json={"acronym": f"A{number}"}, headers=CONTENT) for number in range(30))
        )
        done = sum(answer.status_code == 200 for answer in answers)
    entries = await entries_of(registry)
    assert [one["number"] for one in entries] == list(range(1, done + 1))


INTACT = (0, ["audit logs verified: no gaps or changes"])


async def begin_logs(folder: Path) -> None:
    """Start the logs of notifications and matching as their first start does."""
    key = signing_key(ServiceSettings().audit_seed)
    database = open_database(f"sqlite:///{folder / 'notifications.db'}")
    audit = DatabaseAudit(database, NOTIFICATIONS_AUDIT, folder / "audit", "notifications", key)
    await audit.step()
    await database.close()
    matching = FileAudit(folder / "audit", "matching", key)
    await matching.stop()


def verify(*arguments: str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(command_line, ["audit", "verify", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout.splitlines()


@pytest.fixture(scope="session")
def recorded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a stopped installation whose registry recorded three batches."""
    folder = tmp_path_factory.mktemp("recorded")

    async def fill() -> None:
        await migrate_service("notifications")
        await begin_logs(folder)
        async with running_registry(f"sqlite:///{folder / 'registry.db'}") as app, client_of(app, token=ADMIN) as admin:
            for batch in range(3):
                for number in range(4):
                    assert (
                        await admin.patch(TRIAL, json={"acronym": f"A{batch}{number}"}, headers=CONTENT)
                    ).status_code == 200
                await app.state.audit.step()

    with installation_at(folder), pytest.MonkeyPatch.context() as patch:
        # Batches are signed when the test says so, not after a second.
        patch.setattr("shared.audit.recording.CHECKPOINT_SECONDS", 3600.0)
        asyncio.run(fill())
    return folder


@pytest.fixture
def recorded(recorded_once: Path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copytree(recorded_once, ServiceSettings().data_dir))


def tamper(folder: Path, *statements: str, service: str = "registry") -> None:
    """Change the log as an attacker with the file and without the key."""
    with closing(sqlite.connect(str(folder / f"{service}.db"), isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)


CUT = (
    "DELETE FROM audit_entries WHERE number > 8",
    "DELETE FROM audit_seals WHERE number > 2",
    "UPDATE audit_head SET number = 8",
)
SLIPPED_IN = (
    "INSERT INTO audit_entries SELECT 13, at, request_id, principal, organisation, client, outcome, resource,"
    " resource_id, method, route, status, count, human FROM audit_entries WHERE number = 1"
)
TAMPERINGS: dict[str, tuple[str, ...]] = {
    "an entry edited": ("UPDATE audit_entries SET principal = 'public' WHERE number = 3",),
    "an entry's time edited": ("UPDATE audit_entries SET at = '2020-01-01T00:00:00.000000Z' WHERE number = 12",),
    "an entry deleted": ("DELETE FROM audit_entries WHERE number = 6",),
    "the last entry deleted": ("DELETE FROM audit_entries WHERE number = 12",),
    "the last entry deleted, and the count": (
        "DELETE FROM audit_entries WHERE number = 12",
        "UPDATE audit_head SET number = 11",
    ),
    "the end cut, seals and count too": CUT,
    "everything cut": ("DELETE FROM audit_entries", "DELETE FROM audit_seals", "UPDATE audit_head SET number = 0"),
    "two entries exchanged": (
        "UPDATE audit_entries SET number = -1 WHERE number = 2",
        "UPDATE audit_entries SET number = 2 WHERE number = 3",
        "UPDATE audit_entries SET number = 3 WHERE number = -1",
    ),
    "a seal edited": ("UPDATE audit_seals SET digest = 'g' || substr(digest, 2) WHERE number = 2",),
    "a seal deleted": ("DELETE FROM audit_seals WHERE number = 2",),
    "an entry slipped in": (SLIPPED_IN,),
}


def test_an_unchanged_log_is_intact(recorded: Path) -> None:
    assert verify() == INTACT


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_every_tampering_with_the_database_is_detected(recorded: Path, tampering: str) -> None:
    tamper(recorded, *TAMPERINGS[tampering])
    code, findings = verify()
    assert code == 1
    assert all(finding.startswith("registry: ") for finding in findings)


def test_a_cut_log_and_cut_checkpoints_are_detected_with_the_exported_copies(recorded: Path, tmp_path: Path) -> None:
    elsewhere, own = tmp_path / "elsewhere", recorded / "audit" / "registry.checkpoints.ndjson"
    shutil.copytree(recorded / "audit", elsewhere)
    tamper(recorded, *CUT)
    own.write_text("".join(own.read_text().splitlines(keepends=True)[:3]))
    assert verify()[0] == 0, "nothing on this machine can show it"
    code, findings = verify("--checkpoints", str(elsewhere))
    assert code == 1
    assert "the log was cut" in findings[0]


def test_a_chain_signed_with_another_key_is_detected(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = (recorded / "audit" / "public-key.pem").read_bytes()
    (recorded / "former.pem").write_bytes(key)
    monkeypatch.setenv("CLEIO_AUDIT_KEY", "A" * 43 + "=")
    code, findings = verify()
    assert code == 1
    assert "not signed" in findings[0]
    # After a rotation of the key, entries signed by the former one are valid if the operator names it.
    assert verify("--public-key", str(recorded / "former.pem"))[0] == 0


def test_a_restore_is_not_reported_as_tampering(recorded: Path, tmp_path: Path) -> None:
    async def more(word: str) -> None:
        async with (
            running_registry(f"sqlite:///{recorded / 'registry.db'}") as app,
            client_of(app, token=ADMIN) as admin,
        ):
            for _ in range(3):
                assert (await admin.patch(TRIAL, json={"acronym": word}, headers=CONTENT)).status_code == 200
                await app.state.audit.step()

    run = CliRunner().invoke
    assert run(command_line, ["backup", str(tmp_path / "kept")]).exit_code == 0
    asyncio.run(more("LOST"))
    assert run(command_line, ["restore", str(tmp_path / "kept")]).exit_code == 0
    assert verify() == INTACT
    asyncio.run(more("AFTER"))
    assert verify()[0] == 0
    assert verify("--backup", str(tmp_path / "kept"))[0] == 0


@asynccontextmanager
async def running_matching(registry: FastAPI) -> AsyncIterator[FastAPI]:
    client = InternalClient("http://test", INTERNAL, httpx.ASGITransport(registry, client=("127.0.0.1", 1)))
    app = create_matching(MatchingSettings(feed_wait=0), registry=client)
    async with app.router.lifespan_context(app):
        while app.state.snapshots.loaded is None:  # noqa: ASYNC110 - a snapshot has no event
            await asyncio.sleep(0.01)
        yield app


@pytest.fixture(scope="module")
def matched_once(recorded_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of matches: the callers, and nothing about the patients."""
    folder = Path(shutil.copytree(recorded_once, tmp_path_factory.mktemp("matched") / "var"))
    boy = json.loads(
        (Path(__file__).parents[2] / "docs" / "examples" / "duchenne-boy.json").read_text(encoding="utf-8")
    )

    async def ask() -> None:
        async with (
            running_registry(f"sqlite:///{folder / 'registry.db'}") as registry,
            running_matching(registry) as app,
            client_of(app) as public,
            client_of(app, token=token_of("hospital", "clinician")) as hospital,
            client_of(app, address="203.0.113.9") as elsewhere,
        ):
            for _ in range(3):
                assert (await public.post("/matching/v1/match", json=boy)).status_code == 200
                assert (await hospital.post("/matching/v1/match", json=boy)).status_code == 200
                await app.state.audit.step()
            assert (await elsewhere.post("/matching/v1/match", json=boy)).status_code == 401

    with installation_at(folder), pytest.MonkeyPatch.context() as patch:
        # Checkpoints are made where the test says, not each second.
        patch.setattr("shared.audit.recording.CHECKPOINT_SECONDS", 3600.0)
        asyncio.run(ask())
    return folder


@pytest.fixture
def matched(matched_once: Path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copytree(matched_once, ServiceSettings().data_dir))


def test_a_match_is_recorded_with_its_caller_and_without_the_patient(matched: Path) -> None:
    lines = [json.loads(line) for line in (matched / "audit" / "matching.entries.ndjson").read_text().splitlines()]
    assert [(line[3], line[6], line[7], line[8], line[11]) for line in lines] == [
        *[("public", "read", "match", None, 200), ("hospital", "read", "match", None, 200)] * 3,
        ("public", "denied", "match", None, 401),
    ]
    everything = b"".join(file.read_bytes() for file in (matched / "audit").iterdir()).decode()
    # The gene in quotes: three letters alone can occur in a digest.
    for word in ("2021-", "2022-", "ORPHA", "HP:", "birth", '"DMD"'):
        assert word not in everything
    assert verify()[0] == 0
    # The next process continues the same chain.
    kinds = Counter(one.kind for one in CheckpointFile(matched / "audit", "matching").read()[0])
    assert kinds == {"begun": 1, "seal": 4}


def edit(file: Path, work: Callable[[list[str]], list[str]]) -> None:
    file.write_text("".join(f"{line}\n" for line in work(file.read_text().splitlines())))


@pytest.mark.parametrize(
    "work",
    [
        lambda lines: [line.replace("hospital", "public") for line in lines],
        lambda lines: lines[:2] + lines[3:],
        lambda lines: lines[:-1],
        lambda _lines: [],
        lambda lines: [lines[1], lines[0], *lines[2:]],
    ],
    ids=["edited", "deleted", "cut", "emptied", "exchanged"],
)
def test_every_tampering_with_the_file_is_detected(matched: Path, work: Callable[[list[str]], list[str]]) -> None:
    edit(matched / "audit" / "matching.entries.ndjson", work)
    code, findings = verify()
    assert code == 1
    assert all(finding.startswith("matching: ") for finding in findings), findings


async def test_a_full_disk_leaves_no_partial_entry(tmp_path: Path) -> None:
    audit = FileAudit(tmp_path, "matching", signing_key(bytes(32)))
    entry = Entry(datetime.now(UTC), "first-of-many", "public", None, None, "read", "match", None, "POST", "/x", 200)
    file = tmp_path / "matching.entries.ndjson"
    await audit.record(entry)
    whole, limits = file.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 10, limits[1]))
    try:
        with pytest.raises(StorageFullError):
            await audit.record(entry)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_bytes() == whole
    await audit.record(entry)
    assert [json.loads(line)[0] for line in file.read_text().splitlines()] == [1, 2]
    await audit.stop()
