"""Attacks of a receiver, or of its name server, after its address was accepted."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from shared.clients.outbound import BrokenAnswerError, OutboundClient, OutboundError, RefusedAddressError, TimedOutError
from tests.unit.shared.clients.test_outbound import LOOPBACK, OK, certificate, found, receiver, say

pytestmark = pytest.mark.anyio

# More notations of internal addresses; each is refused, for its form or for the resulting address.
SPELLINGS = [
    "https://[0:0:0:0:0:ffff:127.0.0.1]/", "https://[::FFFF:A9FE:A9FE]/", "https://[::ffff:0:0]/", "https://[0000::1]/",
    "https://[::127.0.0.1]/",
    "https://[0:0:0:0:0:0:0:1]:443/", "https://[64:FF9B::127.0.0.1]/", "https://[fe80::1]:8443/", "https://[::1]:8443/",
    "https://[2002:7f00:0001::1]/",
    "https://localhost./", "https://127.0.0.1:443/", "https://0.0.0.0:8080/",
    "https://169.254.169.254/latest/meta-data/", "https://127.0.0.1?x=@example.com",
    "https://127.0.0.1/..//@example.com", "https://127.0.0.1;.example.com/", "https://example.com:443:80/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1%2f@example.com/", "https://example.com&@127.0.0.1/", "https://0x7f000001:443/",
    "https://0x7F.0x0.0x0.0x1/", "https://00000177.1/",
    "https://[::1%25lo]/", "https://[v1.fe80]/", "https://①②⑦.⓪.⓪.①/", "https://127．0．0．1/", "https://١٢٧.0.0.1/",
    "https://\u202e127.0.0.1/",
    "https://127.0.0.1\u200b/", "https:////127.0.0.1/", "https:/127.0.0.1/", "https:\\\\127.0.0.1/",
    "https://127.0.0.1\r\nHost: example.com/",
    "jar:https://127.0.0.1!/", "https://example.com:443@127.0.0.1:443/", "https://[::ffff:127.0.0.1]:443/",
]  # fmt: skip


@pytest.mark.parametrize("url", SPELLINGS)
async def test_no_notation_of_an_internal_address_is_accepted(url: str) -> None:
    async with OutboundClient(lookup=found("127.0.0.1")) as client:
        for call in (client.check(url), client.send("POST", url, body=b"{}")):
            with pytest.raises(OutboundError) as caught:
                await call
            assert caught.value.code in {"url_refused", "address_refused"}


def keep_alive(answer: bytes) -> Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]:
    """Answer, and leave the connection open for the next request."""

    async def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        await asyncio.sleep(3600)

    return serve


async def test_an_open_connection_does_not_outlive_the_check_of_its_address() -> None:
    """A receiver keeps the connection open and then resolves its name to an internal address: the next call looks it up
    again and is refused.
    """
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    async def rebinding(_host: str) -> list[str]:
        return next(answers)

    kept = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=600\r\nContent-Length: 2\r\n\r\nok"
    async with (
        receiver(keep_alive(kept)) as (port, heads),
        OutboundClient(developer=LOOPBACK, lookup=rebinding) as client,
    ):
        url = f"http://receiver.example:{port}/"
        assert (await client.send("POST", url, body=b"{}")).complete
        with pytest.raises(RefusedAddressError):
            await client.send("POST", url, body=b"{}")
    assert len(heads) == 1


async def test_one_internal_address_among_many_refuses_all() -> None:
    public = [f"93.184.215.{number}" for number in range(1, 200)]
    for addresses in (
        ["10.0.0.1", *public],
        [*public, "10.0.0.1"],
        [*public, "::ffff:10.0.0.1"],
        [*public, "fe80::1%2"],
        [*public, "not-an-address"],
    ):
        async with OutboundClient(lookup=found(*addresses)) as client:
            with pytest.raises(RefusedAddressError):
                await client.check("https://receiver.example/")


async def outcome(answer: Callable[[bytes, asyncio.StreamWriter], Awaitable[None]], *, seconds: float = 0.3) -> object:
    """Return the error, or the status, whether the body was complete, and how much of it was read."""
    async with receiver(answer) as (port, _), OutboundClient(developer=LOOPBACK, total_seconds=seconds) as client:
        try:
            got = await client.send("GET", f"http://127.0.0.1:{port}/")
        except OutboundError as error:
            return type(error)
        return got.status, got.complete, len(got.body)


async def for_ever(piece: bytes, head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(head)
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)


async def test_an_endless_answer_is_cut() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    endless: dict[str, tuple[bytes, bytes, object]] = {
        "interim answers": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", TimedOutError),
        "chunks": (chunked, b"400\r\n" + b"a" * 1024 + b"\r\n", (200, False, 16 * 1024)),
        "a body without a length": (b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 1024, (200, False, 16 * 1024)),
        "heads": (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", BrokenAnswerError),
        "one head": (b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 1024, BrokenAnswerError),
        "a status line": (b"HTTP/1.1 200 ", b"a" * 1024, BrokenAnswerError),
    }
    for what, (head, piece, expected) in endless.items():

        async def answer(_head: bytes, writer: asyncio.StreamWriter, piece: bytes = piece, head: bytes = head) -> None:
            await for_ever(piece, head, writer)

        assert await outcome(answer, seconds=2.0) == expected, what


async def test_a_contradictory_answer_is_an_error_or_is_cut() -> None:
    for what, answer in {
        "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\nok",
        "a huge length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "a chunk of a negative size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
        "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "a later version": b"HTTP/3.9 200 OK\r\n\r\n",
        "an old version": b"hello\r\n",
        "a body that is cut": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nok",
    }.items():
        got = await outcome(say(answer))
        assert (
            got in (BrokenAnswerError, TimedOutError)
            or (isinstance(got, tuple) and got[1] is False)
            or got == (101, True, 0)
        ), (what, got)


async def test_a_receiver_that_reads_nothing_times_out() -> None:
    async def deaf(_head: bytes, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    async with receiver(deaf) as (port, _), OutboundClient(developer=LOOPBACK, total_seconds=0.3) as client:
        with pytest.raises(TimedOutError):
            await client.send("POST", f"http://127.0.0.1:{port}/", body=bytes(900_000))


async def test_a_handshake_that_never_ends_times_out() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with OutboundClient(developer=LOOPBACK, lookup=found("127.0.0.1"), total_seconds=0.3) as client:
        with pytest.raises(TimedOutError):
            await client.send("POST", f"https://receiver.example:{port}/", body=b"{}")
    server.close()


async def test_a_redirect_from_tls_is_not_followed(tmp_path: Path) -> None:
    server, trusting = certificate(tmp_path, "receiver.example")
    async with receiver(say(OK)) as (inner, inner_heads):
        target = f"http://127.0.0.1:{inner}/"
        head = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nRefresh: 0; url={target}\r\n"
        moved = f"{head}Content-Length: 0\r\n\r\n"
        async with (
            receiver(say(moved.encode()), server) as (port, _),
            OutboundClient(developer=LOOPBACK, lookup=found("127.0.0.1"), tls=trusting) as client,
        ):
            answer = await client.send("POST", f"https://receiver.example:{port}/", body=b"{}")
        assert (answer.status, inner_heads) == (302, [])
