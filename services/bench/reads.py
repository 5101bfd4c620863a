"""Fast reads: lists and single trials, answered from the cache or from the database, against an empty FastAPI route."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from services.bench.client import Call, Connection
from services.bench.figures import Compared, Figure, Side, compare
from services.bench.programs import Server, baseline

LIST = "/registry/v1/trials?limit=20"
HITS = "Reads from the cache (processor time)"
MISSES = "Reads from the database, another page or trial each time"
# (name, path of the call, greatest ratio, greatest microseconds of processor time)
HIT_TARGETS = {
    "list of 20 trials": (2.0, 500.0),
    "trial by id": (2.0, 330.0),
    "trial by id, 304": (1.5, None),
    "livez": (1.5, None),
}
MISS_TARGETS = {
    "sqlite": {"list of 20 trials": (4.0, None), "trial by id": (3.5, None)},
    "postgresql": {"list of 20 trials": (7.0, None), "trial by id": (7.0, None)},
}


def cache_hits(server: Server, folder: Path, count: int) -> Iterator[Figure]:
    """The same public answers again and again."""
    port = server.port_of("registry")
    with Connection(port) as connection:
        trial = json.loads(connection.send(Call("/registry/v1/trials?limit=1&sample=none")))["items"][0]
    path, version = f"/registry/v1/trials/{trial['id']}", trial["version"]
    calls = {
        "list of 20 trials": Call(LIST),
        "trial by id": Call(path),
        "trial by id, 304": Call(path, {"If-None-Match": f'"v{version}"'}, status=304),
        "livez": Call("/registry/livez"),
    }
    for name, call in calls.items():
        yield from _figures(HITS, name, _compared(server, folder, name, [call], count), HIT_TARGETS[name])


def cache_misses(server: Server, folder: Path, count: int, kind: str, ids: Sequence[str]) -> Iterator[Figure]:
    """Another trial, or another page, at every call: nothing can be answered from the cache."""
    port = server.port_of("registry")
    trials = [Call(f"/registry/v1/trials/{one}") for one in ids]
    pages = [Call(f"{LIST}&cursor={cursor}") for cursor in _cursors(port)]
    for name, calls in (("list of 20 trials", pages), ("trial by id", trials)):
        targets = MISS_TARGETS[kind][name]
        yield from _figures(f"{MISSES}, {kind}", name, _compared(server, folder, name, calls, count), targets)


def gateway(server: Server, count: int) -> Iterator[Figure]:
    """What the gateway itself spends on a call."""
    calls = [Call(LIST)]
    here = Side(server.port, server.pids["gateway"], calls)
    spent = compare(here, here, count)
    yield Figure("Gateway (processor time)", "list of 20 trials", spent.product, "µs", 200.0)


def _compared(server: Server, folder: Path, name: str, calls: Sequence[Call], count: int) -> Compared:
    with Connection(server.port_of("registry")) as connection:
        body = b"" if calls[0].status == 304 else connection.send(calls[0])
    with baseline(folder / f"baseline-{name.replace(' ', '-')}", {"body": body}) as (port, pid):
        product = Side(server.port_of("registry"), server.pids["registry"], calls)
        return compare(product, Side(port, pid, [Call("/body", status=calls[0].status)]), count)


def _figures(group: str, name: str, found: Compared, targets: tuple[float, float | None]) -> Iterator[Figure]:
    times, micros = targets
    note = f"{found.product:.0f} µs against {found.baseline:.0f} µs"
    yield Figure(group, name, found.ratio, "×", times, note)
    if micros is not None:
        yield Figure(group, f"{name}, absolute", found.product, "µs", micros)


def _cursors(port: int) -> list[str]:
    """The cursor of every page of the whole list."""
    found, path = [], "/registry/v1/trials?limit=20"
    with Connection(port) as connection:
        while (following := json.loads(connection.send(Call(path)))["next"]) is not None:
            found.append(following)
            path = f"{LIST}&cursor={following}"
    return found
