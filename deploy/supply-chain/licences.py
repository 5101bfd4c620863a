"""Write the list of every locked package with its version and licence, as each package's own metadata declares it.

`make sbom` runs it with the lock and the file to write. A package of another platform, or one that declares nothing, is listed as such.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

LOCKED = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)")
UNSAID = "not declared"


def licence_of(name: str) -> str:
    """The SPDX expression where there is one, else the classifiers, else the first line of the free text."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return "not installed on this platform"
    if expression := about.get("License-Expression"):
        return str(expression)
    classifiers = [text.rpartition(" :: ")[2] for text in about.get_all("Classifier") or [] if text.startswith("License :: ")]
    if classifiers:
        return ", ".join(classifiers)
    lines = str(about.get("License") or "").strip().splitlines()
    return lines[0][:80] if lines else UNSAID


def main(lock: Path, report: Path) -> None:
    found = [match.groups() for line in lock.read_text(encoding="utf-8").splitlines() if (match := LOCKED.match(line))]
    rows = [f"| {name} | {version} | {licence_of(name)} |" for name, version in sorted(set(found))]
    head = [
        "# Licences of the locked packages",
        "",
        "Made by `make sbom` from `requirements.lock`.",
        "",
        "| package | version | licence |",
        "|---|---|---|",
    ]
    report.write_text("\n".join([*head, *rows, ""]), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
