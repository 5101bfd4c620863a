"""Ask the advisory service of PyPI about every locked package: `make audit`. It needs the network.

Exit code 0: every package was looked up and none has a known vulnerability. 1: some have, one line each. 2: not everything could be looked up, and
one line says why; nothing is known then.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LINE = 300


def findings(report: dict[str, Any]) -> list[str]:
    """One line for each known vulnerability of a report of pip-audit."""
    return [
        f"{package['name']} {package['version']}: {one['id']}, fixed in {', '.join(one['fix_versions']) or 'no version yet'}"
        for package in report["dependencies"]
        for one in package.get("vulns", [])
    ]


def main(lock: Path) -> int:
    # The hashes of the lock stand for what is installed: nothing is resolved, nothing is downloaded.
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
    asked = subprocess.run([sys.executable, "-m", "pip_audit", *command], capture_output=True, text=True, check=False)
    try:
        report = json.loads(asked.stdout)
    except ValueError:
        reason = (asked.stderr.strip().splitlines() or ["no reason given"])[-1]
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
