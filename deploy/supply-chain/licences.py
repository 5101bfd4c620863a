"""Write the list of every locked package with its version and licence, and refuse a licence that nobody has agreed to.

`make sbom` runs it with the lock and the file to write. The licence is what the package's own metadata declares; exit code 1 when one is not allowed.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

LOCKED = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)")
UNSAID = "not declared"
ABSENT = "not installed on this platform"

# Permissive ones, and MPL-2.0, which binds changes of its own files alone. Nothing else has been agreed to.
ALLOWED = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Zlib"}
)
# As classifiers and free texts call them.
CALLED = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Read in the package itself, where its metadata do not say or it is for another platform.
READ = {"pysqlite3": "Zlib", "colorama": "BSD-3-Clause"}


def licence_of(name: str) -> str:
    """The SPDX expression where there is one, else the classifiers, else the first line of the free text."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return READ.get(name, ABSENT)
    if expression := about.get("License-Expression"):
        return str(expression)
    classifiers = [
        text.rpartition(" :: ")[2] for text in about.get_all("Classifier") or [] if text.startswith("License :: ")
    ]
    if classifiers:
        return " AND ".join(CALLED.get(one, one) for one in classifiers)
    lines = str(about.get("License") or "").strip().splitlines()
    said = lines[0][:80] if lines else READ.get(name, UNSAID)
    return CALLED.get(said, said)


def is_allowed(licence: str) -> bool:
    """Every part of an ``AND``, or one of an ``OR``, is on the list. Brackets are not read: such a licence is looked at by a person."""
    if " OR " in licence:
        return any(map(is_allowed, licence.split(" OR ")))
    return all(part in ALLOWED for part in licence.split(" AND "))


def locked(lock: Path) -> list[tuple[str, str]]:
    """Name and version of every package of a lock."""
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
