"""Each import rule of pyproject.toml holds for the code as it is, and fails as soon as it is broken."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# contract → (the module that is made to break it, the line that does)
BREAKS = {
    "independent-services": ("services/matching/settings.py", "import services.registry.settings"),
    "shared-is-below": ("shared/values/cursors.py", "import services.registry.settings"),
    "supervisor-runs-programs": ("services/supervisor/readiness.py", "import services.registry.app"),
    "pure-engine": ("services/matching/engine/kleene.py", "import time"),
    "pure-criteria": ("shared/criteria/durations.py", "import pathlib"),
    "layers-of-a-feature": ("services/registry/trials/repository.py", "import services.registry.trials.service"),
    "sql-in-repositories": ("services/registry/trials/service.py", "import sqlalchemy"),
    "httpx-home": ("services/registry/trials/service.py", "import httpx"),
    "aiohttp-home": ("services/notifications/settings.py", "import aiohttp"),
    "spans-home": ("shared/clients/internal.py", "import opentelemetry"),
}


CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}


def lint(folder: Path) -> tuple[int, str]:
    program = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run(
        [program, "--no-logo", "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    return result.returncode, result.stdout + result.stderr


@pytest.fixture(scope="module")
def told_of_broken_code(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of a copy of the code in which every contract is broken once."""
    folder = tmp_path_factory.mktemp("code")
    for package in ("services", "shared", "tests/architecture"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "*.json"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for file, line in BREAKS.values():
        with (folder / file).open("a", encoding="utf-8") as module:
            module.write(f"\n\ndef _break() -> None:\n    {line}\n")
    code, told = lint(folder)
    assert code == 1, told
    return told


def test_the_code_keeps_every_contract() -> None:
    code, told = lint(ROOT)
    assert code == 0, told


def test_every_contract_has_a_break() -> None:
    assert CONTRACTS.keys() == BREAKS.keys()


@pytest.mark.parametrize("contract", BREAKS)
def test_a_broken_contract_is_seen(told_of_broken_code: str, contract: str) -> None:
    name = CONTRACTS[contract]["name"]
    file, line = BREAKS[contract]
    assert f"{name} BROKEN" in told_of_broken_code
    # Its own section names the import that was added.
    section = told_of_broken_code.split(f"\n{name}\n---", 1)[1].split("\n---", 1)[0]
    importer = file.removesuffix(".py").replace("/", ".")
    assert importer in section
    assert line.removeprefix("import ") in section
