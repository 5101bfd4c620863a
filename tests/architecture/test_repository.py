"""Check that tracked files are text of moderate size: a binary or large file in the history stays in every clone."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_BYTES = 1024 * 1024
# Of the pages, written by `make pictures`: bytes of each, and of all.
PICTURES = ROOT / "docs" / "pictures"
MAX_PICTURE, MAX_PICTURES = 150_000, 1536 * 1024
# Larger text files, each with its reason.
LARGE: frozenset[str] = frozenset({"docs/openapi/registry.json"})  # generated: every route with its examples


def is_binary(content: bytes) -> bool:
    """Return whether Git and editors would treat the content as binary: it has a NUL byte or is not UTF-8."""
    try:
        return "\0" in content.decode("utf-8")
    except UnicodeDecodeError:
        return True


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    return [file for name in names if name and (file := ROOT / name.decode()).is_file() and not file.is_symlink()]


def test_no_binary_is_tracked() -> None:
    files = tracked()
    assert len(files) > 200
    binary = [file for file in files if is_binary(file.read_bytes())]
    pictures = [file for file in binary if file.parent == PICTURES and file.suffix == ".png"]
    assert [file.relative_to(ROOT).as_posix() for file in binary if file not in pictures] == []
    assert all(file.stat().st_size <= MAX_PICTURE for file in pictures)
    assert sum(file.stat().st_size for file in pictures) < MAX_PICTURES


def test_no_unlisted_large_file_is_tracked() -> None:
    large = {file.relative_to(ROOT).as_posix() for file in tracked() if file.stat().st_size > MAX_BYTES}
    assert large == LARGE


@pytest.mark.parametrize(
    ("content", "binary"),
    [(b"PK\x03\x04\0\0", True), (b"\x89PNG\r\n", True), ("déjà\n".encode(), False), (b"", False)],
)
def test_a_binary_is_detected(content: bytes, *, binary: bool) -> None:
    assert is_binary(content) is binary
