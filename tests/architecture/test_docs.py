"""What the documents, tests and comments point at is there."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Files of this project that a text names by their path.
PATH = re.compile(
    r"(?<![\w./-])(?:docs|tests|deploy|services|shared)/[\w./-]+\.(?:md|py|txt|json|yaml|toml|sql|mjs)(?!\w)"
)
SUFFIXES = {".md", ".py", ".txt", ".toml", ".yaml", ".example", ".service"}
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
DECISION = re.compile(r"\bdecisions? (\d{1,2})\b")


def texts() -> dict[Path, str]:
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    files = [
        ROOT / name
        for name in names
        if Path(name).suffix in {".md", ".py", ".txt", ".toml", ".yaml", ".example", ".service"}
        and (ROOT / name).is_file()
    ]
    return {file: file.read_text(encoding="utf-8") for file in files}


def test_every_file_that_is_named_exists() -> None:
    named = {(file, path) for file, text in texts().items() for path in PATH.findall(text)}
    assert len(named) > 50
    assert sorted(f"{file.relative_to(ROOT)}: {path}" for file, path in named if not (ROOT / path).exists()) == []


def test_every_link_leads_somewhere() -> None:
    links = {(file, link) for file, text in texts().items() if file.suffix == ".md" for link in LINK.findall(text)}
    assert len(links) > 5
    assert (
        sorted(f"{file.relative_to(ROOT)}: {link}" for file, link in links if not (file.parent / link).exists()) == []
    )


def test_every_decision_that_is_named_was_written_down() -> None:
    written = {int(file.name[:4]) for file in (ROOT / "docs" / "decisions").glob("[0-9]*.md")}
    named = {(file, int(number)) for file, text in texts().items() for number in DECISION.findall(text)}
    assert len(written) == len(list((ROOT / "docs" / "decisions").glob("[0-9]*.md")))
    assert (
        sorted(f"{file.relative_to(ROOT)}: decision {number}" for file, number in named if number not in written) == []
    )
