"""Attacks on the audit logs, with and without the key, and normal events that must not look like an attack."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from services.cli.app import app as command_line
from shared.audit.chain import BEGINNING, Checkpoint, digest_of, line_of, read_checkpoint
from shared.audit.checkpoints import CheckpointFile, signing_key
from shared.audit.entries import Entry
from shared.audit.recording import FileAudit
from shared.operations.backups.manifest import Manifest, sha256_of
from shared.settings import ServiceSettings
from tests.conftest import ADMIN, INTERNAL, client_of
from tests.contract.notifications import migrate, running_notifications, running_source
from tests.contract.registry import running_registry
from tests.contract.test_audit import (
    CANARY,
    CONTENT,
    CUT,
    INTACT,
    TRIAL,
    entries_of,
    recorded,
    recorded_once,
    tamper,
    verify,
)

__all__ = ["recorded", "recorded_once"]

GONE = "there are no checkpoints to compare the log with: it was removed, or its service has never run"
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture(autouse=True)
def _checkpoint_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.audit.recording.CHECKPOINT_SECONDS", 3600.0)


def cleio(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command_line, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


async def write(folder: Path, times: int = 3) -> None:
    """Write a few more signed entries through the API."""
    async with running_registry(f"sqlite:///{folder / 'registry.db'}") as app, client_of(app, token=ADMIN) as admin:
        for number in range(times):
            assert (await admin.patch(TRIAL, json={"acronym": f"MORE-{number}"}, headers=CONTENT)).status_code == 200
            await app.state.audit.step()


def checkpoints(folder: Path, service: str = "registry") -> Path:
    return folder / "audit" / f"{service}.checkpoints.ndjson"


def edit_lines(file: Path, work: Callable[[list[str]], list[str]]) -> None:
    file.write_text("".join(f"{line}\n" for line in work(file.read_text().splitlines())))


def sign_anew(folder: Path, key: Ed25519PrivateKey) -> None:
    """Change an entry, then create chain, checkpoints and public key anew, as an attacker with all files."""
    tamper(folder, "UPDATE audit_entries SET principal = 'public' WHERE number = 3", "DELETE FROM audit_seals")
    with closing(sqlite.connect(str(folder / "registry.db"), isolation_level=None)) as connection:
        connection.row_factory = sqlite.Row
        lines = []
        for row in connection.execute("SELECT * FROM audit_entries ORDER BY number"):
            values = {name: value for name, value in dict(row).items() if name != "number"}
            entry = Entry(**{**values, "at": datetime.fromisoformat(row["at"])})
            lines.append(line_of(row["number"], entry))
        made, previous = [], BEGINNING
        for number, first in enumerate(range(1, len(lines) + 1, 4), 1):
            batch = lines[first - 1 : first + 3]
            seal = Checkpoint(
                "registry",
                number,
                first,
                first + len(batch) - 1,
                previous,
                digest_of(previous, batch),
                datetime.now(UTC),
            ).signed(key)
            at = seal.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            connection.execute(
                "INSERT INTO audit_seals VALUES (?, ?, ?, ?, ?, ?, ?)",
                (number, seal.first, seal.last, previous, seal.digest, at, seal.signature),
            )
            made.append(seal)
            previous = seal.digest
    checkpoints(folder).unlink()
    CheckpointFile(folder / "audit", "registry").append(made)
    (folder / "audit" / "public-key.pem").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )


def test_a_chain_signed_anew_is_detected(recorded: Path) -> None:
    sign_anew(recorded, OTHER_KEY)
    code, findings = verify()
    assert code == 1
    assert findings == [
        "registry: checkpoints in the log are not signed by the installation's key: 1, 2, 3",
        "registry: checkpoints in the checkpoint file are not signed by the installation's key: 1, 2, 3",
    ]


def test_an_attacker_with_the_key_is_detected_with_the_exported_checkpoints(recorded: Path, tmp_path: Path) -> None:
    shutil.copytree(recorded / "audit", tmp_path / "elsewhere")
    sign_anew(recorded, signing_key(ServiceSettings().audit_seed))
    assert verify() == INTACT, "nothing on this machine can show it"
    code, findings = verify("--checkpoints", str(tmp_path / "elsewhere"))
    assert (code, findings) == (1, ["registry: checkpoint 1 differs from the exported one"])


CHECKPOINT_ATTACKS: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "a digest edited": (lambda lines: [lines[0].replace('"digest":"', '"digest":"0'), *lines[1:]], "not signed"),
    "a line taken out": (lambda lines: [lines[0], *lines[2:]], "missing"),
    "the first lines cut off": (lambda lines: lines[2:], "missing"),
    "a line made unreadable": (lambda lines: [lines[0], lines[1][:40], *lines[2:]], "missing"),
    "two lines exchanged": (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "missing"),
    "emptied": (lambda _lines: [], "no checkpoints"),
    "a restore claimed": (
        lambda lines: [
            *lines,
            replace(read_checkpoint(lines[0]), kind="restored", signature="").signed(OTHER_KEY).write(),
        ],
        "not signed",
    ),
    "a line of another service": (
        lambda lines: [
            *lines,
            replace(read_checkpoint(lines[-1]), service="notifications", number=4)
            .signed(signing_key(bytes(range(32))))
            .write(),
        ],
        "another service",
    ),
}


@pytest.mark.parametrize("attack", CHECKPOINT_ATTACKS)
def test_every_tampering_with_the_checkpoints_is_detected(recorded: Path, attack: str) -> None:
    work, expected = CHECKPOINT_ATTACKS[attack]
    edit_lines(checkpoints(recorded), work)
    code, findings = verify()
    assert code == 1
    assert any(expected in finding for finding in findings), findings


def test_missing_checkpoints_are_detected(recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, findings = verify("--checkpoints", str(tmp_path / "empty"), "--log", "registry")
    assert (code, findings) == (
        1,
        ["registry: there are no checkpoints to compare the log with: a cut cannot be excluded"],
    )
    checkpoints(recorded).unlink()
    assert verify()[0] == 1
    # The next start writes them again from the log.
    asyncio.run(write(recorded, 1))
    assert verify() == INTACT


def test_a_cut_checkpoint_file_is_completed_at_the_next_start(recorded: Path) -> None:
    content = checkpoints(recorded).read_bytes()
    checkpoints(recorded).write_bytes(content[:-100])
    asyncio.run(write(recorded, 1))
    assert verify() == INTACT
    whole, others = CheckpointFile(recorded / "audit", "registry").read()
    assert ([one.number for one in whole if one.kind == "seal"], others) == ([1, 2, 3, 4], 1)


def test_a_restore_on_another_machine_is_not_reported_as_tampering(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The audit folder is in no backup: without it the log continues from the backup."""
    assert cleio("backup", str(tmp_path / "first"))[0] == 0
    asyncio.run(write(recorded))
    assert cleio("backup", str(tmp_path / "second"))[0] == 0
    new = tmp_path / "new"
    monkeypatch.setenv("CLEIO_DATA_DIR", str(new))
    key = signing_key(ServiceSettings().audit_seed)
    asyncio.run(FileAudit(new / "audit", "matching", key).stop())  # it has no data in a backup
    for kept in ("second", "first"):
        assert cleio("restore", str(tmp_path / kept))[0] == 0
        assert verify() == INTACT
        asyncio.run(write(new))
        assert verify() == INTACT
    tamper(new, "UPDATE audit_entries SET principal = 'public' WHERE number = 3")
    assert verify()[0] == 1


def test_a_backup_is_verified_with_the_checkpoints_exported_before_it(recorded: Path, tmp_path: Path) -> None:
    assert cleio("backup", str(tmp_path / "kept"))[0] == 0
    asyncio.run(write(recorded))
    assert verify("--backup", str(tmp_path / "kept")) == INTACT
    (made,) = (tmp_path / "kept").iterdir()
    with closing(sqlite.connect(str(made / "registry.db"), isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in CUT:
            connection.execute(statement)
    manifest = Manifest.read(made)
    changed = manifest.services["registry"].model_copy(update={"sha256": sha256_of(made / "registry.db")})
    manifest.model_copy(update={"services": {**manifest.services, "registry": changed}}).write(made)
    code, findings = verify("--backup", str(tmp_path / "kept"))
    assert (code, findings) == (1, ["registry: the log was cut: checkpoints 3 to 3 were exported and are missing"])


def entry(number: int, at: datetime | None = None) -> Entry:
    return Entry(
        at or datetime.now(UTC),
        f"request-{number}",
        "public",
        None,
        None,
        "read",
        "match",
        None,
        "POST",
        "/matching/v1/match",
        200,
    )


async def file_record(folder: Path, service: str, *batches: int) -> None:
    audit = FileAudit(folder, service, signing_key(bytes(range(32))))
    audit.checkpoints.publish(audit.key)
    for batch in batches:
        for number in range(batch):
            await audit.record(entry(number))
        await audit.step()
    await audit.stop()


@pytest.fixture
def matched(recorded: Path) -> Path:
    """Add the logs of two processes of matching, which has no database."""
    asyncio.run(file_record(recorded / "audit", "matching", 3, 2))
    asyncio.run(file_record(recorded / "audit", "matching-2", 2, 3))
    assert verify() == INTACT
    return recorded


def test_exchanged_files_of_two_processes_are_detected(matched: Path, tmp_path: Path) -> None:
    for ending in ("entries.ndjson", "checkpoints.ndjson"):
        one, two = (matched / "audit" / f"{name}.{ending}" for name in ("matching", "matching-2"))
        one.rename(tmp_path / "between")
        two.rename(one)
        (tmp_path / "between").rename(two)
    code, findings = verify()
    assert code == 1
    assert {finding.partition(":")[0] for finding in findings if "another service" in finding} == {
        "matching",
        "matching-2",
    }


def test_exchanged_checkpoints_of_two_services_are_detected(matched: Path) -> None:
    checkpoints(matched, "registry").rename(checkpoints(matched, "notifications"))
    code, findings = verify()
    assert code == 1
    assert any(one.startswith("notifications: checkpoints in the checkpoint file belong to") for one in findings)
    assert any(finding.startswith("registry: there are no checkpoints") for finding in findings)


def test_a_missing_file_is_detected(matched: Path, tmp_path: Path) -> None:
    shutil.copytree(matched / "audit", tmp_path / "elsewhere")
    (matched / "audit" / "matching.entries.ndjson").unlink()
    assert verify() == (1, ["matching: the log ends at entry 0, but checkpoints cover entries up to 5"])
    checkpoints(matched, "matching").unlink()
    assert verify() == (1, [f"matching: {GONE}"])
    code, findings = verify("--checkpoints", str(tmp_path / "elsewhere"))
    assert code == 1
    assert all(finding.startswith("matching: ") for finding in findings)


def test_checkpoints_of_a_file_are_compared_with_the_exported_copies(matched: Path, tmp_path: Path) -> None:
    shutil.copytree(matched / "audit", tmp_path / "elsewhere")
    asyncio.run(file_record(matched / "audit", "matching", 4))
    assert verify("--checkpoints", str(tmp_path / "elsewhere")) == INTACT
    # Cut, then continued from there, as the program does after a crash.
    for ending, keep in (("entries.ndjson", 3), ("checkpoints.ndjson", 2)):
        edit_lines(matched / "audit" / f"matching.{ending}", lambda lines, keep=keep: lines[:keep])
    asyncio.run(file_record(matched / "audit", "matching", 6))
    assert verify() == INTACT, "nothing on this machine can show it"
    assert verify("--checkpoints", str(tmp_path / "elsewhere")) == (
        1,
        ["matching: checkpoint 2 differs from the exported one"],
    )


def test_verifying_while_the_log_grows_reports_nothing(matched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = CheckpointFile.read

    def grow_and_read(self: CheckpointFile) -> tuple[list[Checkpoint], int]:
        if self.path.name.startswith("matching."):
            growing = Thread(target=lambda: asyncio.run(file_record(matched / "audit", "matching", 2)))
            growing.start()
            growing.join()
        return read(self)

    monkeypatch.setattr(CheckpointFile, "read", grow_and_read)
    assert verify() == INTACT


def test_a_clock_set_back_is_not_reported_as_tampering(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shifts = (timedelta(), -timedelta(hours=1), timedelta(days=366), -timedelta(days=4000))

    async def record() -> None:
        audit = FileAudit(recorded / "audit", "matching", signing_key(bytes(range(32))))
        for number, shift in enumerate(shifts):
            now = datetime.now(UTC) + shift
            # The clock of the whole machine, which dates entries and checkpoints.
            monkeypatch.setattr("shared.audit.recording.datetime", SimpleNamespace(now=lambda _zone, at=now: at))
            await audit.record(entry(number, now))
            await audit.step()
        await audit.stop()

    asyncio.run(record())
    assert verify() == INTACT


def remove(folder: Path, *services: str) -> None:
    for service in services:
        for file in (folder / "audit").glob(f"{service}.*"):
            file.unlink()


def empty(folder: Path, *services: str) -> None:
    for service in services:
        for file in (folder / "audit").glob(f"{service}.*"):
            file.write_text("")


def wipe(folder: Path, service: str) -> None:
    """Delete the entries in a database, as an attacker who can write the file."""
    tamper(
        folder,
        "DELETE FROM audit_entries",
        "DELETE FROM audit_seals",
        "UPDATE audit_head SET number = 0",
        service=service,
    )


def wipe_all(folder: Path) -> None:
    for service in ("registry", "notifications"):
        wipe(folder, service)
    shutil.rmtree(folder / "audit")


def insert_older(folder: Path) -> None:
    """Insert an entry after the last checkpoint that is dated ten months earlier."""
    at = (datetime.now(UTC) - timedelta(days=300)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    tamper(
        folder,
        f"INSERT INTO audit_entries SELECT 13, '{at}', request_id, principal, organisation, client, outcome, resource,"
        " resource_id, method, route, status, count, human FROM audit_entries WHERE number = 1",
        "UPDATE audit_head SET number = 13",
    )


def insert_older_and_go_on(folder: Path) -> None:
    insert_older(folder)
    asyncio.run(write(folder, 1))


def start_again_without_a_log(folder: Path) -> None:
    """Delete the registry's log, and let the registry begin another one."""
    created = (datetime.now(UTC) - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    tamper(
        folder,
        "INSERT INTO organisations (id, version, name, kind, status, created_at, updated_at)"
        f" VALUES ('chu-lille', 1, 'CHU de Lille', 'hospital', 'active', '{created}', '{created}')",
    )
    wipe(folder, "registry")
    remove(folder, "registry")
    asyncio.run(write(folder, 1))


def begin_again_in_the_same_file(folder: Path) -> None:
    CheckpointFile(folder / "audit", "matching").begin(signing_key(bytes(range(32))))


def damage(folder: Path) -> None:
    file = folder / "registry.db"
    content = bytearray(file.read_bytes())
    content[2 * 4096 :] = bytes(len(content) - 2 * 4096)
    file.write_bytes(bytes(content))


OLDER = "registry: entry 13 was added after checkpoint 3 with an older date"
# Attacks without the key and without exported copies, and the findings.
WIPED: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "the files of matching removed": (lambda folder: remove(folder, "matching"), [f"matching: {GONE}"]),
    "the files of matching emptied": (lambda folder: empty(folder, "matching"), [f"matching: {GONE}"]),
    "the registry's rows deleted and its checkpoints emptied": (
        lambda folder: (wipe(folder, "registry"), empty(folder, "registry"))[0],
        [f"registry: {GONE}"],
    ),
    "all three logs deleted, with the folder": (
        wipe_all,
        [f"{name}: {GONE}" for name in ("notifications", "registry", "matching")],
    ),
    "an older entry inserted behind the last checkpoint": (insert_older, [OLDER]),
    "an older entry inserted, and covered by the next checkpoint": (insert_older_and_go_on, [OLDER]),
    "a log wiped and begun again": (start_again_without_a_log, ["registry: the log was begun on "]),
    "a log begun again in the same file": (begin_again_in_the_same_file, ["matching: the log was begun again on "]),
    "a table dropped": (
        lambda folder: tamper(folder, "DROP TABLE audit_entries"),
        ["registry: the log cannot be read"],
    ),
    "a damaged database": (damage, ["registry: the log cannot be read"]),
}


@pytest.mark.parametrize("case", WIPED)
def test_a_deleted_or_unreadable_log_is_never_intact(matched: Path, case: str) -> None:
    work, expected = WIPED[case]
    work(matched)
    code, findings = verify()
    assert code == 1
    assert len(findings) == len(expected), findings
    assert [one for one, start in zip(findings, expected, strict=True) if not one.startswith(start)] == []


def test_every_log_that_must_exist_is_listed(matched: Path) -> None:
    result = CliRunner().invoke(command_line, ["audit", "verify"])
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        "notifications",
        "registry",
        "matching",
        "matching-2",
    ]
    assert verify("--log", "registry") == INTACT
    code, output = cleio("audit", "verify", "--log", "portal")
    assert (code, output) == (
        1,
        "cleio: there is no audit log of portal: choose from registry, notifications, matching\n",
    )


def test_an_installation_that_never_started_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEIO_DATA_DIR", str(tmp_path / "nothing"))
    code, output = cleio("audit", "verify")
    assert code == 1
    assert output.count("\n") == 1
    assert "nothing was ever started here" in output


@pytest.mark.anyio
async def test_an_entry_cannot_be_replaced(recorded: Path) -> None:
    """SQLite's REPLACE deletes a row without firing triggers unless `recursive_triggers` is on."""
    async with running_registry(f"sqlite:///{recorded / 'registry.db'}") as app:
        with pytest.raises(DBAPIError, match="only added to"):
            async with app.state.database.transaction() as connection:
                await connection.execute(text("REPLACE INTO audit_entries SELECT * FROM audit_entries"))


# A canary in every part of a request that a caller can fill.
QUERY = {"q": CANARY, CANARY: "1"}
HEADERS = {
    "User-Agent": CANARY,
    "Referer": CANARY,
    "If-Match": f'"{CANARY}"',
    "Cookie": CANARY,
    "traceparent": CANARY,
    CANARY: CANARY,
}


@pytest.mark.anyio
async def test_no_text_of_a_caller_is_in_the_log() -> None:
    folder = ServiceSettings().data_dir
    async with running_registry(f"sqlite:///{folder / 'registry.db'}") as app:
        for token, address in (
            (None, "127.0.0.1"),
            ("guess", "127.0.0.1"),
            (ADMIN, "127.0.0.1"),
            (INTERNAL, "127.0.0.1"),
            (ADMIN, "203.0.113.9"),
        ):
            async with client_of(app, token=token, address=address) as caller:
                for method in ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"):
                    for path in (
                        f"/registry/v1/trials/{CANARY}",
                        TRIAL,
                        f"{TRIAL}/sites/{CANARY}",
                        f"/registry/v1/{CANARY}",
                        "/registry/v1/trials",
                    ):
                        for query in ({}, QUERY):
                            await caller.request(
                                method, path, headers=HEADERS, json={CANARY: CANARY, "acronym": CANARY}, params=query
                            )
                await caller.patch(TRIAL, json={"acronym": CANARY}, headers={**CONTENT, "User-Agent": CANARY})
        entries = await entries_of(app)
    assert {one["outcome"] for one in entries} == {"done", "read", "denied"}
    assert CANARY not in repr(entries)
    for file in (folder / "audit").iterdir():
        assert CANARY.encode() not in file.read_bytes()


@pytest.mark.anyio
async def test_reading_the_resources_of_others_is_recorded_as_denied(tmp_path: Path, database_url: str) -> None:
    """Unreadable equals unknown: both are recorded as denials, for other owners and for unrelated callers."""
    await migrate(database_url)
    async with running_source(tmp_path) as source, running_notifications(database_url, source) as service:
        assert (await service.admin.get("/notifications/v1/subscriptions/somebody-elses")).status_code == 404
        async with client_of(service.app, token=INTERNAL) as inside:
            assert (await inside.get("/notifications/v1/subscriptions")).status_code == 404
        async with client_of(service.app) as public:
            assert (await public.get("/notifications/v1/subscriptions")).status_code == 401
        entries = await entries_of(service.app)
    assert [(one["outcome"], one["principal"], one["status"], one["resource_id"]) for one in entries] == [
        ("denied", "coordination", 404, None),
        ("denied", "service", 404, None),
        ("denied", "public", 401, None),
    ]
