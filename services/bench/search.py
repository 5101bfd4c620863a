"""Search over many trials: what a query with few hits costs, and how long any query takes."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from services.bench.client import Call, Connection, quantile, times
from services.bench.figures import Figure, Side, compare
from services.bench.programs import Server, baseline

LIST = "/registry/v1/trials?limit=20"
# Queries that each kind of search has, with the slowest forms that a caller can choose.
QUERIES = {
    "no hit": "q=zzzzzzzz",
    "one common word": "q=study",
    "beginnings of one letter": "q=" + quote("s b c"),
    "two words": "q=" + quote("etude cor"),
    "a disease": "condition=ORPHA%3A275752",
    "a disease and a status": "condition=ORPHA%3A98896&status=recruiting",
    "a country": "country=FR",
    "count of everything": "count=exact",
    "count of a common word": "q=study&count=exact",
    "count of a disease": "condition=ORPHA%3A98896&count=exact",
    "count of a country, a status and a word": "country=FR&status=completed&q=etude&count=exact",
}  # fmt: skip
MOST_TIMES = 200


def search(server: Server, folder: Path, count: int, kind: str) -> Iterator[Figure]:
    """Few hits against an empty route, and the slowest of many calls of every kind of query, none of them cached."""
    times_each = min(MOST_TIMES, max(2, count // 15))
    port = server.port_of("registry")
    group = f"Search, {kind}"
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
            # Another limit is another answer: the cache holds none of them at the first time.
            calls = [Call(f"/registry/v1/trials?{query}&limit={limit}") for limit in range(1, times_each + 1)]
            measured = times(connection, calls)
            note = f"median {quantile(measured, 0.5):.1f} ms"
            yield Figure(group, f"p99, {name}", quantile(measured, 0.99), "ms", 20.0, note)


def _acronyms(port: int, count: int) -> list[str]:
    with Connection(port) as connection:
        items = json.loads(connection.send(Call(f"/registry/v1/trials?limit={count}")))["items"]
    return [one["acronym"] for one in items]
