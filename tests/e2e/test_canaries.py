"""No value of a patient is left anywhere: every field, and everything a caller can write, contains a canary to be
searched for.

The calls go through the gateway of a running system: accepted, refused in every way, and while programs fail and are
killed.
"""

import asyncio
import json
import os
import resource
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.e2e.canaries import (
    Canaries,
    bundle_of,
    family_of,
    fields_of,
    fields_of_the_fhir_reader,
    fields_of_the_phenopacket_reader,
    leaves,
    native_patients,
    phenopacket_of,
    replaced,
)
from tests.e2e.conftest import Traced, eventually, running_traced

MATCH, DRY_RUN = "/matching/v1/match", "/matching/v1/criteria/dry-run"
JSON = {"Content-Type": "application/json"}
CONTROL = "a-request-id-is-kept"
CRITERIA = {
    "trial": "CLEIO-TEST-0001",
    "grade": "signed",
    "authored_by": "A. Martin",
    "signed_by": "B. Petit",
    "signed_by_rpps": "10001234565",
    "source_version": "protocol 1.0",
    "signed_at": "2025-11-01T09:00:00Z",
    "criteria": [
        {
            "id": "I1",
            "kind": "include",
            "role": "indication",
            "text": {"fr": "Duchenne", "en": "Duchenne"},
            "expr": {"type": "has", "codes": ["ORPHA:98896"]},
        }
    ],
}


def in_headers(c: Canaries) -> dict[str, str]:
    """Return parameters and headers that a caller can add to a call, none of which is expected."""
    return {
        "User-Agent": c.text(),
        "Referer": f"https://hospital.example/{c.text()}",
        "Cookie": f"patient={c.text()}",
        "From": c.text(),
        "X-Request-Id": f"{c.text()} {c.text()}",
        "Idempotency-Key": c.text(),
        "If-None-Match": f'"{c.text()}"',
        "traceparent": f"00-{c.text()}-{c.text()}-01",
        "tracestate": f"patient={c.text()}",
        "baggage": f"patient={c.text()}",
        "X-Forwarded-For": c.text(),
        "X-User": c.text(),
        "Accept-Language": c.text(),
    }


def accepted(c: Canaries) -> Iterator[tuple[str, Any]]:
    patients = native_patients(c)
    yield from ((MATCH, patient) for patient in patients)
    family, bundle = family_of(c), bundle_of(c)
    assert fields_of_the_phenopacket_reader() <= fields_of(family)
    assert fields_of_the_fhir_reader() <= fields_of(bundle)
    yield from ((MATCH, one) for one in (family["proband"], family, bundle))
    yield from ((DRY_RUN, {"criteria": CRITERIA, "patient": patient}) for patient in (patients[-1], phenopacket_of(c)))


def odd_bodies(c: Canaries) -> Iterator[Any]:
    """Return invalid bodies: values of the wrong type, malformed or too long; unknown keys; personal identifiers."""
    packet, bundle, seen = phenopacket_of(c), bundle_of(c), set()
    odd = cycle(
        [
            lambda: {"other": c.text()},
            lambda: [[c.text()]],
            lambda: f"{c.text()} \n<é>",
            lambda: c.text() * 700,
            lambda: 7_310_000_000_000 + len(c.given),
        ]
    )
    for document in [*native_patients(c), packet, bundle]:
        for place in leaves(document):
            field = tuple(part for part in place if isinstance(part, str))
            times = 1 if document in (packet, bundle) else 5 if field not in seen else 0
            seen.add(field)
            yield from (replaced(document, place, next(odd)()) for _ in range(times))
        yield {**document, f"{c.text()}-key": 1}
    for key in ("name", "familyName", "nir", "email", "address", "note", "identifier"):
        yield {key: c.text()}
        yield replaced(packet, ("subject", "id"), {key: c.text()})
    for shaped in (
        f"{c.text()}@hospital.fr",
        f"+33 6 12 34 56 78 {c.text()}",
        f"1 85 05 78 006 084 91 {c.text()}",
        f"1.2.250.1.213.1.4.8 {c.text()}",
    ):
        yield {"facts": [{"id": shaped, "kind": "condition", "codes": [c.code()]}]}
        yield {shaped: 1}
    yield {"resourceType": "Bundle", "entry": [{"name": c.text()}]}
    yield {"birth_date": "2199-01-01", "place": c.text()}


def odd_texts(c: Canaries) -> Iterator[str]:
    """Return texts that are no JSON, or no accepted JSON."""
    inner = json.dumps({"facts": [{"id": c.text(), "kind": "condition", "codes": [c.code()]}]})
    key = f"{c.text()}-key"  # a key that looks like a field's name would be repeated as a place
    yield inner[:-3]
    yield inner.replace('"kind"', f'"{key}": NaN, "kind"')
    yield inner.replace('"kind"', f'"{key}": 1, "{key}": 2, "kind"')
    yield inner.replace('"kind"', f'"{key}": "\\ud800", "kind"')
    yield inner.replace('"kind"', f'"{key}": "\\u0000{c.text()}", "kind"')
    yield inner.replace('"kind"', f'"{key}": 1e999, "kind"')
    yield f'{{"{c.text()}":' * 40 + "1" + "}" * 40
    yield f'["{c.text()}"]'
    yield f'"{c.text()}"'
    yield c.text()
    yield json.dumps({"sex": c.text() * 20_000})  # 413 of the service
    yield json.dumps({"sex": c.text() * 1_300_000})  # 413 of the gateway


def odd_calls(c: Canaries) -> Iterator[dict[str, Any]]:
    """Return invalid calls of other kinds."""
    body = json.dumps({"birth_date": c.day()})
    for query in (
        f"as_of={c.text()}",
        f"as_of={c.day()}",
        f"{c.text()}={c.text()}",
        f"limit={c.text()}",
        f"limit=1&limit={c.text()}",
        f"horizon={c.text()}",
    ):
        yield {"method": "POST", "url": f"{MATCH}?{query}", "content": body}
    yield {"method": "POST", "url": f"{MATCH}?as_of={c.text() * 600}", "content": body}
    for path in (
        "/{}",
        "/matching/{}",
        "/matching/v1/{}",
        "/matching/v1/match/{}",
        "/matching/v1/criteria/{}",
        "/registry/v1/trials/{}",
        "/fhir/Patient/{}",
    ):
        yield {"method": "POST", "url": path.format(c.text()), "content": body}
        yield {"method": "GET", "url": path.format(c.text()) + f"?patient={c.text()}"}
    for read in (
        "/registry/v1/trials?q={}",
        "/registry/v1/trials?{}=1",
        "/registry/v1/feed?cursor={}",
        "/registry/v1/centres/{}",
    ):
        yield {"method": "GET", "url": read.format(c.text())}
    yield {"method": c.text(), "url": MATCH, "content": body}
    yield {"method": "PUT", "url": MATCH, "content": body}
    yield {"method": "POST", "url": MATCH, "content": body, "headers": {"Host": f"{c.text()}.example"}}
    yield {"method": "POST", "url": MATCH, "content": body, "headers": {"Content-Type": f"text/{c.text()}"}}
    yield {"method": "POST", "url": MATCH, "content": body, "headers": {**JSON, "Accept": f"text/{c.text()}"}}
    yield {"method": "POST", "url": MATCH, "content": body, "headers": {**JSON, "Authorization": f"Bearer {c.text()}"}}
    yield {
        "method": "POST",
        "url": "/notifications/v1/subscriptions",
        "content": json.dumps({"filter": {"condition": [c.code()]}}),
    }
    yield {
        "method": "PATCH",
        "url": f"/registry/v1/trials/{c.text()}",
        "content": body,
        "headers": {"Content-Type": "application/merge-patch+json"},
    }


class Errors:
    """The answers to refused calls."""

    def __init__(self) -> None:
        self.codes: Counter[str] = Counter()
        self.content = b""

    def take(self, answer: httpx.Response) -> None:
        if answer.status_code >= 400:
            self.content += answer.content + repr(answer.headers.raw).encode()
            self.codes[
                answer.json()["code"] if "json" in answer.headers.get("content-type", "") else str(answer.status_code)
            ] += 1


def break_the_disk(traced: Traced, c: Canaries, client: httpx.Client, errors: Errors) -> None:
    """Make a match whose audit entry cannot be written: the program fails in the middle of it."""
    pid = traced.system.programs()["matching"]
    full = (traced.system.folder / "audit" / "matching.entries.ndjson").stat().st_size
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
    try:
        answer = client.post(
            MATCH, json={"birth_date": c.day(), "facts": [{"id": c.text(), "kind": "condition", "codes": [c.code()]}]}
        )
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    assert answer.status_code >= 500
    errors.take(answer)


def kill_in_the_middle(traced: Traced, c: Canaries, client: httpx.Client, errors: Errors) -> None:
    """Kill the program during a match; then call it before it runs again."""
    body = json.dumps(phenopacket_of(c))
    line = f"POST {MATCH}?as_of={c.day()} HTTP/1.1\r\n"
    head = f"{line}Host: 127.0.0.1\r\nUser-Agent: {c.text()}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", traced.system.port), timeout=30) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body[:400]}".encode())
        # A received request waits in the gateway or in the service.
        assert not eventually(lambda: False, 0.2)
        os.kill(traced.system.programs()["matching"], signal.SIGKILL)
        for _ in range(3):
            errors.take(client.post(f"{MATCH}?as_of={c.day()}", content=body, headers={**JSON, **in_headers(c)}))
        connection.sendall(body[400:].encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 ")
    assert eventually(lambda: client.get("/matching/readyz").status_code == 200, 60)


def all_that_is_left(traced: Traced) -> Iterator[tuple[str, bytes]]:
    """Return every place besides the answers: files, logs, metrics and spans."""
    folder = traced.system.folder.parent
    yield from ((str(file.relative_to(folder)), file.read_bytes()) for file in folder.rglob("*") if file.is_file())
    for name, offset in {"registry": 1, "matching": 2, "notifications": 3}.items():
        yield (
            f"/metrics of {name}",
            httpx.get(f"http://127.0.0.1:{traced.system.port + offset}/metrics", trust_env=False).content,
        )
    yield "output", "\n".join(traced.system.lines).encode()
    yield "spans", b"".join(traced.collector.bodies)


def batch_of(c: Canaries) -> str:
    """Return a batch: patients that are accepted, one that is refused, and a line that is no JSON."""
    lines = [*map(json.dumps, (bundle_of(c), phenopacket_of(c), {"name": c.text()})), c.text()]
    return "\n".join(lines)


def send_everything(traced: Traced, c: Canaries) -> Errors:
    errors = Errors()
    with traced.system.client() as client:
        assert eventually(lambda: client.get("/matching/readyz").status_code == 200, 60)
        for path, body in accepted(c):
            answer = client.post(path, json=body, headers=in_headers(c))
            assert answer.status_code == 200, (answer.text, body)
        lines = client.post(MATCH, content=batch_of(c), headers={"Content-Type": "application/x-ndjson"}).text
        assert [json.loads(line)["status"] for line in lines.splitlines()] == [200, 200, 422, 400]
        for body in odd_bodies(c):
            errors.take(client.post(MATCH, json=body, headers=in_headers(c)))
        for content in odd_texts(c):
            errors.take(client.post(MATCH, content=content, headers={**JSON, **in_headers(c)}))
            errors.take(
                client.post(
                    DRY_RUN, content=f'{{"criteria": {json.dumps(CRITERIA)}, "patient": {content}}}', headers=JSON
                )
            )
        for call in odd_calls(c):
            errors.take(client.request(**{**call, "headers": {**JSON, **in_headers(c), **call.get("headers", {})}}))
        break_the_disk(traced, c, client, errors)
        kill_in_the_middle(traced, c, client, errors)
        client.post(MATCH, json={}, headers={"X-Request-Id": CONTROL})
    traced.system.read_until(CONTROL)
    assert eventually(lambda: CONTROL in (traced.system.folder / "gateway" / "access.log").read_text(), 10)
    return errors


def check(traced: Traced, c: Canaries, errors: Errors) -> None:
    assert errors.codes.keys() >= {
        "malformed_json",
        "invalid_body",
        "invalid_parameter",
        "invalid_cursor",
        "identifier_forbidden",
        "format_not_supported",
        "too_large",
        "unsupported_media_type",
        "not_acceptable",
        "uri_too_long",
        "unauthenticated",
        "not_found",
        "method_not_allowed",
        "unavailable",
        "unknown_host",
    }, errors.codes
    left = [*all_that_is_left(traced), ("errors", errors.content)]
    assert {name: found for name, content in left if (found := c.found_in(content))} == {}
    # Check that the search works: the request id of a caller is stored, as documented.
    kept = {name for name, content in left if CONTROL.encode() in content}
    assert {"output", "var/gateway/access.log", "var/audit/matching.entries.ndjson"} <= kept
    assert b"cleio_requests_total" in dict(left)["/metrics of matching"]
    assert b"POST /matching/v1/match" in dict(left)["spans"]


def test_no_value_of_a_patient_is_left_anywhere(traced: Traced) -> None:
    canaries = Canaries()
    check(traced, canaries, send_everything(traced, canaries))


@pytest.mark.full
def test_no_value_of_a_patient_is_left_in_postgresql_or_its_log(postgres: str, tmp_path: Path) -> None:
    canaries = Canaries()
    server = make_url(postgres).set(drivername="postgresql+asyncpg")
    names = {service: f"canaries_{service}_{os.getpid()}" for service in ("registry", "notifications")}
    folder = asyncio.run(_ask(server, *(f'CREATE DATABASE "{one}"' for one in names.values())))
    urls = {
        f"CLEIO_{service.upper()}_DATABASE_URL": server.set(drivername="postgresql", database=name).render_as_string(
            hide_password=False
        )
        for service, name in names.items()
    }
    with running_traced(tmp_path, **urls) as traced:
        errors = send_everything(traced, canaries)
        check(traced, canaries, errors)
    kept = [file for file in folder.rglob("*") if file.is_file()]
    assert len(kept) > 100
    assert {file.name: found for file in kept if (found := canaries.found_in(file.read_bytes()))} == {}
    for name in names.values():
        assert canaries.found_in(asyncio.run(_rows(server.set(database=name)))) == set()


async def _ask(server: URL, *statements: str) -> Path:
    """Return the data folder of the server."""
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
        folder = Path((await connection.execute(text("SHOW data_directory"))).scalar_one())
    await engine.dispose()
    return folder


async def _rows(server: URL) -> bytes:
    """Return every row of every table as text."""
    engine = create_async_engine(server)
    async with engine.connect() as connection:
        tables = (
            (await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
            .scalars()
            .all()
        )
        assert "audit_entries" in tables
        rows = [
            str(row)
            for table in tables
            for row in (await connection.execute(text(f'SELECT t::text FROM "{table}" t'))).scalars()
        ]
    await engine.dispose()
    return "\n".join(rows).encode()
