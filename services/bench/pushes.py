"""What the file of a partner network costs: new trials, the same file again, and its undoing."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from services.bench.client import Call, Connection, cpu_seconds
from services.bench.figures import Figure
from services.bench.load import administrator
from services.bench.programs import Server, alone
from services.bench.records import DISEASES, eligibility

TRIALS = 2_000
GROUP = f"A file of {TRIALS} trials of a partner network"
# At least 200 new records and 5,000 unchanged ones a second.
NEW_MS, UNCHANGED_MS = 5.0, 0.2
JSON, NDJSON = "application/json", "application/x-ndjson"
SECONDS = 600.0


def pushes(folder: Path, url: str, kind: str) -> Iterator[Figure]:
    """Measure pushes to a registry of its own. ``url``: of its database, whose ``kind`` is named."""
    content = b"".join(json.dumps(one).encode() + b"\n" for one in _trials())
    size = f"{len(content) / TRIALS / 1000:.1f} kB each"
    with alone("registry", folder, CLEIO_REGISTRY_DATABASE_URL=url) as server:
        headers = {"Authorization": f"Bearer {administrator(server)}", "Content-Type": JSON, "If-None-Match": "*"}
        network = json.dumps({"kind": "network", "name": "Network"}).encode()
        with Connection(server.port_of("registry"), seconds=SECONDS) as connection:
            connection.send(Call("/registry/v1/organisations/fr-net", headers, "PUT", network, 201))
        push = Call(
            "/registry/v1/sources/partner:fr-net/trials", {**headers, "Content-Type": NDJSON}, "PUT", content, 202
        )
        first, new = _measure(server, push, headers)
        yield Figure(f"{GROUP}, {kind}", "a new trial", new[0], "ms", NEW_MS, f"{new[1]:.1f} ms CPU; {size}")
        _, same = _measure(server, push, headers)
        yield Figure(f"{GROUP}, {kind}", "an unchanged trial", same[0], "ms", UNCHANGED_MS, f"{same[1]:.2f} ms CPU")
        undo = Call(f"/registry/v1/jobs/{first['id']}/undo", headers, "POST", b"", 202)
        _, undone = _measure(server, undo, headers)
        yield Figure(f"{GROUP}, {kind}", "undoing a new trial", undone[0], "ms", None, f"{undone[1]:.1f} ms CPU")


def _measure(server: Server, call: Call, headers: dict[str, str]) -> tuple[Any, tuple[float, float]]:
    """Return a job, and milliseconds of time and of processor time for each of its lines, from call to end."""
    pid, read = server.pids["registry"], {"Authorization": headers["Authorization"]}
    started, spent = time.monotonic(), cpu_seconds(pid)
    with Connection(server.port_of("registry"), seconds=SECONDS) as connection:
        job = json.loads(connection.send(call))
        while job["state"] in {"waiting", "running"}:
            time.sleep(0.05)
            job = json.loads(connection.send(Call(f"/registry/v1/jobs/{job['id']}", read)))
    each = 1000 / job["total"]
    return job, ((time.monotonic() - started) * each, (cpu_seconds(pid) - spent) * each)


def _trials() -> Iterator[dict[str, Any]]:
    chance = Random(1)  # noqa: S311  data of a measurement
    for number in range(TRIALS):
        disease = chance.choice(DISEASES)
        inclusion, _, exclusion = eligibility(chance, 20).partition("Exclusion Criteria:")
        yield {
            "number": f"PED-{number:05d}",
            "registry_numbers": [f"NCT7{number:07d}"],
            "title_en": f"AAV gene therapy {number} for {disease}",
            "status": "recruiting",
            "conditions": [disease],
            "product": "AAV9 gene therapy",
            "atmp_class": "gene therapy",
            "sponsor": f"Sponsor {number % 100}",
            "countries": ["FR", "DE"],
            "centres": [f"University Hospital {place}" for place in range(8)],
            "cities": ["Paris", "Lyon", "Lille", "Nantes", "Paris", "Lyon", "Lille", "Nantes"],
            "minimum_age": f"{chance.randint(1, 18)} years",
            "maximum_age": f"{chance.randint(19, 80)} years",
            "inclusion": inclusion.removeprefix("Inclusion Criteria:").strip(),
            "exclusion": exclusion.strip(),
        }
