"""What a request costs of the quota of its caller, in units. Routes that the table does not name cost one unit.

A unit stands for processor time: 5 ms for reads, 10 ms for matches, 20 ms for writes. With the default quotas (1,200
reads, 600 matches and 300 writes a minute) one caller then uses at most a tenth of a processor with each kind.

The part that the URL shows is taken before anything else of a request is read. The size of the body is added once it
has been read, before it is parsed. Handlers add what they learn later with `shared.http.charges.charge`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Cost:
    """The units of one route.

    ``base``: of every request. ``query``: further units for each of these parameters that is not empty.
    ``rows``: one further unit for each so many rows that the parameter ``limit`` asks for.
    ``body_bytes``, ``body_lines``: one further unit for each so many bytes, or lines, of the body. 0: none.
    """

    base: int = 1
    query: Mapping[str, int] = field(default_factory=dict)
    rows: int = 0
    body_bytes: int = 0
    body_lines: int = 0

    def of_query(self, query: bytes) -> int:
        """Return the units of a request with this query string."""
        if not query or not (self.query or self.rows):
            return self.base
        units = self.base
        for name, value in parse_qsl(query.decode("latin-1")):
            units += self.query.get(name, 0)
            if name == "limit" and self.rows and value.isascii() and value.isdecimal() and len(value) <= 4:
                units += int(value) // self.rows
        return units

    def of_body(self, body: bytes) -> int:
        """Return the further units of a body."""
        units = len(body) // self.body_bytes if self.body_bytes else 0
        return units + (body.count(b"\n") // self.body_lines if self.body_lines else 0)


ORDINARY = Cost()
_FEED = Cost(rows=250)
_AUDIT = Cost(rows=50)

# Method and path of a route. HEAD costs what GET costs.
COSTS: dict[str, Cost] = {
    # Sends everything. The file is built at most once a minute, whatever the number of readers.
    "GET /registry/v1/export": Cost(60),
    # A filter leaves the plain list for the search index; an exact count inspects every hit.
    "GET /registry/v1/trials": Cost(
        query={"q": 1, "condition": 1, "status": 1, "country": 1, "centre": 1, "count": 2}, rows=100
    ),
    # Every disease or département is counted.
    "GET /registry/v1/coverage": Cost(4),
    # Each row is a whole trial, parsed.
    "GET /registry/v1/trials/{identifier}/history": Cost(rows=10),
    "GET /registry/v1/feed": _FEED,
    "GET /notifications/v1/feed": _FEED,
    "GET /registry/v1/audit-events": _AUDIT,
    "GET /matching/v1/audit-events": _AUDIT,
    "GET /notifications/v1/audit-events": _AUDIT,
    # The largest body that is checked (125 KiB of codes) takes 0.1 to 0.15 s.
    "POST /matching/v1/criteria/check": Cost(body_bytes=8 * 1024),
    # Its own limit of work is a tenth of a second.
    "POST /matching/v1/criteria/dry-run": Cost(5, body_bytes=8 * 1024),
    # The handler adds what the facts and the trials of the registry take. A chart of 750 KiB is read in 50 ms.
    "POST /matching/v1/match": Cost(2, body_bytes=64 * 1024),
    # A record of a source takes about 15 ms: 200 lines, the most of a request, are 40 units.
    "PUT /registry/v1/sources/{source}/trials": Cost(body_lines=5),
    # The file is read at once, in 1 to 10 s; its lines are imported later, one job of a source at a time.
    "PUT /registry/v1/sources/partner:{network}/trials": Cost(20),
    "GET /registry/v1/jobs/{job}/results": Cost(rows=100),
    "PUT /registry/v1/trials/{identifier}": Cost(body_bytes=64 * 1024),
    "PATCH /registry/v1/trials/{identifier}": Cost(body_bytes=64 * 1024),
    "PUT /registry/v1/trials/{identifier}/criteria": Cost(body_bytes=16 * 1024),
}


def cost_of(methods: Iterable[str], path: str) -> Cost:
    """Return the cost of a route by its methods and its path with placeholders."""
    return next((COSTS[name] for method in methods if (name := f"{method} {path}") in COSTS), ORDINARY)
