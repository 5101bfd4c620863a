"""Check that texts and names use standard terms, not the private words that the project once had for them."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What to write instead of each word.
PRIVATE = {
    "told|tells?|telling|untold": "notify, report, set, name, determine",
    "nobody|somebody|everybody|anybody": "name the caller, client, operator or person",
    "whoever|whosoever": "a caller that, any caller",
    "doors?": "gateway, API",
    "walls?|walled": "row-level security",
    "houses?|housekeepers?": "housekeeping, installation",
    "desks?": "service",
    "keepers?": "store",
    "crowds?": "aggregator, many callers",
    "hurry|hurried|hurries": "wake, at once",
    "spells?": "intervals",
    "stretch(?:es)?": "date range",
    "riddles?": "unclear",
}
WORD = re.compile(rf"\b({'|'.join(PRIVATE)})\b", re.IGNORECASE)
PART_OF_NAME = re.compile(rf"(?:^|_)({'|'.join(PRIVATE)})(?:_|$)")
# A docstring that begins so has no verb: "Who may call" names a subject and says nothing of it.
WITHOUT_VERB = re.compile(r"\s*(?:Who|Whom|Whose|Whoever|Nobody)\b")
# File → words that are right there, with the reason.
ALLOWED: dict[str, frozenset[str]] = {}
FILES = sorted(
    file for folder in ("services", "shared", "deploy") for file in (ROOT / folder).rglob("*.py") if file.is_file()
)
TEXTS = sorted(
    file
    for folder in ("services", "shared", "deploy")
    for file in (ROOT / folder).rglob("*")
    if file.suffix in {".yaml", ".yml", ".example", ".service", ".timer", ".sql", ".sh"} or file.name == "Caddyfile"
)


def remarks(source: str) -> Iterator[str]:
    """Yield a line for each private word in the texts, comments and names of a Python source.

    Texts are all string literals, docstrings included. Names are those of classes, functions and parameters.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for match in WORD.finditer(node.value):
                yield f"{node.lineno}: text: {match[0]}"
        name = getattr(node, "name", None) or getattr(node, "arg", None)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.arg) and name:
            words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
            for match in PART_OF_NAME.finditer(words):
                yield f"{node.lineno}: name: {match[1]}"
        has_docstring = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if has_docstring and WITHOUT_VERB.match(ast.get_docstring(node) or ""):
            yield f"{getattr(node, 'lineno', 1)}: docstring: begins with who"
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            for match in WORD.finditer(token.string):
                yield f"{token.start[0]}: comment: {match[0]}"


def remarks_of(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8")
    allowed = ALLOWED.get(file.relative_to(ROOT).as_posix(), frozenset())
    if file.suffix == ".py":
        found = list(remarks(text))
    else:
        found = [f"{text.count(chr(10), 0, match.start()) + 1}: text: {match[0]}" for match in WORD.finditer(text)]
    return [remark for remark in found if remark.rpartition(" ")[2] not in allowed]


def test_there_are_no_private_words() -> None:
    assert len(FILES) > 300
    assert {file.relative_to(ROOT).as_posix(): found for file in [*FILES, *TEXTS] if (found := remarks_of(file))} == {}


def test_every_exception_is_needed() -> None:
    for name, words in ALLOWED.items():
        found = {remark.rpartition(" ")[2] for remark in remarks((ROOT / name).read_text(encoding="utf-8"))}
        assert words <= found, name


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""The second wall."""', ["1: text: wall"]),
        ('raise Error("Nobody may")', ["1: text: Nobody"]),
        ("x = 1  # the caller is told\n", ["1: comment: told"]),
        ("class TrialDesk: ...", ["1: name: desk"]),
        ("def f(told): ...", ["1: name: told"]),
        ('def f():\n    """Who may call."""', ["1: docstring: begins with who"]),
        ('"""The spelling of a storey, wallet or doorway."""', []),
        ("position = file.tell()", []),
        ("def household(): ...", []),
    ],
)
def test_a_private_word_is_found(source: str, found: list[str]) -> None:
    assert sorted(remarks(source)) == found
