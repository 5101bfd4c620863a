"""List every locked package with its version and licence, and refuse licences that are not on the list below.

`make sbom` runs it with the lock file and the file to write. The licence is the one that the package's metadata
declare. Exit code 1: a licence is not allowed; one line for each.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

LOCKED = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)")
UNDECLARED = "not declared"
ABSENT = "not installed on this platform"

# Permissive licences, and MPL-2.0, whose copyleft covers only its own files.
ALLOWED = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Zlib"}
)
# SPDX identifiers of the names used in classifiers and free texts.
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Read in the package by a person: its metadata declare none, or it is not installed on every platform.
CHECKED_BY_HAND = {
    "axe-playwright-python": "MIT AND MPL-2.0",  # the second is that of axe-core, which it contains
    "colorama": "BSD-3-Clause",
    "pysqlite3": "Zlib",
}
# A heading of classifiers, which names no licence itself.
HEADINGS = frozenset({"OSI Approved"})


def licence_of(name: str) -> str:
    """Return the licence of a package: its SPDX expression, else its classifiers, else a line of its free text."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return CHECKED_BY_HAND.get(name, ABSENT)
    if expression := about.get("License-Expression"):
        return str(expression)
    classifiers = [
        text.rpartition(" :: ")[2] for text in about.get_all("Classifier") or [] if text.startswith("License :: ")
    ]
    if classifiers:
        named = [text for text in classifiers if text not in HEADINGS] or classifiers
        return " AND ".join(SPDX.get(name, name) for name in named)
    lines = str(about.get("License") or "").strip().splitlines()
    declared = lines[0][:80] if lines else CHECKED_BY_HAND.get(name, UNDECLARED)
    return SPDX.get(declared, declared)


def is_allowed(licence: str) -> bool:
    """Check that every part of an ``AND``, or one part of an ``OR``, is allowed.

    Expressions with brackets are not parsed: they are not allowed until a person has read them.
    """
    if " OR " in licence:
        return any(map(is_allowed, licence.split(" OR ")))
    return all(part in ALLOWED for part in licence.split(" AND "))


def locked(lock: Path) -> list[tuple[str, str]]:
    """Return name and version of every package in a lock file."""
    return sorted(
        {match.group(1, 2) for line in lock.read_text(encoding="utf-8").splitlines() if (match := LOCKED.match(line))}
    )


def main(lock: Path, report: Path) -> int:
    found = [(name, version, licence_of(name)) for name, version in locked(lock)]
    rows = [f"| {name} | {version} | {licence} |" for name, version, licence in found]
    head = [
        "# Licences of the locked packages",
        "",
        "Made by `make sbom` from `requirements.lock`.",
        "",
        "| package | version | licence |",
        "|---|---|---|",
    ]
    report.write_text("\n".join([*head, *rows, ""]), encoding="utf-8")
    refused = [f"{name}: {licence}" for name, _, licence in found if not is_allowed(licence)]
    for line in refused:
        sys.stderr.write(f"licence not agreed to: {line}\n")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
