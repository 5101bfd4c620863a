"""The only client for URLs chosen by others: webhooks, key sets, source registries. Calls public addresses over https.

A name is resolved once per connection. If one of its addresses is not public, none is called; only checked addresses
are dialled. Connections and cookies are not reused; redirects and proxies are not followed.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from ipaddress import IPv6Address, ip_address
from types import TracebackType
from typing import Any, BinaryIO, ClassVar, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import Field
from yarl import URL

from shared.clients.public_addresses import NEVER, Network, canonical, is_public, read_networks
from shared.settings import ServiceSettings

Lookup = Callable[[str], Awaitable[Sequence[str]]]

TOTAL_SECONDS = 20.0
CONNECT_SECONDS = 5.0
MAX_ANSWER = 16 * 1024
MAX_URL = 2048
# Of a long answer so much is in memory.
PART = 64 * 1024
HTTP_OK = 200
# Each system look-up blocks a thread: a slow name server must not use up the threads of the process.
LOOKUP_THREADS = 16

_NAME = re.compile(
    r"(?=.{1,253}\.?$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?"
)
# As browsers judge: a name whose last part is a number is an IPv4 address, in whatever spelling.
_NUMBER_AT_END = re.compile(r"(^|.*\.)([0-9]+|0x[0-9a-f]*)\.?")
_CREDENTIALS = re.compile(r"[^/?]*//[^/?]*@")
_UNWRITABLE = re.compile(r"[\x00-\x20\x7f\\\s]")


class OutboundError(Exception):
    """A call that got no answer; ``code`` is stable and holds nothing of the address."""

    code: ClassVar[str] = "failed"


class RefusedUrlError(OutboundError):
    """The URL's form is not acceptable: scheme, credentials, port, host."""

    code = "url_refused"


class RefusedAddressError(OutboundError):
    """An address behind the URL is not a public one."""

    code = "address_refused"


class UnresolvedHostError(OutboundError):
    """The host's name has no address."""

    code = "unresolved"


class ConnectError(OutboundError):
    """The connection was not accepted."""

    code = "connect_failed"


class TlsError(OutboundError):
    """The certificate or the handshake is not acceptable."""

    code = "tls_failed"


class TimedOutError(OutboundError):
    """The head of the answer was not complete in time."""

    code = "timed_out"


class BrokenAnswerError(OutboundError):
    """The connection broke before the head of the answer was complete, or the answer was not HTTP."""

    code = "broken_answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of any status. ``complete`` is false if the body was longer than allowed, too slow or cut off."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool


class OutboundSettings(ServiceSettings):
    """Networks that an operator allows in addition to public addresses, comma-separated; none by default."""

    outbound_dev_hosts: str = Field(
        default="",
        validation_alias="CLEIO_OUTBOUND_DEV_HOSTS",
        description="For a developer's machine and tests: networks that may be called, also over http.",
    )
    outbound_networks: str = Field(
        default="",
        validation_alias="CLEIO_OUTBOUND_NETWORKS",
        description="Networks inside the hospital that webhooks and key sets may use, over https.",
    )


@dataclass(frozen=True, slots=True)
class _Guard:
    """The addresses that one URL scheme may call."""

    public: bool
    networks: Sequence[Network]

    def check(self, text: str) -> None:
        """:raises RefusedAddressError: the address is not allowed, or not in its canonical spelling."""
        try:
            address = canonical(ip_address(text))
        except ValueError:
            raise RefusedAddressError from None
        if address in NEVER or not (
            (self.public and is_public(address)) or any(address in network for network in self.networks)
        ):
            raise RefusedAddressError

    def open_socket(self, info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        """Check the address that is dialled, also when it was written as a literal."""
        family, kind, protocol, _, target = info
        self.check(str(target[0]))
        return socket.socket(family, kind, protocol)


class _CheckedResolver(AbstractResolver):
    def __init__(self, lookup: Lookup, guard: _Guard) -> None:
        self._lookup = lookup
        self._guard = guard

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - the interface of aiohttp
    ) -> list[ResolveResult]:
        addresses = await self._lookup(host)
        if not addresses:
            raise UnresolvedHostError
        for address in addresses:
            self._guard.check(address)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing to close."""


@dataclass(slots=True)
class _Lane:
    """The resolver and the session of one URL scheme."""

    resolver: _CheckedResolver
    guard: _Guard
    session: aiohttp.ClientSession = field(init=False)


class OutboundClient:
    """Calls public addresses and ``approved`` networks over https, ``developer`` networks also over http.

    An asynchronous context manager. ``lookup`` returns the addresses of a name (default: the system's resolver),
    ``tls`` holds the trusted authorities.
    """

    def __init__(
        self,
        *,
        developer: Sequence[Network] = (),
        approved: Sequence[Network] = (),
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
        total_seconds: float = TOTAL_SECONDS,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="outbound-lookup")
        self._tls = tls or _public_authorities()
        self._total = total_seconds
        self._connect = connect_seconds
        find = lookup or self._look_up
        guards = {"https": _Guard(public=True, networks=(*approved, *developer))}
        if developer:
            guards["http"] = _Guard(public=False, networks=tuple(developer))
        self._lanes = {
            scheme: _Lane(_CheckedResolver(partial(self._in_time, find), guard), guard)
            for scheme, guard in guards.items()
        }

    async def __aenter__(self) -> Self:
        for lane in self._lanes.values():
            connector = aiohttp.TCPConnector(
                resolver=lane.resolver,
                use_dns_cache=False,
                # A reused connection would outlive the check of its address.
                force_close=True,
                limit=0,
                ssl=self._tls,
                socket_factory=lane.guard.open_socket,
            )
            lane.session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect),
                headers={"User-Agent": "CLEIO", "Accept-Encoding": "identity"},
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lane in self._lanes.values():
            await lane.session.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def check(self, url: str) -> None:
        """Check a URL as ``send`` would, without sending: for the moment when it is registered.

        :raises RefusedUrlError: the form of the URL is not acceptable.
        :raises RefusedAddressError: an address of the host is not allowed.
        :raises UnresolvedHostError: the host has no address.
        """
        target = self._parse(url)
        lane = self._lanes[target.scheme]
        host = target.raw_host or ""
        if _is_literal(host):
            lane.guard.check(host)
        else:
            await lane.resolver.resolve(host)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_answer: int = MAX_ANSWER,
    ) -> Answer:
        """Send one request, without following redirects; read at most ``max_answer`` bytes of the answer's body.

        :raises OutboundError: there is no answer; the subclass says why.
        """
        target = self._parse(url)
        options: dict[str, Any] = {"headers": headers, "data": body, "allow_redirects": False}
        received: list[Answer] = []
        try:
            async with asyncio.timeout(self._total):
                await self._exchange(
                    self._lanes[target.scheme].session.request(method, target, **options), max_answer, received
                )
        except (aiohttp.ClientError, OSError, RuntimeError, OutboundError) as error:
            # After the head the receiver has answered: only the body is incomplete.
            if not received:
                raise _reason(error) from None
        return received[-1]

    async def download(
        self, url: str, file: BinaryIO, *, headers: Mapping[str, str] | None = None, most: int, seconds: float
    ) -> Answer:
        """Get a long answer and write the body of a success to a file; its ``body`` stays empty.

        ``most``: bytes of the body; ``seconds``: the time limit.

        :raises OutboundError: there is no answer; the subclass says why.
        """
        target = self._parse(url)
        answer: Answer | None = None
        try:
            async with (
                asyncio.timeout(seconds),
                self._lanes[target.scheme].session.get(target, headers=headers, allow_redirects=False) as response,
            ):
                answer = Answer(response.status, response.headers, b"", complete=False)
                left = most if response.status == HTTP_OK else 0
                while left > 0 and (chunk := await response.content.read(min(left, PART))):
                    file.write(chunk)
                    left -= len(chunk)
                answer = replace(answer, complete=response.content.at_eof())
                response.close()
        except (aiohttp.ClientError, OSError, RuntimeError, OutboundError) as error:
            if answer is None:
                raise _reason(error) from None
        return answer

    async def _exchange(self, request: Any, max_answer: int, received: list[Answer]) -> None:
        async with request as response:
            received.append(Answer(response.status, response.headers, b"", complete=False))
            content = bytearray()
            while len(content) < max_answer and (chunk := await response.content.read(max_answer - len(content))):
                content += chunk
            received.append(
                Answer(response.status, response.headers, bytes(content), complete=response.content.at_eof())
            )
            response.close()

    def _parse(self, text: str) -> URL:
        if len(text) > MAX_URL or _UNWRITABLE.search(text) or "#" in text or _CREDENTIALS.match(text):
            raise RefusedUrlError
        try:
            url = URL(text)
            host = (url.raw_host or "").lower()
            refused = url.scheme not in self._lanes or url.user is not None or url.password is not None or not url.port
        except ValueError:
            raise RefusedUrlError from None
        if refused or not (_is_literal(host) or (_NAME.fullmatch(host) and not _NUMBER_AT_END.fullmatch(host))):
            raise RefusedUrlError
        return url

    async def _in_time(self, find: Lookup, host: str) -> Sequence[str]:
        try:
            async with asyncio.timeout(self._connect):
                return await find(host)
        except OSError:
            raise UnresolvedHostError from None

    async def _look_up(self, host: str) -> Sequence[str]:
        find = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, find)
        return list(dict.fromkeys(str(target[0]) for *_, target in found))


@asynccontextmanager
async def open_outbound(
    settings: OutboundSettings, *, total_seconds: float = TOTAL_SECONDS
) -> AsyncIterator[OutboundClient]:
    """The client, configured by the settings."""
    async with OutboundClient(
        developer=read_networks(settings.outbound_dev_hosts),
        approved=read_networks(settings.outbound_networks),
        total_seconds=total_seconds,
    ) as client:
        yield client


@cache
def _public_authorities() -> ssl.SSLContext:
    return ssl.create_default_context()


def _is_literal(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not (isinstance(address, IPv6Address) and address.scope_id)


def _reason(error: Exception) -> OutboundError:
    if isinstance(error, OutboundError):
        return error
    if isinstance(error, TimeoutError):
        return TimedOutError()
    if isinstance(error, aiohttp.InvalidURL):
        return RefusedUrlError()
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return TlsError()
    # uvloop raises RuntimeError for some failed connects.
    if isinstance(error, aiohttp.ClientConnectorError | RuntimeError):
        return ConnectError()
    return BrokenAnswerError()
