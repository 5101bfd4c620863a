"""Search over many trials: filling the index, what a search with few hits costs, and how long any search takes."""

import json
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from urllib.parse import quote

from services.bench.client import BenchError, Call, Connection, quantile, times
from services.bench.figures import Figure, Side, compare
from services.bench.programs import Server, baseline

LIST = "/registry/v1/trials?limit=20"
WHOLE = "&count=exact&facets=status,phase,condition"
# With 20 hits, the total and three facets: each kind of search, with the slowest forms that a caller can choose.
QUERIES = {
    "no hit": "q=zzzzzzzz",
    "one common word": "q=study",
    "beginnings of one letter": "q=" + quote("s b c"),
    "two words": "q=" + quote("etude cor"),
    "a disease by its name": "q=" + quote("drépanocytose"),
    "a disease with a typing error": "q=drepanocitose",
    "a product for a disease": "q=" + quote("thérapie génique lupus"),
    "a disease by its code": "condition=ORPHA%3A275752",
    "a disease and a status": "condition=ORPHA%3A98896&status=recruiting",
    "a country": "country=FR",
    "an age, a sex and what recruits": "age=P8Y&sex=female&open=true",
    "everything, by distance": "near=48.85,2.35",
    "a disease, near a place": "q=" + quote("drépanocytose") + "&near=48.85,2.35",
    "a word, by distance": "q=etude&near=48.85,2.35&sort=distance",
    "what recruits within 200 km": "near=48.85,2.35&radius=200&open=true",
    "a country, a status and a word": "country=FR&status=completed&q=etude",
}
# What is typed letter by letter, with an error.
TYPED = ("d", "dr", "dre", "drep", "drepa", "drepan", "drepani", "drepanic", "drepanicy", "sickle c", "zzz", "strasb")
MANY_TIMES = 200
BUSY = 503
FILL_SECONDS = 600.0


def search(server: Server, folder: Path, count: int, kind: str) -> Iterator[Figure]:
    """Few hits against an empty route, and the slowest of 200 calls of every kind of search, none of them cached.

    Fewer than 200 with a smaller ``count``.
    """
    times_each = min(MANY_TIMES, count)
    port = server.port_of("registry")
    group = f"Search, {kind}"
    yield Figure(
        group,
        "index filled after the start",
        until_filled(port),
        "s",
        None,
        "lists and single trials are read meanwhile",
    )
    yield Figure(group, "memory of the registry", _resident(server.pids["registry"]), "MiB")
    selective = [Call(f"{LIST}&q={quote(acronym)}") for acronym in _acronyms(port, 200)]
    with Connection(port) as connection:
        body = connection.send(selective[0])
    with baseline(folder / f"baseline-search-{kind}", {"body": body}) as (empty, pid):
        product = Side(port, server.pids["registry"], selective)
        found = compare(product, Side(empty, pid, [Call("/body")]), count)
    note = f"{found.product:.0f} µs against {found.baseline:.0f} µs"
    yield Figure(group, "up to 200 hits (processor time)", found.ratio, "×", 3.0, note)
    with Connection(port) as connection:
        for name, query in QUERIES.items():
            measured = times(connection, [Call(f"{LIST}{WHOLE}&{query}")] * times_each)
            note = f"median {quantile(measured, 0.5):.1f} ms"
            yield Figure(group, f"p99, {name}", quantile(measured, 0.99), "ms", 10.0, note)
        calls = [Call(f"/registry/v1/trials/suggest?q={quote(typed)}") for typed in TYPED]
        measured = times(connection, calls * (times_each // len(calls)))
        note = f"median {quantile(measured, 0.5):.1f} ms"
        yield Figure(group, "p99, suggestions while typing", quantile(measured, 0.99), "ms", 20.0, note)


def until_filled(port: int) -> float:
    """Wait until the registry at this port has filled its index; return the seconds that it took."""
    started = perf_counter()
    while perf_counter() - started < FILL_SECONDS:
        with Connection(port) as connection:
            status, _, _ = connection.exchange(Call(f"{LIST}&q=zzzzzzzz"))
        if status != BUSY:
            return perf_counter() - started
    raise BenchError(f"the index of the search is not filled after {FILL_SECONDS:.0f} s")


def _resident(pid: int) -> float:
    """Return the memory of a process in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _acronyms(port: int, count: int) -> list[str]:
    with Connection(port) as connection:
        items = json.loads(connection.send(Call(f"/registry/v1/trials?limit={count}")))["items"]
    return [one["acronym"] for one in items]
