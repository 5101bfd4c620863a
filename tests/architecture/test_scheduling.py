"""The distribution of tests to workers (tests/scheduling.py) names the files that exist and share an installation."""

import ast
from pathlib import Path

import pytest

from tests.scheduling import FOLDERS, ON_BOTH, ORDER, SPREAD, TOGETHER, unit_of_work

ROOT = Path(__file__).resolve().parents[2]
SHARED = {"system", "inhabited", "traced"}  # the fixtures of tests/e2e/conftest.py with the scope of a session


def shared_installations(file: Path) -> set[str]:
    """The shared installations that the tests of a file ask for, and not those that it makes itself."""
    functions = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, FUNCTIONS)]
    asked = {argument.arg for node in functions if used(node) for argument in node.args.args}
    return SHARED & asked - {node.name for node in functions}


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def used(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether pytest fills in the arguments of this function."""
    return node.name.startswith("test_") or any("fixture" in ast.unparse(one) for one in node.decorator_list)


def test_files_that_share_an_installation_run_on_one_worker() -> None:
    found = {
        file.relative_to(ROOT).as_posix(): names
        for file in sorted((ROOT / "tests" / "e2e").glob("test_*.py"))
        if (names := shared_installations(file))
    }
    assert {file: {name} for file, name in TOGETHER.items()} == found


def test_every_name_in_the_schedule_exists() -> None:
    assert [name for name in (*ORDER, *SPREAD, *TOGETHER, *FOLDERS, *ON_BOTH) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("test", "unit"),
    [
        ("tests/unit/test_cli_config.py::test_b[c::d]", "tests/unit/test_cli_config.py"),
        ("tests/e2e/test_gateway.py::test_b", "system"),
        ("tests/browser/test_home.py::test_b", "site"),
        ("tests/oracle/test_engine_agrees.py::test_b[0]", "tests/oracle/test_engine_agrees.py::test_b[0]"),
    ],
)
def test_a_test_belongs_to_a_unit(test: str, unit: str) -> None:
    assert unit_of_work(test) == unit
