"""Time and memory of the built-in terminology: in the registry, and as matching opens it. Each in a new process."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from services.bench.figures import Figure

SECONDS, MEBIBYTES = 1.0, 150.0
GROUP = "terminology"
_CODES = ("ORPHA:98896", "OMIM:310200", "HP:0001250", "ICD10:G71.0", "ICD10:I10", "ATC:H02AB02")


def terminology(folder: Path) -> Iterator[Figure]:
    """Measure the start of the registry's terminology, the opening of its document, and the look-up of a code."""
    document = folder / "terminology.tsv.gz"
    for name, part in (("start in the registry", "start"), ("opening in matching", "open")):
        command = [sys.executable, "-m", "services.bench.terminology", part, str(document)]
        measured = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)  # noqa: S603
        yield Figure(GROUP, name, measured["seconds"], "s", SECONDS, f"{measured['codes']} codes")
        yield Figure(GROUP, f"memory, {name}", measured["mebibytes"], "MiB", MEBIBYTES)
        if "microseconds" in measured:
            yield Figure(GROUP, "a code with all that is above it", measured["microseconds"], "us")


def _start(document: Path) -> dict[str, float]:
    from services.registry.terminology.terminology import builtin

    measured = _measure(lambda: builtin().graph.nodes)
    document.write_bytes(builtin().document)
    return measured | {"codes": len(builtin().graph)}


def _open(document: Path) -> dict[str, float]:
    from shared.terminology.document import read_document

    content = document.read_bytes()
    read = []
    measured = _measure(lambda: read.append(read_document(content)))
    known = read[0].terminology
    started = time.perf_counter()
    for _ in range(1_000):
        for code in _CODES:
            known.above(code)
    return measured | {"codes": len(known), "microseconds": (time.perf_counter() - started) / len(_CODES) * 1_000}


def _measure(work: Callable[[], object]) -> dict[str, float]:
    before, started = _resident(), time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - started, "mebibytes": _resident() - before}


def _resident() -> float:
    """Return the memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


if __name__ == "__main__":
    part, file = sys.argv[1:]
    sys.stdout.write(json.dumps({"start": _start, "open": _open}[part](Path(file))))
