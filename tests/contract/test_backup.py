"""Backup and restore: a copy is one consistent state, and nothing is replaced before all is checked."""

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2 as sqlite
from typer.testing import CliRunner

from services.cli.app import app
from services.cli.databases import migrate_service
from services.registry.app import create_app
from shared.operations.backups.manifest import Manifest
from shared.settings import ServiceSettings
from shared.values.cursors import Cursors
from tests.conftest import ADMIN, client_of, installation_at
from tests.contract.network import Network
from tests.contract.notifications import until
from tests.contract.processes import ServiceProcess
from tests.contract.test_assertions import administered

CONTENT = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
TRIAL = "/registry/v1/trials/NCT05096221"


def cleio(*arguments: str) -> tuple[int, str]:
    """Run a command; return its exit code and output."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def run(work: Awaitable[Any]) -> Any:
    async def working() -> Any:
        return await work

    return asyncio.run(working())


def rows_of(file: Path, *, leaving_out: str = "feed_head") -> dict[str, list[Any]]:
    with closing(sqlite.connect(str(file))) as connection:
        tables = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if row[0] != leaving_out
        ]
        return {table: sorted(connection.execute(f'SELECT * FROM "{table}"'), key=repr) for table in tables}


def generation(file: Path) -> int:
    with closing(sqlite.connect(str(file))) as connection:
        return int(connection.execute("SELECT generation FROM feed_head").fetchone()[0])


def change(acronym: str) -> int:
    """Change a trial through the API of a registry that runs only for this; return the new version."""

    async def patch() -> int:
        registry = create_app()
        async with registry.router.lifespan_context(registry), client_of(registry, token=ADMIN) as admin:
            answer = await admin.patch(TRIAL, content=json.dumps({"acronym": acronym}), headers=CONTENT)
            assert answer.status_code == 200, answer.text
            return int(answer.json()["version"])

    return int(asyncio.run(patch()))


@pytest.fixture(scope="module")
def var_once(stocked_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped installation with the bundled sample and one change."""
    folder = tmp_path_factory.mktemp("installation") / "var"
    folder.mkdir()
    shutil.copyfile(stocked_file, folder / "registry.db")
    with installation_at(folder):
        run(migrate_service("notifications"))
        change("BEFORE")
    return folder


@pytest.fixture
def var(var_once: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it for one test."""
    monkeypatch.setenv("CLEIO_REGISTRY_LOAD_SAMPLE", "true")
    return Path(shutil.copytree(var_once, ServiceSettings().data_dir))


@pytest.fixture
def backup(var: Path, tmp_path: Path) -> Path:
    code, output = cleio("backup", str(tmp_path / "kept"))
    assert code == 0, output
    return Path(output.splitlines()[-1])


def test_a_restore_brings_back_every_row_and_begins_a_new_generation(var: Path, backup: Path) -> None:
    kept, before = rows_of(var / "registry.db"), generation(var / "registry.db")
    change("AFTER")
    assert rows_of(var / "registry.db") != kept
    assert cleio("restore", str(backup))[0] == 0
    assert rows_of(var / "registry.db") == kept
    first = generation(var / "registry.db")
    assert first > before
    # Restoring the same backup twice begins two generations.
    assert cleio("restore", str(backup))[0] == 0
    assert generation(var / "registry.db") > first


def test_a_restore_can_be_undone(var: Path, backup: Path) -> None:
    change("AFTER")
    kept = rows_of(var / "registry.db")
    assert cleio("restore", str(backup))[0] == 0
    restored = generation(var / "registry.db")
    assert cleio("restore", "--undo")[0] == 0
    assert rows_of(var / "registry.db") == kept
    assert generation(var / "registry.db") > restored
    assert cleio("restore", "--undo")[0] == 1


def test_a_restore_lists_the_callers_that_regain_access(var: Path, backup: Path, tmp_path: Path) -> None:
    """A backup does not know later revocations, suspensions and changes of keys."""

    async def make() -> list[str]:
        registry = create_app()
        async with registry.router.lifespan_context(registry):
            network = await administered(Network(registry, ""))
            name = await network.organisation()
            closed = await network.organisation()
            made = [await network.client(one, "admin") for one in (name, name, name, closed)]
            return [name, closed, *(one["id"] for one in made), made[2]["key"], network.admin]

    async def end(name: str, closed: str, revoked: str, turned: str, key: str, admin: str) -> None:
        registry = create_app()
        async with registry.router.lifespan_context(registry):
            network = Network(registry, "", admin)
            path, anyway = f"/registry/v1/organisations/{name}/clients", {"If-Match": "*"}
            answers = [
                await network.call("DELETE", f"{path}/{revoked}", key, headers=anyway),
                await network.call("POST", f"{path}/{turned}/rotate", key, json={"overlap_hours": 0}, headers=anyway),
                await network.call(
                    "PUT",
                    f"/registry/v1/organisations/{closed}",
                    admin,
                    json={"kind": "hospital", "name": "x", "status": "suspended"},
                    headers=anyway,
                ),
            ]
            assert [answer.status_code for answer in answers] == [204, 200, 200]

    name, closed, revoked, turned, kept, shut, key, admin = asyncio.run(make())
    code, output = cleio("backup", str(tmp_path / "later"))
    later = Path(output.splitlines()[-1])
    assert "call again" not in cleio("restore", str(later))[1], "nothing was ended since"
    asyncio.run(end(name, closed, revoked, turned, key, admin))
    code, output = cleio("restore", str(later))
    assert code == 0, output
    for client, organisation in ((revoked, name), (turned, name), (shut, closed)):
        assert f"  client {client} of {organisation}" in output.splitlines()
    assert kept not in output
    (var / "registry.db").write_bytes(b"broken")
    assert "revoke again what must stay revoked" in cleio("restore", str(later))[1], "no caller can be named any more"


def test_a_backup_is_restored_into_an_empty_folder(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEIO_DATA_DIR", str(tmp_path / "elsewhere"))
    assert cleio("restore", str(backup.parent))[0] == 0
    assert rows_of(tmp_path / "elsewhere" / "registry.db") == rows_of(tmp_path / "var" / "registry.db")
    assert change("LATER") == 3


@pytest.mark.parametrize("way", ["folder", "tar"])
def test_secrets_are_in_a_backup_only_on_request(
    var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    secrets = var / "secrets"
    secrets.mkdir()
    (secrets / "cursor-key").write_text("of the former machine", encoding="ascii")
    arguments = ["backup", str(tmp_path / "kept"), "--with-secrets", *(["--tar"] if way == "tar" else [])]
    code, output = cleio(*arguments)
    assert code == 0, output
    made = Path(output.splitlines()[-1])
    assert made.stat().st_mode & 0o077 == 0
    assert cleio("backup", "verify", str(made))[0] == 0
    shutil.rmtree(secrets)
    assert cleio("restore", str(made))[0] == 0
    assert (secrets / "cursor-key").read_text(encoding="ascii") == "of the former machine"
    assert (secrets / "cursor-key").stat().st_mode & 0o077 == 0


def damage_a_page(folder: Path) -> None:
    file = folder / "registry.db"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def damage_a_page_and_its_digest(folder: Path) -> None:
    """Damage a page and correct the digest, as on a disk that failed before the backup was made."""
    file = folder / "registry.db"
    content = bytearray(file.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    file.write_bytes(content)
    rewrite(folder, registry={"sha256": __import__("hashlib").sha256(content).hexdigest()})


def rewrite(folder: Path, **services: dict[str, Any]) -> None:
    """Change the manifest and compute its digest anew."""
    manifest = Manifest.read(folder)
    changed = {name: copy.model_copy(update=services.get(name, {})) for name, copy in manifest.services.items()}
    manifest.model_copy(update={"services": changed}).write(folder)


def read_ahead(folder: Path) -> None:
    """Set the cursor of notifications beyond the end of the registry's copy."""
    settings = ServiceSettings()
    ahead = Cursors(settings.cursor_key_bytes).seal("feed:registry", [1, 1_000_000])
    with closing(sqlite.connect(str(folder / "notifications.db"), isolation_level=None)) as connection:
        connection.execute("INSERT INTO tails VALUES ('registry', ?)", (f"/registry/v1/feed?cursor={ahead}",))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a page": damage_a_page,
    "a page and its digest": damage_a_page_and_its_digest,
    "a file missing": lambda folder: (folder / "notifications.db").unlink(),
    "a file cut": lambda folder: os.truncate(folder / "registry.db", 8192),
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "an edited manifest": lambda folder: (folder / "manifest.json").write_text(
        (folder / "manifest.json").read_text().replace('"rebuilt"', '"remade"')
    ),
    "another number of rows": lambda folder: rewrite(folder, registry={"rows": {"trials": 1}}),
    "a schema of the future": lambda folder: rewrite(folder, registry={"schema_head": "9999"}),
    "a consumer ahead": lambda folder: rewrite(
        folder, notifications={"tails": {"registry": {"generation": 1, "seq": 10**6}}}
    ),
    "a service missing": lambda folder: Manifest.read(folder).model_copy(update={"services": {}}).write(folder),
}


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_is_refused_before_anything_changes(var: Path, backup: Path, damage: str) -> None:
    kept = rows_of(var / "registry.db", leaving_out="")
    DAMAGES[damage](backup)
    for command in (("backup", "verify"), ("restore",)):
        code, output = cleio(*command, str(backup))
        assert code == 1
        assert output.splitlines()[-1].startswith("cleio: ")
    assert rows_of(var / "registry.db", leaving_out="") == kept
    assert not list(var.glob("*restore*"))


def test_an_inconsistent_backup_is_not_made(var: Path, tmp_path: Path) -> None:
    read_ahead(var)
    code, output = cleio("backup", str(tmp_path / "kept"))
    assert code == 1
    assert "has read further" in output
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_backup_with_other_keys_is_refused(var: Path, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEIO_CURSOR_KEY", "B" * 86 + "==")
    code, output = cleio("restore", str(backup))
    assert code == 1
    assert "another cursor key" in output


def test_a_dry_run_changes_nothing(var: Path, backup: Path) -> None:
    change("AFTER")
    kept = rows_of(var / "registry.db", leaving_out="")
    code, output = cleio("restore", str(backup), "--dry-run")
    assert code == 0
    assert "dry run" in output
    assert rows_of(var / "registry.db", leaving_out="") == kept


def test_after_an_interrupted_restore_nothing_starts_until_it_is_undone(
    var: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change("AFTER")
    kept = rows_of(var / "registry.db")
    renamed: list[Path] = []
    rename = Path.rename

    def dying(self: Path, target: Path) -> Path:
        if self.parent == var and len(renamed) == 1:
            raise KeyboardInterrupt
        if self.parent == var:
            renamed.append(self)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", dying)
    assert CliRunner().invoke(app, ["restore", str(backup)]).exit_code == 130
    monkeypatch.undo()
    monkeypatch.setenv("CLEIO_DATA_DIR", str(var))
    for command in (("serve", "registry"), ("up",), ("restore", str(backup))):
        code, output = cleio(*command)
        assert code != 0
        assert "restore --undo" in output
    assert cleio("restore", "--undo")[0] == 0
    assert rows_of(var / "registry.db") == kept


@pytest.fixture
def registry(tmp_path: Path, var: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceProcess]:
    running = ServiceProcess(var)
    monkeypatch.setenv("CLEIO_REGISTRY_URL", running.url)
    yield running
    running.stop()


def test_a_running_service_is_copied_while_it_writes_and_is_never_replaced(
    registry: ServiceProcess, tmp_path: Path
) -> None:
    async def backing_up() -> list[Path]:
        written = during = 0
        done = asyncio.Event()

        async def write() -> None:
            nonlocal written
            async with registry.admin() as admin:
                while not done.is_set():
                    answer = await admin.patch(TRIAL, content=json.dumps({"acronym": f"W-{written}"}), headers=CONTENT)
                    assert answer.status_code == 200, answer.text
                    written += 1

        writing = asyncio.create_task(write())
        await until(lambda: written)
        made = []
        for number in range(3):
            before = written
            code, output = await asyncio.to_thread(cleio, "backup", str(tmp_path / f"kept-{number}"))
            assert code == 0, output
            assert "from the running service" in output
            during += written - before
            made.append(Path(output.splitlines()[-1]))
        done.set()
        await writing
        assert during
        return made

    for made in asyncio.run(backing_up()):
        rows = rows_of(made / "registry.db", leaving_out="")
        (_, _, head) = rows["feed_head"][0]
        assert sorted(row[0] for row in rows["feed_entries"]) == list(range(1, head + 1))
        assert cleio("backup", "verify", str(made))[0] == 0
    code, output = cleio("restore", str(tmp_path / "kept-0"))
    assert code == 1
    assert "stop it first" in output


@pytest.mark.parametrize("token", ["", ADMIN])
def test_the_copy_is_only_for_the_installation_s_own_programs(registry: ServiceProcess, token: str) -> None:
    import httpx

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    assert httpx.get(f"{registry.url}/backup", headers=headers, trust_env=False).status_code in {401, 404}
