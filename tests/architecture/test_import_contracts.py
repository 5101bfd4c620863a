"""Check each import contract of pyproject.toml: the code keeps it, and breaking it is reported."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# contract → (the module that breaks it, the line that does)
BREAKS = {
    "independent-services": ("services/matching/settings.py", "import services.registry.settings"),
    "shared-is-below": ("shared/values/cursors.py", "import services.registry.settings"),
    "supervisor-runs-programs": ("services/supervisor/readiness.py", "import services.registry.app"),
    "pure-engine": ("services/matching/engine/kleene.py", "import time"),
    "pure-criteria": ("shared/criteria/durations.py", "import pathlib"),
    "pure-terminology": ("shared/terminology/hierarchy.py", "import pathlib"),
    "layers-of-a-feature": ("services/registry/trials/repository.py", "import services.registry.trials.service"),
    "sql-in-repositories": ("services/registry/trials/service.py", "import sqlalchemy"),
    "httpx-home": ("services/registry/trials/service.py", "import httpx"),
    "aiohttp-home": ("services/notifications/settings.py", "import aiohttp"),
    "spans-home": ("shared/clients/internal.py", "import opentelemetry"),
    "layers-of-shared": ("shared/idempotency/marks.py", "import shared.access.policy"),
    "endpoints-apart": ("services/registry/centres/endpoints.py", "import services.registry.sources.endpoints"),
    "tables-in-repositories": ("services/registry/centres/endpoints.py", "import services.registry.centres.tables"),
    "features-without-cycles": (
        "services/matching/snapshots/files.py",
        "import services.matching.evaluations.endpoints",
    ),
}
# The linter's report on a broken contract, where it does not name the import that breaks it.
SECTIONS = {"features-without-cycles": ["No cycles are allowed in services.matching."]}


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
def report_on_broken_code(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the linter's report on a copy of the code in which every contract is broken once."""
    folder = tmp_path_factory.mktemp("code")
    for package in ("services", "shared", "tests/architecture"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "*.json"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for file, line in BREAKS.values():
        with (folder / file).open("a", encoding="utf-8") as module:
            module.write(f"\n\ndef _break() -> None:\n    {line}\n")
    code, report = lint(folder)
    assert code == 1, report
    return report


def test_the_code_keeps_every_contract() -> None:
    code, report = lint(ROOT)
    assert code == 0, report


def test_every_contract_has_a_break() -> None:
    assert CONTRACTS.keys() == BREAKS.keys()


@pytest.mark.parametrize("contract", BREAKS)
def test_a_broken_contract_is_reported(report_on_broken_code: str, contract: str) -> None:
    name = CONTRACTS[contract]["name"]
    file, line = BREAKS[contract]
    assert f"{name} BROKEN" in report_on_broken_code
    # The section of the contract names the import that was added.
    section = report_on_broken_code.split(f"\n{name}\n---", 1)[1].split("\n---", 1)[0]
    importer, imported = file.removesuffix(".py").replace("/", "."), line.removeprefix("import ")
    for expected in SECTIONS.get(contract, [importer, imported]):
        assert expected in section
