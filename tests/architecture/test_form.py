"""Check how the code is laid out: short files, meaningful names, packages everywhere, SQL only in its place."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(file for package in ("services", "shared") for file in (ROOT / package).rglob("*.py"))
LONGEST = 400
WITHOUT_MEANING = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?)($|_)")
HOMES_OF_SQL = re.compile(
    r"(^|/)(repository|tables|schema)\.py$|^services/[a-z]+/migrations/|^shared/(persistence|feed)/"
)
STATEMENT = re.compile(
    r"\s*(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|CREATE\s+(UNIQUE\s+|VIRTUAL\s+)?(TABLE|INDEX))\s",
    re.DOTALL,
)


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def names_without_meaning(file: Path, tree: ast.Module) -> list[str]:
    """Return the parts of the file's path and the names of its classes and functions that have no meaning."""
    defined = [
        node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    spoken = [
        re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        for name in (*file.relative_to(ROOT).with_suffix("").parts, *defined)
    ]
    return [name for name in spoken if WITHOUT_MEANING.search(name)]


def statements(tree: ast.Module) -> list[str]:
    """Return the string literals that are SQL statements."""
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [text for text in texts if STATEMENT.match(text)]


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in SOURCES}


def test_no_file_is_too_long() -> None:
    lengths = {name_of(file): len(file.read_text(encoding="utf-8").splitlines()) for file in SOURCES}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_names_have_a_meaning(trees: dict[Path, ast.Module]) -> None:
    assert {name_of(file): found for file, tree in trees.items() if (found := names_without_meaning(file, tree))} == {}


def test_sql_is_only_in_repositories_and_tables(trees: dict[Path, ast.Module]) -> None:
    outside = {
        name_of(file): found
        for file, tree in trees.items()
        if not HOMES_OF_SQL.search(name_of(file)) and (found := statements(tree))
    }
    assert outside == {}


def test_every_folder_of_code_is_a_package() -> None:
    # Import rules do not cover a folder without __init__.py.
    folders = {file.parent for file in SOURCES if file.parent.name != "versions"}
    assert [name_of(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("def helper(): ...", ["helper"]),
        ("class TrialManager: ...", ["trial_manager"]),
        ("class CommonMark: ...", ["common_mark"]),
        ("def commonest(): ...", []),
        ("class Site: ...", []),
    ],
)
def test_a_name_without_meaning_is_found(code: str, seen: list[str]) -> None:
    assert names_without_meaning(ROOT / "services" / "trial.py", ast.parse(code)) == seen


@pytest.mark.parametrize(
    ("text", "is_sql"),
    [
        ("SELECT id FROM trial", True),
        ("insert into trial values (1)", False),
        ("INSERT OR IGNORE INTO trial VALUES (1)", True),
        ("UPDATE feed_head SET seq = seq + 1", True),
        ("Select a trial from the list", False),
    ],
)
def test_a_statement_is_found(text: str, is_sql: bool) -> None:
    assert bool(statements(ast.parse(repr(text)))) is is_sql
