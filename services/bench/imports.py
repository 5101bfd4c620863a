"""What an import costs: records that are new, the same ones once more, and the disk that they take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from services.bench.client import Call, Connection, cpu_seconds, thread_seconds
from services.bench.figures import Figure
from services.bench.load import IMPORT_SECONDS, NDJSON, administrator
from services.bench.programs import Server, alone
from services.bench.records import records

RECORDS, LINES = 1_000, 200
# The first lines fill caches.
WARM = 200
GROUP = f"An import of {RECORDS:,} records alone"


@dataclass(frozen=True)
class _Spent:
    """Milliseconds for one record: on the clock, of the processor, and of the event loop."""

    wall: float
    processor: float
    loop: float


def imports(folder: Path) -> Iterator[Figure]:
    """All figures, on a registry of its own in ``folder``, without readers of its feed."""
    lines = list(records(WARM + RECORDS))
    size = sum(map(len, lines)) / len(lines) / 1000
    with alone("registry", folder, CLEIO_REGISTRY_LOAD_SAMPLE="false") as server:
        headers = {"Authorization": f"Bearer {administrator(server)}", "Content-Type": NDJSON}
        _send(server, headers, lines[:WARM])
        before = _disk(folder)
        new = _send(server, headers, lines[WARM:])
        disk = (_disk(folder) - before) / RECORDS / 1024
        again = _send(server, headers, lines[WARM:])
    note = f"{1000 / new.wall:.0f} records/s of {size:.0f} kB; {new.processor:.1f} ms of the processor"
    yield Figure(GROUP, "a new record", new.wall, "ms", 5.0, note)
    yield Figure(GROUP, "a new record, the event loop alone", new.loop, "ms", 4.0)
    yield Figure(GROUP, "an unchanged record", again.wall, "ms", 0.2, f"{1000 / again.wall:.0f} records/s")
    yield Figure(GROUP, "disk for a trial with its record", disk, "KiB")


def _send(server: Server, headers: dict[str, str], lines: Sequence[bytes]) -> _Spent:
    pid = server.pids["registry"]
    with Connection(server.port_of("registry"), seconds=IMPORT_SECONDS) as connection:
        started, processor, loop = perf_counter(), cpu_seconds(pid), thread_seconds(pid)
        for first in range(0, len(lines), LINES):
            body = b"\n".join(lines[first : first + LINES])
            connection.send(Call("/registry/v1/sources/ctgov/trials", headers, "PUT", body))
        spent = perf_counter() - started, cpu_seconds(pid) - processor, thread_seconds(pid) - loop
    return _Spent(*(one / len(lines) * 1000 for one in spent))


def _disk(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.glob("registry*.db*"))
