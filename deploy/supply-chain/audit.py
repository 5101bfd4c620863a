"""Look up every locked package in the advisory database of PyPI: `make audit`. It needs the network.

Exit code 0: no package has a known vulnerability. 1: one line for each known vulnerability. 2: at least one package
could not be looked up; one line gives the reason, and there is no result.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LINE = 300


def findings(report: dict[str, Any]) -> list[str]:
    """Return one line for each vulnerability in a report of pip-audit."""
    return [
        f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in {_versions(vulnerability)}"
        for package in report["dependencies"]
        for vulnerability in package.get("vulns", [])
    ]


def _versions(vulnerability: dict[str, Any]) -> str:
    return ", ".join(vulnerability["fix_versions"]) or "no version yet"


def main(lock: Path) -> int:
    # The lock file pins exact versions by hash, so pip-audit resolves and downloads no package.
    command = [
        "--strict",
        "--disable-pip",
        "--require-hashes",
        "--progress-spinner",
        "off",
        "--format",
        "json",
        "--requirement",
        str(lock),
    ]
    result = subprocess.run(  # noqa: S603 - a fixed program; the only variable argument is the path of the lock file
        [sys.executable, "-m", "pip_audit", *command], capture_output=True, text=True, check=False
    )
    try:
        report = json.loads(result.stdout)
    except ValueError:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        sys.stderr.write(f"make audit: not every package could be looked up, so nothing is known: {reason[:LINE]}\n")
        return 2
    found = findings(report)
    for line in found:
        sys.stdout.write(f"{line}\n")
    if not found:
        sys.stdout.write(f"{len(report['dependencies'])} packages, no known vulnerability\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
