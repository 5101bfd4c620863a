"""The public pages over many trials, through the gateway: another address at every call, so that no answer is kept."""

import json
from collections.abc import Iterator
from urllib.parse import quote

from services.bench.client import Call, Connection, quantile, times
from services.bench.figures import Figure
from services.bench.programs import Server

TARGET = 100.0
MANY_TIMES = 100
SEARCHED = ("étude", "thérapie génique", "drépanocytose", "drepanocitose", "lupus", "s b c")
CENTRES = ("fr-bordeaux", "fr-lille", "fr-lyon")


def pages(server: Server, count: int, filled: float) -> Iterator[Figure]:
    """How long a page takes to arrive, 95 of 100 times. ``filled``: seconds until the index could be searched."""
    group = "Public pages through the gateway"
    yield Figure(group, "ready to search after the start", filled, "s")
    with Connection(server.port) as connection:
        for name, addresses in _addresses(connection).items():
            calls = [Call(one, {"Accept": "text/html"}) for one in addresses]
            repeated = [calls[number % len(calls)] for number in range(min(MANY_TIMES, count))]
            measured = times(connection, repeated)
            note = f"median {quantile(measured, 0.5):.1f} ms"
            yield Figure(group, f"p95, {name}", quantile(measured, 0.95), "ms", TARGET, note)


def _addresses(connection: Connection) -> dict[str, list[str]]:
    """The addresses of each kind of page."""
    trials = json.loads(connection.send(Call("/registry/v1/trials?limit=100")))["items"]
    codes = [quote(one["conditions"][0]["code"], safe="") for one in trials]
    numbers = [one["identifier"] for one in trials]
    words = [quote(one) for one in SEARCHED] + [one["acronym"] for one in trials]
    departements = [f"{number:02}" for number in range(1, 96) if number != 20]
    return {
        "first page, near a département": [f"/?near={one}" for one in departements],
        "trials found by words": [f"/trials?q={one}" for one in words],
        "trials of a disease near a département": [
            f"/trials?condition={code}&near={one}" for code, one in zip(codes, departements, strict=False)
        ],
        "a trial": [f"/trials/{one}" for one in numbers],
        "history of a trial": [f"/trials/{one}/history" for one in numbers],
        "diseases": ["/diseases"],
        "a disease": [f"/diseases/{one}" for one in dict.fromkeys(codes)],
        "a centre": [f"/centres/{one}" for one in CENTRES],
        "map": [f"/map?disease={one}" for one in dict.fromkeys(codes)],
        "match workbench, empty": ["/match"],
    }
