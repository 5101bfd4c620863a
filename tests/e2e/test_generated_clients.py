"""Clients generated from docs/openapi/matching.json by the usual generators for Python and TypeScript make a match."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import node_packages
from tests.e2e.conftest import ROOT, System

DOCUMENT = ROOT / "docs" / "openapi" / "matching.json"
PYTHON, TYPESCRIPT = ROOT / "tests" / "python_client", ROOT / "tests" / "node" / "client"
MATCH = "/matching/v1/match"
PATIENT = {
    "as_of": "2025-11-22",
    "birth_date": "2021-12-20",
    "sex": "male",
    "facts": [{"id": "diagnosis", "kind": "condition", "codes": ["ORPHA:98896"]}],
}


def run(*command: str | Path, environment: Mapping[str, str] | None = None, **options: Any) -> str:
    """The standard output of a program, which must end well."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def verdicts(answer: Mapping[str, Any]) -> dict[str, str]:
    return {result["trial"]: result["verdict"] for result in answer["results"]}


@pytest.fixture
def expected(system: System) -> dict[str, str]:
    """The verdicts that the service gives to a client without types."""
    with system.client() as client:
        answer = client.post(MATCH, json=PATIENT)
    assert answer.status_code == 200, answer.text
    assert len(verdicts(answer.json())) > 1
    return verdicts(answer.json())


@pytest.fixture(scope="module")
def generator() -> dict[str, str]:
    """The environment in which the generator of Python clients runs, installed once for each state of its lock."""
    folder, lock = PYTHON / "build", PYTHON / "requirements.lock"
    stamp, state = folder / ".installed", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text(encoding="ascii") != state:
        shutil.rmtree(folder, ignore_errors=True)
        options = ("--quiet", "--disable-pip-version-check", "--require-hashes", "--target", folder, "-r", lock)
        run(sys.executable, "-m", "pip", "install", *options)
        stamp.write_text(state, encoding="ascii")
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"  # it formats with the ruff that it finds
    return {**os.environ, "PYTHONPATH": str(folder), "PATH": path}


@pytest.mark.full
def test_a_python_client_is_generated_imported_and_matches(
    system: System, expected: dict[str, str], generator: dict[str, str], tmp_path: Path
) -> None:
    said = run(
        *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"),
        *("--path", DOCUMENT, "--output-path", tmp_path / "cleio_matching"),
        environment=generator,
    )
    assert "WARNING" not in said
    match = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"][MATCH]["post"]
    module = f"{match['tags'][0]}.{match['operationId']}"
    environment = {**generator, "PYTHONPATH": f"{generator['PYTHONPATH']}{os.pathsep}{tmp_path}"}
    answer = run(
        *(sys.executable, PYTHON / "match.py", "cleio_matching", module, "Patient", system.url),
        input=json.dumps(PATIENT),
        environment=environment,
    )
    assert verdicts(json.loads(answer)) == expected


@pytest.mark.full
def test_a_typescript_client_is_generated_compiled_and_matches(
    system: System, expected: dict[str, str], tmp_path: Path
) -> None:
    node_packages.install(TYPESCRIPT)
    for name in ("match.ts", "package.json", "tsconfig.json"):
        shutil.copyfile(TYPESCRIPT / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(TYPESCRIPT / "node_modules")
    packages = TYPESCRIPT / "node_modules"
    generate = packages / "openapi-typescript" / "bin" / "cli.js"
    # A property with a default stays optional: the same types serve requests and answers.
    options = ("--default-non-nullable", "false", "--output", tmp_path / "matching.d.ts")
    run(node_packages.NODE, generate, DOCUMENT, *options, cwd=tmp_path)
    run(node_packages.NODE, packages / "typescript" / "bin" / "tsc", "--project", tmp_path)
    assert json.loads(run(node_packages.NODE, tmp_path / "match.ts", system.url)) == expected
