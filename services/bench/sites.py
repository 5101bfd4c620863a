"""Declarations of sites: the processor time of the process that owns the data."""

import json
from collections.abc import Sequence

from services.bench.client import Call, Connection, cpu_seconds
from services.bench.figures import Figure
from services.bench.load import administrator
from services.bench.programs import Server

DECLARATIONS = 300
CENTRE = "fr-lille"
_CENTRE = {
    "name": "CHU de Lille", "finess_et": "590796975", "city": "Lille", "departement": "59",
    "region": "Hauts-de-France", "lat": 50.63178, "lon": 3.04706, "label": "candidate", "populations": ["adult"],
    "member": True, "illustrative": False,
}  # fmt: skip


def declarations(server: Server, kind: str, identifiers: Sequence[str]) -> Figure:
    """Declare a site of one trial after the other, then again, so that each opens once and closes once."""
    port, pid = server.port_of("registry"), server.pids["registry"]
    headers = {"Authorization": f"Bearer {administrator(server)}", "Content-Type": "application/json"}
    new, again = {**headers, "If-None-Match": "*"}, {**headers, "If-Match": "*"}
    chosen = identifiers[:: max(1, len(identifiers) // DECLARATIONS)][:DECLARATIONS]
    paths = [f"/registry/v1/trials/{one}/sites/{CENTRE}" for one in chosen]
    body = {status: json.dumps({"status": status}).encode() for status in ("recruiting", "suspended")}
    with Connection(port) as connection:
        centre = json.dumps(_CENTRE).encode()
        connection.send(Call(f"/registry/v1/centres/{CENTRE}", new, "PUT", centre, 201))
        before = cpu_seconds(pid)
        for path in paths:
            connection.send(Call(path, new, "PUT", body["recruiting"], 201))
        for path in paths:
            connection.send(Call(path, again, "PUT", body["suspended"]))
        spent = (cpu_seconds(pid) - before) / (2 * len(paths)) * 1000
    note = f"{2 * len(paths)} of {len(paths)} trials, with the search index"
    return Figure(f"Writes, {kind}", "declaration of a site, processor time", spent, "ms", 8.0, note)
