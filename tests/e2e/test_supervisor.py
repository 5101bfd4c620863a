"""`cleio up`: one line when it cannot start, services that are restarted, and nothing left running after it stops."""

import os
import signal
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.e2e.conftest import System, alive, eventually

PROGRAMS = {"registry", "matching", "notifications", "portal", "caddy"}


def test_ready_means_that_each_service_answers_through_the_gateway(system: System) -> None:
    with system.client() as client:
        assert client.get("/registry/v1/trials", params={"limit": "1"}).json()["items"]
        assert client.get("/matching/readyz").status_code == 200
        assert client.get("/notifications/readyz").status_code == 200
    assert system.programs().keys() == PROGRAMS


def test_secrets_are_readable_only_by_their_owner(system: System) -> None:
    folder = system.folder / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {
        "internal-token": 0o600,
        "cursor-key": 0o600,
        "audit-key": 0o600,
    }


def test_a_taken_port_is_reported_in_one_line(tmp_path: Path) -> None:
    first = free_port(4)
    for offset, variable in enumerate(
        ["CLEIO_PORT", "CLEIO_REGISTRY_PORT", "CLEIO_MATCHING_PORT", "CLEIO_NOTIFICATIONS_PORT"]
    ):
        with socket.create_server(("127.0.0.1", first + offset)):
            refused = System(tmp_path / "var", first)
            lines = refused.read_to_the_end()
        assert refused.process.returncode == 1
        assert len(lines) == 1
        assert str(first + offset) in lines[0]
        assert f"{variable}=" in lines[0]


def test_a_second_one_on_the_same_folder_is_reported_in_one_line(system: System) -> None:
    second = System(system.folder)
    lines = second.read_to_the_end()
    assert second.process.returncode == 1
    assert len(lines) == 1
    assert str(system.process.pid) in lines[0]
    assert "CLEIO_DATA_DIR" in lines[0]


def test_a_killed_service_is_restarted_alone(system: System) -> None:
    for name in ("registry", "matching", "notifications"):
        before = system.programs()
        os.kill(before[name], signal.SIGKILL)
        # Until the service is back the gateway delays a request or answers 502 or 503.
        with system.client() as client:
            statuses: list[int] = []

            def answers(client: object = client, name: str = name, statuses: list[int] = statuses) -> bool:
                statuses.append(client.get(f"/{name}/readyz").status_code)  # type: ignore[attr-defined]
                return statuses[-1] == 200

            assert eventually(answers, 60)
        assert set(statuses) <= {200, 502, 503}
        after = system.programs()
        assert after[name] != before[name]
        assert {other: pid for other, pid in after.items() if other != name} == {
            other: pid for other, pid in before.items() if other != name
        }


def test_a_killed_gateway_is_restarted(system: System) -> None:
    before = system.programs()
    os.kill(before["caddy"], signal.SIGKILL)

    def serves_again() -> bool:
        with socket.socket() as probe:
            return (
                system.programs().get("caddy", before["caddy"]) != before["caddy"]
                and probe.connect_ex(("127.0.0.1", system.port)) == 0
            )

    assert eventually(serves_again, 60)
    with system.client() as client:
        assert client.get("/registry/v1/trials", params={"limit": "1"}).status_code == 200


def test_interrupt_before_ready_stops_everything(tmp_path: Path) -> None:
    starting = System(tmp_path / "var")
    try:
        assert eventually(lambda: len(starting.programs()) >= 3, 60)
        programs = starting.programs()
        starting.process.send_signal(signal.SIGINT)
        assert starting.process.wait(timeout=5) == 0
        assert [name for name, pid in programs.items() if alive(pid)] == []
    finally:
        starting.end()


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A running system for the following three tests; the last one kills it."""
    running = System(tmp_path_factory.mktemp("disturbed") / "var", CLEIO_HANG_TIMEOUT="3")
    try:
        running.read_until("ready in")
        yield running
    finally:
        running.end()


def test_few_lines_precede_ready(disturbed: System) -> None:
    assert len(disturbed.lines) <= 10, disturbed.lines
    assert "creating a new installation" in disturbed.lines[0]
    assert any("registry is ready" in line for line in disturbed.lines)


def test_a_hung_service_is_replaced(disturbed: System) -> None:
    before = disturbed.programs()
    # Wait for a first probe: a process that never answered counts as starting.
    time.sleep(2)
    os.kill(before["registry"], signal.SIGSTOP)
    disturbed.read_until("has not answered for 3 s: killed")
    with disturbed.client() as client:
        assert eventually(lambda: client.get("/registry/v1/trials?limit=1").status_code == 200, 60)
    after = disturbed.programs()
    assert after["registry"] != before["registry"]
    assert {name: pid for name, pid in after.items() if name != "registry"} == {
        name: pid for name, pid in before.items() if name != "registry"
    }


def test_a_killed_supervisor_leaves_no_orphans_and_term_stops_everything_in_five_seconds(
    disturbed: System, figure: Callable[[str, object], None]
) -> None:
    programs = disturbed.programs()
    disturbed.process.kill()
    disturbed.process.wait()
    assert eventually(lambda: not any(alive(pid) for pid in programs.values()), 3)
    # The folder and the ports are free again at once.
    following = System(disturbed.folder, disturbed.port)
    try:
        ready = following.read_until("ready in")
        figure("second start on the same data", ready.partition(" | ")[2].partition(": http")[0])
        programs = following.programs()
        assert programs.keys() == PROGRAMS
        following.process.send_signal(signal.SIGTERM)
        assert following.process.wait(timeout=5) == 0
        assert [name for name, pid in programs.items() if alive(pid)] == []
        lines = following.read_to_the_end()
        assert lines[-1].endswith("stopped")
        assert [line for line in lines if '"warning"' in line] == []
    finally:
        following.end()


def test_a_failed_start_leaves_no_folder(tmp_path: Path) -> None:
    first = free_port(4)
    with socket.create_server(("127.0.0.1", first)):
        System(tmp_path / "var", first).read_to_the_end()
    assert not (tmp_path / "var").exists()


def test_a_file_as_data_folder_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    refused = System(tmp_path / "var")
    lines = refused.read_to_the_end()
    assert (refused.process.returncode, len(lines)) == (1, 1)
    assert "CLEIO_DATA_DIR names a file" in lines[0]


@pytest.mark.parametrize("arguments", [("migrate",), ("backup", "{folder}/backup"), ("config",), ("audit", "verify")])
def test_a_command_creates_no_installation(system: System, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    typed = [argument.format(folder=tmp_path) for argument in arguments]
    refused = system.cleio(*typed, check=False, CLEIO_DATA_DIR=str(tmp_path / "var"))
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (1, "", 1)
    assert "CLEIO_DATA_DIR" in refused.stderr
    assert "/etc/cleio/cleio.env" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_setting_is_named(tmp_path: Path) -> None:
    refused = System(tmp_path / "var", CLEIO_PORT="0", CLEIO_PROT="1")
    assert "did you mean CLEIO_PORT?" in refused.read_to_the_end()[0]
