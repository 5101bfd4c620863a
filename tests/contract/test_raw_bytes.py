"""Bytes that no client library sends, to every route of real processes: a problem that does not repeat them."""

import asyncio
import gzip
import importlib
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from shared.http.marks import accepted
from shared.http.stages.body import WITH_BODY
from tests.conftest import ADMIN
from tests.contract.processes import ServiceProcess

pytestmark = pytest.mark.anyio

CANARY = "DUPONT-JEANNE-1850312"
C = CANARY.encode()
GOOD = b'{"a": "' + C + b'"}'

BODIES: dict[str, bytes] = {
    "empty": b"",
    "blank": b"  \r\n\t ",
    "a word": C,
    "cut short": b'{"a": "' + C,
    "one more bracket": GOOD + b"}",
    "two documents": GOOD + GOOD,
    "comment": b'{"a": 1} // ' + C,
    "single quotes": b"{'" + C + b"': 1}",
    "trailing comma": b'{"' + C + b'": 1,}',
    "NaN": b'{"' + C + b'": NaN}',
    "Infinity": b'{"a": -Infinity, "b": "' + C + b'"}',
    "lone surrogate": b'{"a": "\\ud800' + C + b'"}',
    "lone surrogate in a key": b'{"\\udfff' + C + b'": 1}',
    "escaped NUL": b'{"a": "' + C + b'\\u0000"}',
    "raw NUL": b'{"a": "' + C + b'\x00"}',
    "raw control character": b'{"a": "' + C + b'\x01\n"}',
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16 without a mark": GOOD.decode().encode("utf-16-le"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "latin-1": '{"a": "é'.encode("latin-1") + C + b'"}',
    "overlong UTF-8": b'{"a": "\xc0\xaf' + C + b'"}',
    "surrogate in UTF-8": b'{"a": "\xed\xa0\x80' + C + b'"}',
    "repeated key": b'{"' + C + b'": 1, "' + C + b'": 2}',
    "deep lists": b'{"a": ' + b"[" * 200_000,
    "deep objects": b'{"a":' * 33 + b"1" + b"}" * 33,
    "huge integer": b'{"a": ' + b"9" * 5_000 + b', "b": "' + C + b'"}',
    "huge exponent": b'{"a": 1e999999999, "b": "' + C + b'"}',
    "integer beyond exactness": b'{"a": 9007199254740993}',
    "list at the top": b'["' + C + b'"]',
    "string at the top": b'"' + C + b'"',
    "null at the top": b"null",
    "many values": b'{"a": [' + b",".join([b"[" + b",".join([b"0"] * 999) + b"]"] * 11) + b"]}",
    "long key": b'{"' + C * 600 + b'": 1}',
    "unknown field": GOOD,
    "gzip without saying so": gzip.compress(GOOD),
}
DISGUISES: dict[str, tuple[bytes, dict[str, str]]] = {
    "gzip": (gzip.compress(GOOD), {"Content-Encoding": "gzip"}),
    "other charset": (GOOD, {"Content-Type": "{};charset=iso-8859-1"}),
    "other charset after another parameter": (GOOD, {"Content-Type": '{}; profile="x"; charset="utf-16"'}),
    "form": (b"a=" + C, {"Content-Type": "application/x-www-form-urlencoded"}),
    "multipart": (C, {"Content-Type": f"multipart/form-data; boundary={CANARY}"}),
    "plain text": (GOOD, {"Content-Type": "text/plain"}),
    "no media type": (GOOD, {"Content-Type": ""}),
    "a media type of its own": (GOOD, {"Content-Type": f"application/{CANARY}+json"}),
}
TARGETS: dict[str, str] = {
    "invalid UTF-8 in the path": "{}%ff%fe" + CANARY,
    "NUL in the path": "{}%00" + CANARY,
    "dots in the path": "{}/../" + CANARY,
    "encoded slash": "{}%2f..%2f" + CANARY,
    "unknown parameter": "{}?" + CANARY + "=1",
    "invalid UTF-8 in the query": "{}?limit=%ff%fe" + CANARY,
    "NUL in the query": "{}?limit=%00" + CANARY,
    "repeated parameter": "{}?limit=1&limit=" + CANARY,
    "long query": "{}?limit=" + CANARY * 500,
}
ODD_HEADERS: dict[str, tuple[str, bytes]] = {
    "accept": ("Accept", b"text/" + C),
    "invalid UTF-8 in accept-language": ("Accept-Language", b"\xff\xfe;q=" + C),
    "if-match": ("If-Match", b'"' + C + b'\xff"'),
    "if-none-match": ("If-None-Match", b"W/\xff" + C),
    "idempotency-key": ("Idempotency-Key", b"\xff\xfe" + C),
    "authorization": ("Authorization", b"Bearer \xff\xfe" + C),
    "basic authorization": ("Authorization", b"Basic " + C),
    "request id": ("X-Request-Id", b"\xff" + C),
    "traceparent": ("Traceparent", b"00-" + C),
    "forwarded": ("X-Forwarded-For", b"\xff" + C),
    "content-length": ("Content-Length", b"99999999999"),
}
SERVICES = ("registry", "matching", "notifications")
# The registry has 160 routes, which read requests as the others do.
SOME = [pytest.param("registry", marks=pytest.mark.full), *SERVICES[1:]]
# A bulk upload reports the faults of a line in its result; streams and copies are long.
BY_LINE = "application/x-ndjson"
NOT_READ = ("/export", "/feed", "/backup")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ServiceProcess]]:
    folder = tmp_path_factory.mktemp("raw")
    running = {"registry": ServiceProcess(folder / "registry", "registry")}
    try:
        for name in SERVICES[1:]:
            running[name] = ServiceProcess(folder / name, name, CLEIO_REGISTRY_URL=running["registry"].url)
        yield running
    finally:
        for process in running.values():
            process.kill()


def routes_of(service: str) -> list[tuple[str, str, APIRoute]]:
    app = importlib.import_module(f"services.{service}.app").create_app()
    return [
        (method, re.sub(r"{[^}]*}", "fr-x", route.path), route)
        for route in app.routes
        if isinstance(route, APIRoute) and not route.path.endswith(NOT_READ)
        for method in sorted(route.methods or ())
    ]


class Answer:
    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.raw, self.status = raw, int(lines[0].split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}


async def send(
    process: ServiceProcess, method: str, target: str, headers: list[tuple[str, bytes | None]], body: bytes = b""
) -> Answer:
    """Send a request; ``headers`` replace those of a valid request; None: without it."""
    sent: dict[str, bytes | None] = {
        "Host": b"127.0.0.1",
        "Authorization": f"Bearer {ADMIN}".encode(),
        "If-Match": b"*",
        "Idempotency-Key": uuid.uuid4().hex.encode(),
        "Content-Length": str(len(body)).encode(),
        **dict(headers),
    }
    raw = (
        f"{method} {target} HTTP/1.1\r\n".encode()
        + b"".join(name.encode() + b": " + value + b"\r\n" for name, value in sent.items() if value is not None)
        + b"\r\n"
        + body
    )
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
        try:
            writer.write(raw)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: (\d+)", head.lower())
            return Answer(
                head + (await reader.readexactly(int(length.group(1))) if length and method != "HEAD" else b"")
            )
        finally:
            writer.close()


def faults_of(what: str, answer: Answer, *, must_refuse: bool) -> list[str]:
    found = []
    if answer.status >= 500 or (must_refuse and not 400 <= answer.status < 500):
        found.append(f"{what}: {answer.status}")
    expected = "application/problem+json"
    if "/oauth/token" in what and answer.status in {400, 401}:
        expected = "application/json"  # RFC 6749 §5.2
    if (
        answer.status >= 400
        and answer.body
        and answer.headers.get("content-type")
        not in {
            expected,
            "application/problem+json",
        }
    ):
        found.append(f"{what}: {answer.headers.get('content-type')}")
    if C in answer.raw:
        found.append(f"{what}: repeats what was sent")
    return found


@pytest.mark.parametrize("service", SOME)
async def test_a_body_of_any_bytes_is_refused_without_its_content(
    installation: dict[str, ServiceProcess], service: str
) -> None:
    found: list[str] = []
    count = 0
    for method, path, route in routes_of(service):
        if method not in WITH_BODY:
            continue
        media_type = accepted(route.endpoint).media_types[0]
        cases: list[tuple[str, bytes, dict[str, str]]] = [
            (name, body, {"Content-Type": media_type}) for name, body in BODIES.items()
        ]
        cases += [(name, body, {"Content-Type": media_type, **headers}) for name, (body, headers) in DISGUISES.items()]
        for name, body, headers in cases:
            sent: list[tuple[str, bytes | None]] = [
                (header, value.format(media_type).encode()) for header, value in headers.items() if value
            ]
            answer = await send(installation[service], method, path, sent, body)
            # A route without a body ignores what is sent; a bulk upload reports faults by line.
            reads = route.body_field is not None or accepted(route.endpoint).model is not None
            must_refuse = reads and (media_type != BY_LINE or name in DISGUISES)
            found += faults_of(f"{method} {path}, {name}", answer, must_refuse=must_refuse)
            count += 1
    assert found == []
    assert count >= len(BODIES), "no route was tried"


@pytest.mark.parametrize("service", SOME)
async def test_any_bytes_in_a_path_or_header_are_answered(
    installation: dict[str, ServiceProcess], service: str
) -> None:
    found: list[str] = []
    for method, path, _ in routes_of(service):
        for name, target in TARGETS.items():
            answer = await send(installation[service], method, target.format(path), [])
            found += faults_of(f"{method} {path}, {name}", answer, must_refuse=True)
        for name, (header, value) in ODD_HEADERS.items():
            odd: list[tuple[str, Any]] = [(header, value)]
            if header == "Content-Length" and method not in WITH_BODY:
                continue
            found += faults_of(
                f"{method} {path}, {name}", await send(installation[service], method, path, odd), must_refuse=False
            )
    assert found == []


@pytest.mark.parametrize("declared", [[], [("Trailer", b"X-Request-Id, X-Forwarded-For")]])
async def test_trailers_do_not_become_headers(
    installation: dict[str, ServiceProcess], declared: list[tuple[str, bytes | None]]
) -> None:
    headers = [("Transfer-Encoding", b"chunked"), ("Content-Length", None), ("Content-Type", b"application/json")]
    trailers = b"X-Request-Id: id-of-a-trailer\r\nAuthorization: Bearer a\r\nHost: evil\r\n"
    body = b"2\r\n{}\r\n0\r\n" + trailers + b"\r\n"
    sent = [*headers, ("X-Request-Id", b"id-of-the-head"), *declared]
    answer = await send(installation["registry"], "PUT", "/registry/v1/centres/fr-x", sent, body)
    assert (answer.status, answer.headers.get("x-request-id")) == (422, "id-of-the-head"), answer.raw
