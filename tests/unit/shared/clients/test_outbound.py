"""The guarded client reaches public addresses only, whatever the notation, the name server or the receiver."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.clients.outbound import (
    Answer,
    BrokenAnswerError,
    ConnectError,
    OutboundClient,
    OutboundError,
    RefusedAddressError,
    RefusedUrlError,
    TimedOutError,
    TlsError,
    UnresolvedHostError,
)
from shared.clients.public_addresses import is_public, read_networks

pytestmark = pytest.mark.anyio

LOOPBACK = read_networks("127.0.0.0/8, ::1/128")

INSIDE = [
    # Every special-purpose range, with its first and last addresses.
    "0.0.0.0", "0.255.255.255", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
    "127.255.255.254", "169.254.0.1",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.0.192", "192.0.2.1", "192.31.196.1",
    "192.52.193.1", "192.88.99.1",
    "192.168.0.1", "192.168.255.255", "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16", "100.100.100.200",
    "[::]", "[::1]", "[::7f00:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]", "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::a00:1]", "[64:ff9b:1::1]", "[100::1]", "[100:0:0:1::1]", "[2001::1]",
    "[2001:0:7f00:1::]", "[2001:20::1]",
    "[2001:db8::1]", "[2002:7f00:1::]", "[2002:a00:1::1]", "[3fff::1]", "[4000::1]", "[5f00::1]", "[fc00::1]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]", "[fe80::1]", "[febf::1]", "[fec0::1]", "[ff02::1]", "[ff0e::1]",
]  # fmt: skip

BAD_FORMS = [
    # Other notations of 127.0.0.1 and of internal addresses, which the system's resolver would accept.
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0x7f.1/", "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.1/", "https://127.0.1/", "https://1/", "https://0/", "https://127.0.0.1./", "https://127.0.0.01/",
    "https://0x0/",
    "https://0xa.0x0.0x0.0x1/", "https://3232235521/", "https://a.0x7f/", "https://example.1/", "https://127.0.0.1.0x/",
    "https://256.1.1.1/",
    # Not an address of a receiver at all.
    "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/",
    "example.com", "", "https://",
    "https:///x", "https:example.com", "https://user@example.com/", "https://user:pw@example.com/",
    "https://@example.com/", "https://:pw@example.com/",
    "https://example.com:0/", "https://example.com:65536/", "https://example.com:x/", "https://example.com/#part",
    "https://example.com/#",
    "https://exa mple.com/", "https://example.com/\n", "https://exam\tple.com/", "https://example.com\\@evil.example/",
    "https://ex%61mple.com/",
    "https://example.com%00.evil.example/", "https://[::1", "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/",
    "https://a..b/", "https://-a.example/",
    "https://.example.com/", "https://" + "a" * 64 + ".example/", "https://" + "a." * 130 + "example/",
    "https://example.com/" + "a" * 2048,
    "https://exam\u00a0ple.com/", "https://exam\u2028ple.com/", "https://exa\x00mple.com/", "HTTPS://user@EXAMPLE.com",
]  # fmt: skip

# Names that look harmless until they are normalised: the resulting address decides.
BECOMES_INSIDE = [
    "https://１２７.0.0.1/",
    "https://127。0。0。1/",
    "https://①②⑦.0.0.1/",
    "https://localhost/",
    "https://LOCALHOST/",
]


def found(*addresses: str) -> Callable[[str], Awaitable[list[str]]]:
    """A name server that returns these addresses for every name."""

    async def lookup(_host: str) -> list[str]:
        return list(addresses)

    return lookup


@asynccontextmanager
async def receiver(
    answer: Callable[[bytes, asyncio.StreamWriter], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A TCP server on loopback that reads one request per connection; gives its port and the requests' heads."""
    heads: list[bytes] = []
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            heads.append(head)
            await answer(head, writer)
        except (OSError, RuntimeError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], heads
    finally:
        server.close()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


def say(*pieces: bytes, pause: float = 0.0) -> Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]:
    async def answer(_head: bytes, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return answer


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def failure(url: str, **options: object) -> type[OutboundError]:
    async with OutboundClient(**options) as client:  # type: ignore[arg-type]
        with pytest.raises(OutboundError) as caught:
            await client.send("POST", url, body=b"{}")
    return caught.type


@pytest.mark.parametrize("host", INSIDE)
async def test_no_internal_address_is_reached_as_a_literal_or_behind_a_name(host: str) -> None:
    assert not is_public(ip_address(host.strip("[]")))
    async with OutboundClient(lookup=found("93.184.215.14", host.strip("[]"))) as client:
        for url in (f"https://{host}/", f"https://{host}:8443/x"):
            with pytest.raises(RefusedAddressError):
                await client.check(url)
            with pytest.raises(RefusedAddressError):
                await client.send("GET", url)
        # One address that is not public refuses the name, even beside a public one.
        with pytest.raises(RefusedAddressError):
            await client.check("https://receiver.example/")
        with pytest.raises(RefusedAddressError):
            await client.send("GET", "https://receiver.example/")


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2a01:e0a::1", "2001:4860::8888"],
)
async def test_public_addresses_are_allowed(address: str) -> None:
    assert is_public(ip_address(address))
    async with OutboundClient(lookup=found(address)) as client:
        await client.check("https://receiver.example/hook?a=b")
        await client.check("https://bücher.example:8443")


@pytest.mark.parametrize("url", BAD_FORMS)
async def test_other_notations_and_forms_are_refused(url: str) -> None:
    async with OutboundClient(lookup=found("93.184.215.14")) as client:
        with pytest.raises(RefusedUrlError):
            await client.check(url)
        with pytest.raises(RefusedUrlError):
            await client.send("GET", url)


@pytest.mark.parametrize("url", BECOMES_INSIDE)
async def test_a_name_is_judged_by_its_normalised_form(url: str) -> None:
    async with OutboundClient() as client:
        with pytest.raises(RefusedAddressError):
            await client.check(url)
        with pytest.raises(RefusedAddressError):
            await client.send("GET", url)


async def test_a_name_that_is_rebound_after_its_check_is_refused_when_it_is_called() -> None:
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])

    async def rebinding(_host: str) -> list[str]:
        return next(answers)

    async with receiver(say(OK)) as (port, heads), OutboundClient(lookup=rebinding) as client:
        await client.check(f"https://receiver.example:{port}/")
        with pytest.raises(RefusedAddressError):
            await client.send("GET", f"https://receiver.example:{port}/")
    assert not heads


async def test_the_checked_address_is_used_and_looked_up_once_per_call() -> None:
    looked_up: list[str] = []

    async def lookup(host: str) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    async with receiver(say(OK)) as (port, heads), OutboundClient(developer=LOOPBACK, lookup=lookup) as client:
        answer = await client.send("POST", f"http://receiver.example:{port}/hook", body=b"{}")
        assert (answer.status, answer.body, answer.complete) == (200, b"ok", True)
        await client.send("POST", f"http://receiver.example:{port}/hook", body=b"{}")
    assert looked_up == ["receiver.example", "receiver.example"]
    # Each call opens a new connection: none outlives the check of its address.
    assert len(heads) == 2
    assert f"host: receiver.example:{port}".encode() in heads[0].lower()


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with receiver(say(OK)) as (inner, inner_heads):
        for status in (301, 302, 303, 307, 308):
            head = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{inner}/secret\r\n"
            async with (
                receiver(say(f"{head}Content-Length: 0\r\n\r\n".encode())) as (port, _),
                OutboundClient(developer=LOOPBACK) as client,
            ):
                assert (await client.send("POST", f"http://127.0.0.1:{port}/", body=b"{}")).status == status
        assert not inner_heads


async def test_no_state_of_one_call_reaches_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    biscuit = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"
    async with receiver(say(biscuit)) as (port, heads), OutboundClient(developer=LOOPBACK) as client:
        for _ in range(2):
            assert (await client.send("GET", f"http://localhost:{port}/")).status == 200
    assert b"cookie" not in heads[1].lower()


async def test_a_compressed_answer_is_not_decompressed() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    async with receiver(say(head + bomb)) as (port, heads), OutboundClient(developer=LOOPBACK) as client:
        answer = await client.send("GET", f"http://127.0.0.1:{port}/")
    assert answer.body == bomb
    assert b"accept-encoding: identity" in heads[0].lower()


async def test_a_huge_answer_is_read_to_16_kib_and_cut() -> None:
    written = 0

    async def pour(_head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 300000000\r\n\r\n")
        for _ in range(300):
            writer.write(bytes(1_000_000))
            await writer.drain()
            written += 1_000_000

    async with receiver(pour) as (port, _), OutboundClient(developer=LOOPBACK) as client:
        answer = await client.send("GET", f"http://127.0.0.1:{port}/")
        assert (answer.status, len(answer.body), answer.complete) == (200, 16 * 1024, False)
        await asyncio.sleep(0.1)
    # The rest was not read: the connection was closed while the receiver was still sending.
    assert written < 50_000_000


async def drip(*, head_at_once: bool) -> Answer | type[OutboundError]:
    head = [b"HTTP/1.1 200 OK\r\n", b"Content-Length: 1000\r\n\r\n"]
    slow = [b"".join(head)] if head_at_once else head[:1] + [b"X-A: b\r\n"] * 20 + head[1:]
    async with (
        receiver(say(*slow, *[b"a"] * 30, pause=0.05)) as (port, _),
        OutboundClient(developer=LOOPBACK, total_seconds=0.3) as client,
    ):
        try:
            return await client.send("GET", f"http://127.0.0.1:{port}/")
        except OutboundError as error:
            return type(error)


async def test_a_slow_head_times_out_and_a_slow_body_is_cut() -> None:
    assert await drip(head_at_once=False) is TimedOutError
    answer = await drip(head_at_once=True)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.complete) == (200, False)


async def test_each_failure_has_its_own_error() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert await failure(f"http://127.0.0.1:{port}/", developer=LOOPBACK) is ConnectError
    assert await failure("https://receiver.example/", lookup=found()) is UnresolvedHostError
    assert await failure("https://does-not-exist.invalid/") is UnresolvedHostError
    for garbage in (
        b"",
        b"SSH-2.0-OpenSSH_9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 20",
    ):
        async with receiver(say(garbage)) as (port, _):
            assert await failure(f"http://127.0.0.1:{port}/", developer=LOOPBACK) is BrokenAnswerError, garbage[:20]


async def test_a_name_server_that_does_not_answer_times_out() -> None:
    async def silent(_host: str) -> list[str]:
        await asyncio.sleep(3600)
        return []

    assert await failure("https://receiver.example/", lookup=silent, connect_seconds=0.05) is UnresolvedHostError


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's TLS context for ``name``, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "chain.pem").write_bytes(pem + private)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "chain.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


async def test_an_approved_network_is_reached_over_https_alone(tmp_path: Path) -> None:
    server, trusting = certificate(tmp_path, "ehr.hospital.example")
    approved = read_networks("127.0.0.0/8")
    async with receiver(say(OK), server) as (port, _):
        async with OutboundClient(approved=approved, lookup=found("127.0.0.1"), tls=trusting) as client:
            assert (await client.send("GET", f"https://ehr.hospital.example:{port}/")).status == 200
            with pytest.raises(TlsError):
                await client.send("GET", f"https://other.hospital.example:{port}/")
            with pytest.raises(RefusedUrlError):
                await client.send("GET", f"http://ehr.hospital.example:{port}/")
        assert (
            await failure(f"https://ehr.hospital.example:{port}/", approved=approved, lookup=found("127.0.0.1"))
            is TlsError
        )


async def test_a_developer_s_network_does_not_open_http_to_the_rest() -> None:
    assert (
        await failure("http://receiver.example/", developer=LOOPBACK, lookup=found("93.184.215.14"))
        is RefusedAddressError
    )
    assert await failure("http://10.0.0.1/", developer=LOOPBACK) is RefusedAddressError
    assert await failure("https://10.0.0.1/", developer=LOOPBACK) is RefusedAddressError


async def test_no_approval_opens_a_metadata_service() -> None:
    everything = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    for host in ("169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "168.63.129.16", "100.100.100.200"):
        assert await failure(f"https://{host}/", approved=everything) is RefusedAddressError
        assert await failure(f"http://{host}/", developer=everything) is RefusedAddressError
