"""Expensive work, and what other callers notice of it: an import, many exports at once, large checks, a write."""

import json
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, perf_counter, sleep

from services.bench.client import BenchError, Call, Connection, cpu_seconds, quantile
from services.bench.figures import Figure
from services.bench.programs import Server, alone, installation
from services.bench.records import records

RECORDS = 2_300
LINES = 200
EXPORTERS = 20
CHECKERS = 8
LOAD_SECONDS = 10.0
# An import that takes longer is not finished: its figures are those of its beginning.
IMPORT_SECONDS = 240.0
PATCHES = 100
ATTEMPTS = 3
IMPORT = "An import of 2,300 full records"
LOAD = "Many expensive calls at once"
ORGANISATION = "/registry/v1/organisations/coordination/clients"
NDJSON, MERGE_PATCH = "application/x-ndjson", "application/merge-patch+json"


def load(folder: Path) -> Iterator[Figure]:
    """All figures, on an installation of its own in ``folder``."""
    with installation(folder / "installation") as server:
        token = administrator(server)
        yield from during_an_import(server, token)
        yield from during_exports(server)
        yield from during_checks(server)
    with alone("registry", folder / "alone", CLEIO_REGISTRY_LOAD_SAMPLE="true") as server:
        yield patches(server, administrator(server))


def during_an_import(server: Server, token: str) -> Iterator[Figure]:
    """What callers of the registry notice while records are imported, and how soon a revocation is heard."""
    lines = list(records(RECORDS))
    size = sum(map(len, lines)) / RECORDS / 1000
    reads = [Call(f"/registry/v1/trials?limit={limit}") for limit in range(1, 101)]
    heard: list[float] = []
    with (
        repeated(server.port_of("registry"), [Call("/registry/livez")]) as lives,
        repeated(server.port_of("registry"), reads) as answers,
        background(lambda stop: heard.extend(_revocations(server, token, stop))),
    ):
        count, seconds = _import(server, token, lines)
    note = f"{count} records of {size:.0f} kB in {seconds:.0f} s, longest {max(lives):.0f} ms"
    yield Figure(IMPORT, "livez p99 during it", quantile(sorted(lives), 0.99), "ms", 100.0, note)
    note = f"median {quantile(sorted(answers), 0.5):.1f} ms"
    yield Figure(IMPORT, "reads p99 during it", quantile(sorted(answers), 0.99), "ms", 250.0, note)
    if heard:
        yield Figure(IMPORT, "revocation heard during it, longest", max(heard), "s", 5.0, f"of {len(heard)}")


def _import(server: Server, token: str, lines: Sequence[bytes]) -> tuple[int, float]:
    """Import the records; returns how many were sent in time, and the seconds."""
    started, sent = monotonic(), 0
    headers = {"Authorization": f"Bearer {token}", "Content-Type": NDJSON}
    for first in range(0, len(lines), LINES):
        part = lines[first : first + LINES]
        _send(server, Call("/registry/v1/sources/ctgov/trials", headers, "PUT", b"\n".join(part)))
        sent += len(part)
        if monotonic() - started > IMPORT_SECONDS:
            break
    return sent, monotonic() - started


def _send(server: Server, call: Call) -> None:
    """Send a call that may be repeated: a service that is busy for long may close a new connection."""
    for _ in range(ATTEMPTS - 1):
        try:
            with Connection(server.port_of("registry"), seconds=IMPORT_SECONDS) as connection:
                connection.send(call)
        except BenchError:
            sleep(1.0)
        else:
            return
    with Connection(server.port_of("registry"), seconds=IMPORT_SECONDS) as connection:
        connection.send(call)


def _revocations(server: Server, token: str, stop: threading.Event) -> Iterator[float]:
    """Revoke one API key after the other; yields the seconds until matching refuses it."""
    given = {"name": "bench", "method": "api_key", "scopes": ["criteria.execute"], "roles": ["editor"]}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    while not stop.is_set():
        with Connection(server.port_of("registry")) as registry_service:
            body = json.dumps(given).encode()
            created = json.loads(
                registry_service.send(
                    Call(ORGANISATION, {**headers, "Idempotency-Key": str(uuid.uuid4())}, "POST", body, 201)
                )
            )
            _wait_for(server, created["key"], accepted=True)
            revoke = Call(f"{ORGANISATION}/{created['id']}", {**headers, "If-Match": "*"}, "DELETE", status=204)
            registry_service.send(revoke)
        started = monotonic()
        _wait_for(server, created["key"], accepted=False)
        yield monotonic() - started
        stop.wait(1.0)


def _wait_for(server: Server, key: str, *, accepted: bool) -> None:
    """Ask matching until it accepts, or refuses, this API key."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    deadline = monotonic() + 60.0
    with Connection(server.port_of("matching")) as connection:
        while True:
            status, _, _ = connection.exchange(Call("/matching/v1/criteria/check", headers, "POST", b"{}"))
            if (status == 422) is accepted and status in {401, 422}:
                return
            if monotonic() > deadline:
                raise BenchError(f"an API key is answered with {status} for a minute")
            sleep(0.02)


def during_exports(server: Server) -> Iterator[Figure]:
    """Reads of others while 20 callers read the export again and again."""
    port = server.port_of("registry")
    read = [Call(f"/registry/v1/trials/{trial}") for trial in _ids(port)]
    alone = _median_of(port, read, [])
    finished: list[int] = []

    def export(stop: threading.Event) -> None:
        while not stop.is_set():
            finished.append(_drain(port, "/registry/v1/export"))

    busy = _median_of(port, read, [export] * EXPORTERS)
    size = max(finished, default=0) / 1e6
    note = f"{alone:.1f} ms without them; {len(finished)} exports of {size:.0f} MB in {LOAD_SECONDS:g} s"
    yield Figure(LOAD, "20 exports at once: others' read p50", busy, "ms", None, note)


def during_checks(server: Server) -> Iterator[Figure]:
    """Health checks of matching while 8 callers check the largest documents."""
    port = server.port_of("matching")
    expr = [{"type": "has", "codes": [f"ORPHA:{n}{m}" for m in range(195)]} for n in range(45)]
    text = {"fr": "a", "en": "a"}
    criteria = [{"id": f"c{n}", "kind": "include", "text": text, "expr": one} for n, one in enumerate(expr)]
    document = {"trial": "NCT05096221", "version": 1, "grade": "registry", "criteria": criteria}
    call = Call(
        "/matching/v1/criteria/check", {"Content-Type": "application/json"}, "POST", json.dumps(document).encode()
    )
    finished: list[int] = []

    def check(stop: threading.Event) -> None:
        with Connection(port) as connection:
            while not stop.is_set():
                finished.append(connection.exchange(call)[0])

    with repeated(port, [Call("/matching/livez")]) as found:
        together([check] * CHECKERS)
    note = f"{len(finished)} checks in {LOAD_SECONDS:g} s, {finished.count(200)} of them 200"
    yield Figure(LOAD, "8 criteria checks at once: livez p99", quantile(sorted(found), 0.99), "ms", 100.0, note)


def patches(server: Server, token: str) -> Figure:
    """Changes of one trial, without any reader of the feed."""
    port, pid = server.port_of("registry"), server.pids["registry"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": MERGE_PATCH, "If-Match": "*"}
    path = f"/registry/v1/trials/{_ids(port)[0]}"
    with Connection(port) as connection:
        for number in range(PATCHES // 10):
            connection.send(Call(path, headers, "PATCH", json.dumps({"acronym": f"WARM {number}"}).encode()))
        before = cpu_seconds(pid)
        for number in range(PATCHES):
            connection.send(Call(path, headers, "PATCH", json.dumps({"acronym": f"BENCH {number}"}).encode()))
        spent = (cpu_seconds(pid) - before) / PATCHES * 1000
    return Figure("Writes", "PATCH, processor time", spent, "ms", 8.0)


def _median_of(port: int, calls: Sequence[Call], others: Sequence[Callable[[threading.Event], None]]) -> float:
    with repeated(port, calls) as found:
        together(others)
    return quantile(sorted(found), 0.5)


def together(others: Sequence[Callable[[threading.Event], None]], seconds: float = LOAD_SECONDS) -> None:
    """Let these callers work for some seconds, or do nothing for two."""
    stop = threading.Event()
    threads = [threading.Thread(target=one, args=(stop,), daemon=True) for one in others]
    for thread in threads:
        thread.start()
    sleep(seconds if others else 2.0)
    stop.set()
    for thread in threads:
        thread.join(timeout=60.0)


@contextmanager
def repeated(port: int, calls: Sequence[Call]) -> Iterator[list[float]]:
    """Send these calls one after the other while the block runs; gives the milliseconds that each took."""
    found: list[float] = []

    def work(stop: threading.Event) -> None:
        number = 0
        while not stop.is_set():
            started = perf_counter()
            try:
                with Connection(port) as connection:
                    while not stop.is_set():
                        started = perf_counter()
                        connection.exchange(calls[number % len(calls)])
                        found.append((perf_counter() - started) * 1000)
                        number += 1
                        sleep(0.01)
            except (OSError, BenchError):
                found.append((perf_counter() - started) * 1000)

    with background(work):
        yield found


@contextmanager
def background(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run ``work`` in a thread while the block runs.

    :raises BenchError: it failed.
    """
    stop, failures = threading.Event(), []

    def run() -> None:
        try:
            work(stop)
        except (OSError, BenchError) as error:
            failures.append(str(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(timeout=90.0)
    if failures:
        raise BenchError(failures[0])


def _drain(port: int, path: str) -> int:
    """Read an answer and drop it; returns its bytes."""
    size = 0
    with socket.create_connection(("127.0.0.1", port), timeout=60) as reader:
        reader.sendall(Call(path, {"Connection": "close"}).encode(f"127.0.0.1:{port}"))
        while part := reader.recv(1 << 20):
            size += len(part)
    return size


def _ids(port: int) -> list[str]:
    with Connection(port) as connection:
        return [one["id"] for one in json.loads(connection.send(Call("/registry/v1/trials?limit=200")))["items"]]


def administrator(server: Server) -> str:
    """Create an administrator; returns its API key."""
    token = (server.folder / "secrets" / "internal-token").read_text(encoding="ascii").strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    call = Call("/registry/v1/internal/administrators", headers, "POST", b'{"name": "bench"}', 201)
    with Connection(server.port_of("registry")) as connection:
        return str(json.loads(connection.send(call))["key"])
