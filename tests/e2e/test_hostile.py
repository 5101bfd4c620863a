"""Hostile callers on real sockets, at the gateway and at a service behind it: malformed and endless requests."""

import asyncio
import contextlib
import itertools
import re
import socket
from collections.abc import Callable
from time import monotonic

import httpx
import pytest

from services.connections import WRITE_SECONDS
from tests.e2e.conftest import System

pytestmark = pytest.mark.anyio
HOST = b"Host: localhost\r\n"
LIVEZ = b"GET /matching/livez HTTP/1.1\r\n" + HOST
MATCH = b"POST /matching/v1/match HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
BULK = b"PUT /registry/v1/sources/ctgov/trials HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-ndjson\r\n"
LIST = b"GET /registry/v1/trials?limit=200 HTTP/1.1\r\n" + HOST + b"\r\n"
LISTS = 400  # on one connection: far more than all buffers together
CHUNKED = MATCH + b"Transfer-Encoding: chunked\r\n\r\n"
# By name: the bytes, and the allowed answers of gateway and service, in order. The gateway corrects what the standard
# lets it correct; the service, which only the gateway should reach, accepts nothing ambiguous.
CASES: dict[str, tuple[bytes, list[list[int]], list[list[int]]]] = {
    "two lengths": (MATCH + b"Content-Length: 2\r\nContent-Length: 30\r\n\r\n{}", [[400]], [[400]]),
    "a list of lengths": (MATCH + b"Content-Length: 2, 2\r\n\r\n{}", [[400]], [[400]]),
    "a signed length": (MATCH + b"Content-Length: +2\r\n\r\n{}", [[400]], [[400]]),
    "a length below nothing": (MATCH + b"Content-Length: -2\r\n\r\n{}", [[400]], [[400]]),
    "a length without end": (MATCH + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n{}", [[400]], [[400]]),
    "an unknown coding": (MATCH + b"Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", [[501]], [[400]]),
    "two codings": (
        MATCH + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        [[501]],
        [[400]],
    ),
    "a coding with a space": (MATCH + b"Transfer-Encoding : chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", [[400]], [[400]]),
    "a coding behind a tab": (MATCH + b"Transfer-Encoding: \x0bchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", [[400]], [[400]]),
    "a chunk that is none": (CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", [[400]], [[400]]),
    "a chunk without end": (CHUNKED + b"f" * 18 + b"\r\n{}\r\n0\r\n\r\n", [[400]], [[400]]),
    "bare line feeds": (LIVEZ.replace(b"\r\n", b"\n") + b"\n", [[200]], [[400]]),
    "a folded header": (LIVEZ + b"X-A: b\r\n  c\r\n\r\n", [[200]], [[400]]),
    "a folded first header": (LIVEZ.replace(HOST, b" X-A: b\r\n") + HOST + b"\r\n", [[400]], [[400]]),
    "NUL in a value": (LIVEZ + b"X-A: b\x00c\r\n\r\n", [[400]], [[400]]),
    "NUL in a name": (LIVEZ + b"X\x00A: b\r\n\r\n", [[400]], [[400]]),
    "a header of 100 kB": (LIVEZ + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n", [[431]], [[431]]),
    "an address of 100 kB": (
        b"GET /matching/livez?" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        [[431]],
        [[400], [431]],
    ),
    "20,000 headers": (
        LIVEZ + b"".join(b"X-%d: a\r\n" % number for number in range(20_000)) + b"\r\n",
        [[431], []],
        [[431], []],
    ),
    "a whole address": (LIVEZ.replace(b"/", b"http://localhost/", 1) + b"\r\n", [[200]], [[200]]),
    "another host": (LIVEZ.replace(b"localhost", b"evil.example") + b"\r\n", [[421]], [[421]]),
    "two hosts": (LIVEZ + b"Host: evil.example\r\n\r\n", [[400]], [[421]]),
    "no host": (LIVEZ.replace(HOST, b"") + b"\r\n", [[400]], [[421]]),
    "no host, HTTP/1.0": (b"GET /matching/livez HTTP/1.0\r\n\r\n", [[421]], [[421]]),
    "HTTP/0.9": (b"GET /matching/livez\r\n", [[400]], [[], [400]]),
    "HTTP/9.9": (LIVEZ.replace(b"1.1", b"9.9") + b"\r\n", [[505]], [[400]]),
    "a tunnel": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", [[421]], [[400], [421]]),
    "a method that is none": (LIVEZ.replace(b"GET", b"G<T") + b"\r\n", [[400]], [[400]]),
    "another protocol": (LIVEZ + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", [[200]], [[200]]),
    "an expectation": (
        MATCH + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
        [[200], [100, 200]],
        [[200], [100, 200]],
    ),
    "an odd expectation": (MATCH + b"Expect: the-moon\r\nContent-Length: 2\r\n\r\n{}", [[417]], [[200]]),
    "20 at once": ((LIVEZ + b"\r\n") * 20, [[200] * 20], [[200] * 20]),
    "a body, then another request": (
        MATCH + b"Content-Length: 2\r\n\r\n{}" + LIVEZ + b"\r\n",
        [[200, 200]],
        [[200, 200]],
    ),
    "an address that is not text": (
        b"GET /registry/v1/trials/\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
        [[404]],
        [[400]],
    ),
    "all bytes there are": (bytes(range(256)) * 10, [[400], []], [[400]]),
}
# Both framings: by its length the body ends after the hidden request, by its chunks before it.
HIDDEN = b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n"
TWO_FRAMINGS = MATCH + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(HIDDEN)) + HIDDEN


async def exchange(port: int, sent: bytes) -> bytes:
    """Send bytes; return everything that is answered until the connection ends or is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        writer.write(sent)
        async with asyncio.timeout(30):
            while True:
                quiet = 1.5 if got else 10.0  # seconds
                if not (part := await asyncio.wait_for(reader.read(65536), quiet)):
                    break
                got += part
    except (ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()
    return got


def statuses(answer: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3})", answer)]


def ports(system: System) -> dict[str, int]:
    return {"gateway": system.port, "service": system.port + 2}


@pytest.mark.parametrize("place", ["gateway", "service"])
async def test_a_malformed_request_is_refused_and_affects_no_other_caller(system: System, place: str) -> None:
    port, expected = ports(system)[place], {name: case[1 if place == "gateway" else 2] for name, case in CASES.items()}
    answers = await asyncio.gather(*(exchange(port, sent) for sent, _, _ in CASES.values()))
    found = dict(zip(CASES, map(statuses, answers), strict=True))
    assert {name: given for name, given in found.items() if given not in expected[name]} == {}
    assert statuses(await exchange(port, LIVEZ + b"\r\n")) == [200]


async def test_a_request_cannot_be_hidden_in_another(system: System) -> None:
    service = await exchange(system.port + 2, TWO_FRAMINGS)
    assert statuses(service) == [400]
    # Go ignores the length, as the standard says, and passes one framing on: to the gateway, the hidden text is a
    # normal request.
    gateway = await exchange(system.port, TWO_FRAMINGS)
    assert statuses(gateway) in ([400], [400, 404])
    assert b"cleio_requests" not in gateway


async def _silent(port: int) -> int:
    """Request much, read nothing for longer than allowed, then read everything; return the number of answers."""
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(reader, ("127.0.0.1", port))
        await loop.sock_sendall(reader, LIST * LISTS)
        await asyncio.sleep(WRITE_SECONDS + 5)
        got = b""
        with contextlib.suppress(ConnectionError):
            while part := await asyncio.wait_for(loop.sock_recv(reader, 1 << 20), 30):
                got += part
        return len(statuses(got))


async def _slow(port: int, begin: bytes, drip: bytes | None, *, half_close: bool = False) -> tuple[float, list[int]]:
    """Send ever more slowly; return the seconds until the connection was closed, and the answer."""
    started = monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def dribble() -> None:
        while drip is not None:
            await asyncio.sleep(1)
            writer.write(drip)
            await writer.drain()

    dribbling = asyncio.create_task(dribble())
    try:
        writer.write(begin)
        if half_close:
            writer.write_eof()
        answer = await reader.read()
        return monotonic() - started, statuses(answer)
    except ConnectionError:
        return monotonic() - started, []
    finally:
        dribbling.cancel()
        await asyncio.gather(dribbling, return_exceptions=True)
        writer.close()


LONGEST_BORNE = 60  # seconds
SLOW: list[tuple[bytes, bytes | None, bool]] = [
    (b"GET /matching/li", None, False),
    (LIVEZ + b"X-", b"a", False),
    (b"\r\n", b"\r\n", False),
    (MATCH + b"Content-Length: 200\r\n\r\n{", None, False),
    (MATCH + b"Content-Length: 200\r\n\r\n{", b" ", False),
    (CHUNKED + b"1\r\n{\r\n", b"1\r\n \r\n", False),
    (MATCH + b"Content-Length: 200\r\n\r\n{", None, True),
    (b"POST /matching/v1/nowhere HTTP/1.1\r\n" + HOST + b"Content-Length: 200\r\n\r\n{", b" ", False),
    (MATCH + b"Expect: 100-continue\r\nContent-Length: 200\r\n\r\n", None, False),
    (BULK + b"Content-Length: 200000\r\n\r\n{", b" ", False),
    (BULK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", None, False),
]


@pytest.mark.parametrize("sockets", [20, pytest.param(500, marks=[pytest.mark.full, pytest.mark.alone])])
async def test_callers_that_never_end_block_no_others(
    system: System, sockets: int, figure: Callable[[str, object], None]
) -> None:
    kinds = list(itertools.islice(itertools.cycle(SLOW), sockets))
    # Each bounds a request: the gateway 5 s for a head and 15 s for a body, the service 5 s for a head and 10 s for a
    # handler.
    gateway = [asyncio.create_task(_slow(system.port, begin, drip, half_close=half)) for begin, drip, half in kinds]
    service = [asyncio.create_task(_slow(system.port + 2, begin, drip, half_close=half)) for begin, drip, half in SLOW]
    # Both close a connection whose client reads nothing for 15 s.
    silent = [asyncio.create_task(_silent(port)) for port in (system.port, system.port + 1)]
    times: list[float] = []
    everyone, end = {*gateway, *service, *silent}, monotonic() + LONGEST_BORNE
    async with httpx.AsyncClient(base_url=system.url, timeout=30, trust_env=False) as client:
        while not all(task.done() for task in everyone) and monotonic() < end:
            started = monotonic()
            assert (await client.get("/registry/livez")).status_code == 200
            times.append(monotonic() - started)
            await asyncio.sleep(0.02)
    left = {task for task in everyone if not task.done()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    times.sort()
    figure(
        f"livez through the gateway with {sockets} slow callers, p50 / p99 ms",
        f"{times[len(times) // 2] * 1000:.1f} / {times[len(times) * 99 // 100] * 1000:.1f}",
    )
    cut = [task for task in gateway if task not in left]
    figure(
        f"longest that one of {sockets} slow callers was borne, s",
        f"{max(task.result()[0] for task in cut):.1f}, {len(left)} longer than {LONGEST_BORNE}",
    )
    # One in some thousands was not closed; the cause was not found (decision 26).
    assert left <= set(gateway)
    assert len(left) <= max(1, sockets // 100)
    assert {status for task in cut for status in task.result()[1]} <= {100, 400, 401, 404, 408}
    assert max(task.result() for task in silent) < LISTS
