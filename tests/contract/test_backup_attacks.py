"""Backups and restores under attack: untrusted archives, full disks, a crash at every step, a clock set back."""

import asyncio
import gzip
import io
import random
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.cli.app import app
from services.cli.databases import migrate_service
from shared.operations.backups.manifest import Manifest
from shared.settings import ServiceSettings
from tests.conftest import ADMIN, INTERNAL, client_of, installation_at
from tests.contract.disks import read_only, small_disk
from tests.contract.processes import ServiceProcess
from tests.contract.registry import running_registry
from tests.contract.test_backup import CONTENT, TRIAL, change, cleio, generation, rows_of

KEPT = "kept"


@pytest.fixture(scope="session")
def installation_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped installation with the sample, a backup of it, and one later change."""
    folder = tmp_path_factory.mktemp("installation")

    async def fill() -> None:
        await migrate_service("notifications")
        async with (
            running_registry(f"sqlite:///{folder / 'var' / 'registry.db'}") as registry,
            client_of(registry, token=ADMIN) as admin,
        ):
            assert (await admin.patch(TRIAL, content='{"acronym": "BEFORE"}', headers=CONTENT)).status_code == 200

    with installation_at(folder / "var"):
        asyncio.run(fill())
        assert cleio("backup", str(folder / KEPT))[0] == 0
        assert cleio("backup", str(folder / "tar"), "--tar")[0] == 0
        change("AFTER")
    return folder


@pytest.fixture
def var(installation_once: Path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copytree(installation_once / "var", ServiceSettings().data_dir))


@pytest.fixture
def backup(installation_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(installation_once / KEPT, tmp_path / KEPT))


@pytest.fixture
def tar(installation_once: Path, tmp_path: Path) -> Path:
    (made,) = (installation_once / "tar").iterdir()
    return Path(shutil.copy(made, tmp_path / made.name))


def last_line(output: str) -> str:
    return output.splitlines()[-1]


def test_an_archive_cut_anywhere_is_refused(var: Path, tar: Path) -> None:
    content = tar.read_bytes()
    with tarfile.open(tar) as archive:
        end = max(one.offset_data + one.size for one in archive.getmembers())
    chance = random.Random(1)
    for length in {0, 1, 511, 512, 513, 10_000, end - 1, *(chance.randrange(end) for _ in range(25))}:
        tar.write_bytes(content[:length])
        code, output = cleio("backup", "verify", str(tar))
        assert code == 1, length
        assert last_line(output).startswith("cleio: "), length


def test_a_flipped_bit_in_an_archive_is_detected_or_has_no_effect(var: Path, tar: Path) -> None:
    content = tar.read_bytes()
    with tarfile.open(tar) as archive:
        meant = {one.name: archive.extractfile(one).read() for one in archive.getmembers()}  # type: ignore[union-attr]
    chance = random.Random(2)
    for _ in range(40):
        flipped = bytearray(content)
        flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        tar.write_bytes(flipped)
        if cleio("backup", "verify", str(tar))[0] == 0:
            with tarfile.open(tar) as archive:
                assert {one.name: archive.extractfile(one).read() for one in archive.getmembers()} == meant  # type: ignore[union-attr]


def hostile(tar: Path, **changes: Any) -> None:
    """Return the same archive with one more member, of a kind that no backup has."""
    with tarfile.open(tar, "a") as archive:
        member = tarfile.TarInfo(changes.pop("name", "extra"))
        for name, value in changes.items():
            setattr(member, name, value)
        archive.addfile(member, io.BytesIO(bytes(member.size)) if member.isreg() else None)


def sparse(tar: Path) -> None:
    """Return a small archive member that unpacks to a large file."""
    huge = tar.with_name("huge")
    with huge.open("wb") as file:
        file.truncate(1 << 28)
    subprocess.run(["tar", "--sparse", "-rf", str(tar), "-C", str(tar.parent), "huge"], check=True)
    huge.unlink()


def squeezed(tar: Path) -> None:
    tar.write_bytes(gzip.compress(tar.read_bytes()))


HOSTILE: dict[str, Callable[[Path], None]] = {
    "a link": lambda tar: hostile(tar, type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "a hard link": lambda tar: hostile(tar, type=tarfile.LNKTYPE, linkname="registry.db"),
    "a device": lambda tar: hostile(tar, type=tarfile.CHRTYPE),
    "a pipe": lambda tar: hostile(tar, type=tarfile.FIFOTYPE),
    "a way out": lambda tar: hostile(tar, name="../outside"),
    "an absolute path": lambda tar: hostile(tar, name="/etc/cleio"),
    "a hidden file": lambda tar: hostile(tar, name=".ssh"),
    "the same name twice": lambda tar: hostile(tar, name="registry.db", size=10),
    "a large file of nothing": sparse,
    "compressed, so perhaps a bomb": squeezed,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_foreign_archive_is_refused(var: Path, tar: Path, kind: str) -> None:
    HOSTILE[kind](tar)
    for command in (("backup", "verify"), ("restore",)):
        code, output = cleio(*command, str(tar))
        assert code == 1
        assert last_line(output).startswith("cleio: ")


@pytest.mark.parametrize("way", [(), ("--tar",)], ids=["folder", "tar"])
def test_a_full_disk_during_a_backup_leaves_nothing_behind(var: Path, tmp_path: Path, way: tuple[str, ...]) -> None:
    size = (var / "registry.db").stat().st_size + (var / "notifications.db").stat().st_size
    with small_disk(tmp_path / "disk", int(size * 1.5) // 1024 if way else size // 2048):
        code, output = cleio("backup", str(tmp_path / "disk"), *way)
        assert code == 1
        assert last_line(output).startswith("cleio: ")
        assert "Traceback" not in output
        assert list((tmp_path / "disk").iterdir()) == []


def test_a_full_disk_during_a_restore_changes_nothing(
    backup: Path, installation_once: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    var = ServiceSettings().data_dir
    size = sum(file.stat().st_size for file in (installation_once / "var").rglob("*") if file.is_file())
    with small_disk(var, int(size * 1.3) // 1024):
        shutil.copytree(installation_once / "var", var, dirs_exist_ok=True)
        kept = rows_of(var / "registry.db", leaving_out="")
        code, output = cleio("restore", str(backup))
        assert (code, last_line(output).split(" has ")[0]) == (1, f"cleio: {var}")
        # Another program fills the disk after the check.
        monkeypatch.setattr("services.cli.restore._check_room", lambda *_arguments: None)
        code, output = cleio("restore", str(backup))
        assert code == 1
        assert last_line(output).startswith("cleio: ")
        assert rows_of(var / "registry.db", leaving_out="") == kept
        assert not list(var.glob("*restore*"))


def test_a_full_disk_during_a_migration_is_reported_in_one_line(tmp_path: Path) -> None:
    var = ServiceSettings().data_dir
    with small_disk(var, 160):
        code, output = cleio("migrate")
        assert code == 1
        assert last_line(output).startswith("cleio: ")
        assert "Traceback" not in output
    with small_disk(var, 8_000):
        assert cleio("migrate")[0] == 0


def test_a_running_service_without_room_for_the_copy_reports_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installation_once: Path
) -> None:
    size = sum(file.stat().st_size for file in (installation_once / "var").rglob("*") if file.is_file())
    folder = tmp_path / "narrow"
    with small_disk(folder, size // 1024 + 300):
        shutil.copytree(installation_once / "var", folder, dirs_exist_ok=True)
        service = ServiceProcess(folder)
        try:
            answer = httpx.get(
                f"{service.url}/backup", headers={"Authorization": f"Bearer {INTERNAL}"}, trust_env=False
            )
            assert (answer.status_code, answer.json()["code"]) in {(507, "storage_full"), (503, "storage_failed")}
            monkeypatch.setenv("CLEIO_DATA_DIR", str(folder))
            monkeypatch.setenv("CLEIO_REGISTRY_URL", service.url)
            code, output = cleio("backup", str(tmp_path / "into"))
            assert code == 1
            assert "storage_f" in last_line(output)
            assert list((tmp_path / "into").iterdir()) == []
            assert not list(folder.glob(".backup-*"))
        finally:
            service.kill()


@pytest.mark.parametrize(
    "command",
    [("migrate",), ("up",), ("serve", "registry"), ("backup", "elsewhere"), ("restore", "kept"), ("audit", "verify")],
)
def test_on_a_read_only_disk_each_command_reports_it_in_one_line(
    var: Path, backup: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(var / "secrets", ignore_errors=True)
    with read_only(var):
        code, output = cleio(*command)
    assert code != 0
    assert sum(line.startswith("cleio: ") for line in output.splitlines()) == 1, output
    assert "Traceback" not in output


def dying_at(step: int, monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[Path]:
    """Return a program that dies just before its rename number ``step`` in this folder."""
    renamed: list[Path] = []
    rename = Path.rename

    def renaming(self: Path, target: Path) -> Path:
        if self.is_relative_to(folder):
            if len(renamed) == step:
                raise KeyboardInterrupt
            renamed.append(self)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", renaming)
    return renamed


@pytest.mark.parametrize("stride", [3, pytest.param(1, marks=pytest.mark.full)])
def test_a_restore_that_dies_at_any_step_is_undone_completely(
    var: Path, backup: Path, tmp_path: Path, stride: int
) -> None:
    """An undo that dies at any step is completed by the next one."""
    kept = {name: rows_of(var / f"{name}.db") for name in ("registry", "notifications")}
    shutil.copytree(var, tmp_path / "original")
    for step in range(0, 50, stride):
        with pytest.MonkeyPatch.context() as patch:
            dying_at(step, patch, var)
            ended = CliRunner().invoke(app, ["restore", str(backup)]).exit_code
        if ended == 0:
            break
        assert ended == 130
        interrupted = list(var.glob("before-restore-*/journal.json"))
        for undoing in range(0, 50, stride):
            assert not interrupted or cleio("serve", "registry")[0] == 78, f"died at {step}, then at {undoing}"
            with pytest.MonkeyPatch.context() as patch:
                dying_at(undoing, patch, var)
                undone = CliRunner().invoke(app, ["restore", "--undo"])
            if undone.exit_code != 130:
                break
        assert undone.exit_code == (0 if interrupted else 1), undone.output
        assert {name: rows_of(var / f"{name}.db") for name in kept} == kept, step
        shutil.rmtree(var)
        shutil.copytree(tmp_path / "original", var)
    assert step > 4
    assert {name: rows_of(var / f"{name}.db") for name in kept} != kept


def test_after_an_undo_that_dies_half_way_nothing_starts(var: Path, backup: Path) -> None:
    kept = rows_of(var / "registry.db")
    assert cleio("restore", str(backup))[0] == 0
    restored = generation(var / "registry.db")
    for step in range(1, 5):
        with pytest.MonkeyPatch.context() as patch:
            dying_at(step, patch, var)
            assert CliRunner().invoke(app, ["restore", "--undo"]).exit_code == 130
        for command in (("serve", "registry"), ("up",), ("restore", str(backup))):
            code, output = cleio(*command)
            assert code != 0
            assert "restore --undo" in last_line(output)
    assert cleio("restore", "--undo")[0] == 0
    assert rows_of(var / "registry.db") == kept
    assert generation(var / "registry.db") > restored


class Clock:
    """The clock of the programs, moved by ``shift``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shift = timedelta()
        clock = self

        class Moved(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return datetime.now(tz) + clock.shift

        for module in (
            "services.cli.backup",
            "services.cli.restore",
            "shared.feed.log",
            "services.registry.trials.writing",
        ):
            monkeypatch.setattr(f"{module}.datetime", Moved)


def test_a_clock_set_back_hides_no_backup_and_undoes_no_other_restore(
    var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    assert cleio("backup", str(tmp_path / "all"))[0] == 0
    before = generation(var / "registry.db")
    clock.shift = -timedelta(hours=1)
    change("LATER")
    later = rows_of(var / "registry.db")
    assert cleio("backup", str(tmp_path / "all"), "--tar")[0] == 0
    # The newest backup is the one with the latest feed position, whatever its name.
    assert cleio("backup", "verify", str(tmp_path / "all"))[0] == 0
    assert cleio("restore", str(tmp_path / "all"))[0] == 0
    assert rows_of(var / "registry.db") == later
    first = generation(var / "registry.db")
    assert first > before
    change("LAST")
    last = rows_of(var / "registry.db")
    clock.shift = -timedelta(hours=2)
    assert cleio("restore", str(tmp_path / "all"))[0] == 0
    assert generation(var / "registry.db") > first
    assert cleio("restore", "--undo")[0] == 0
    assert rows_of(var / "registry.db") == last


def test_a_backup_is_made_and_restored_on_a_leap_day(
    var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    clock.shift = datetime(2028, 2, 29, 23, 59, tzinfo=UTC) - datetime.now(UTC)
    change("ON A LEAP DAY")
    kept = rows_of(var / "registry.db")
    code, output = cleio("backup", str(tmp_path / "leap"))
    assert code == 0
    assert Path(last_line(output)).name.startswith("cleio-20280229T2359")
    change("A DAY LATER")
    assert cleio("restore", str(tmp_path / "leap"))[0] == 0
    assert rows_of(var / "registry.db") == kept


def test_no_copy_is_ahead_of_its_source_while_both_services_write(
    tmp_path: Path, installation_once: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(installation_once / "var", tmp_path / "running"))
    registry = ServiceProcess(folder)
    notifications = ServiceProcess(
        folder, "notifications", CLEIO_REGISTRY_URL=registry.url, CLEIO_NOTIFICATIONS_FEED_WAIT_SECONDS="1"
    )
    monkeypatch.setenv("CLEIO_DATA_DIR", str(folder))
    # Ports set by the operator.
    monkeypatch.setenv("CLEIO_REGISTRY_PORT", str(registry.port))
    monkeypatch.setenv("CLEIO_NOTIFICATIONS_PORT", str(notifications.port))

    async def backing_up() -> list[Manifest]:
        done, written = asyncio.Event(), 0

        async def write(writer: int) -> None:
            nonlocal written
            async with registry.admin() as admin:
                while not done.is_set():
                    answer = await admin.patch(TRIAL, json={"acronym": f"W-{writer}-{written}"}, headers=CONTENT)
                    assert answer.status_code in {200, 412, 503}, answer.text
                    written += answer.status_code == 200

        writing = [asyncio.create_task(write(writer)) for writer in range(2)]
        made = []
        for number in range(3):
            code, output = await asyncio.to_thread(cleio, "backup", str(tmp_path / f"{number}"))
            assert code == 0, output
            made.append(Manifest.read(Path(last_line(output))))
        done.set()
        await asyncio.gather(*writing)
        return made

    try:
        manifests = asyncio.run(backing_up())
    finally:
        registry.stop()
        notifications.stop()
    # Without a tail notifications had read nothing yet.
    tails = [manifest.services["notifications"].tails.get("registry") for manifest in manifests]
    heads = [manifest.services["registry"].feed for manifest in manifests]
    for tail, head in zip(tails, heads, strict=True):
        assert head is not None
        assert tail is None or not tail.after(head)
    first, last = tails[0], tails[-1]
    assert last is not None
    assert first is None or last.after(first), "the consumer stood still: nothing was shown"
