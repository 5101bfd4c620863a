"""The one client for addresses that others chose: webhooks, key sets, source registries. It reaches public addresses over https, and nothing inside.

A name is resolved once per connection; one address of it that is not public refuses them all, and only the checked addresses are dialled.
Nothing is kept between calls, and nothing followed: no connection, cookie, redirect or proxy.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from types import TracebackType
from typing import Any, ClassVar, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import Field
from yarl import URL

from shared.settings import ServiceSettings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Lookup = Callable[[str], Awaitable[Sequence[str]]]

TOTAL_SECONDS = 20.0
CONNECT_SECONDS = 5.0
MAX_ANSWER = 16 * 1024
MAX_URL = 2048
# System look-ups block a thread each; a slow name server must not take the whole process's threads.
LOOKUP_THREADS = 16

# `ipaddress.is_global` lets multicast, NAT64, 6to4 and the metadata services of clouds through: the list is our own (source: IANA registries).
NOT_PUBLIC = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/96",  # unspecified, loopback, IPv4-compatible
        "64:ff9b::/96", "64:ff9b:1::/48",  # NAT64
        "100::/64", "100:0:0:1::/64",  # discard
        "2001::/23",  # Teredo, benchmarking, ORCHID
        "2001:db8::/32", "3fff::/20",  # documentation
        "2002::/16",  # 6to4
        "5f00::/16",  # SRv6
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
# Metadata services of clouds hand out credentials: no approval opens them.
NEVER = frozenset(
    ip_address(one)
    for one in (
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "168.63.129.16", "100.100.100.200", "192.0.0.192",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
    )
)  # fmt: skip

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
    """Nobody accepts connections there."""

    code = "connect_failed"


class TlsError(OutboundError):
    """The certificate or the handshake is not acceptable."""

    code = "tls_failed"


class TimedOutError(OutboundError):
    """No complete head of an answer in time."""

    code = "timed_out"


class BrokenAnswerError(OutboundError):
    """The connection broke before a complete head of an answer, or it was not HTTP."""

    code = "broken_answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whatever its status (3xx too). ``complete`` is false where the body was longer than asked for, too slow or cut."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool


class OutboundSettings(ServiceSettings):
    """What an operator opens, as comma-separated networks; empty by default."""

    outbound_dev_hosts: str = Field(
        default="",
        validation_alias="CLEIO_OUTBOUND_DEV_HOSTS",
        description="For a developer's machine and tests: reachable, and over http too.",
    )
    outbound_networks: str = Field(
        default="",
        validation_alias="CLEIO_OUTBOUND_NETWORKS",
        description="A hospital's own networks that the operator approved: reachable, over https.",
    )


def read_networks(text: str) -> tuple[Network, ...]:
    """``127.0.0.0/8, ::1/128`` as networks.

    :raises ValueError: when one is not a network.
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def canonical(address: Address) -> Address:
    """The address that is really dialled: an IPv4 one inside its IPv6 mapping is judged as IPv4."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def is_public(address: Address) -> bool:
    """Whether anybody on the Internet could reach this address, so that reaching it from here discloses nothing inside."""
    address = canonical(address)
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST_V6:
        return False
    return address not in NEVER and not any(address in block for block in NOT_PUBLIC)


@dataclass(frozen=True, slots=True)
class _Guard:
    """What one scheme may reach."""

    public: bool
    networks: Sequence[Network]

    def check(self, text: str) -> None:
        """:raises RefusedAddressError: for a spelling that is not canonical, too."""
        try:
            address = canonical(ip_address(text))
        except ValueError:
            raise RefusedAddressError from None
        if address in NEVER or not (
            (self.public and is_public(address)) or any(address in network for network in self.networks)
        ):
            raise RefusedAddressError

    def open_socket(self, info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        """The last look, at the address that is dialled: it holds for literals and for whatever the connector may come to do."""
        family, kind, protocol, _, target = info
        self.check(str(target[0]))
        return socket.socket(family, kind, protocol)


class _CheckedResolver(AbstractResolver):
    def __init__(self, lookup: Lookup, guard: _Guard) -> None:
        self._lookup = lookup
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
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
        """Nothing is kept."""


@dataclass(slots=True)
class _Lane:
    """One scheme's resolver and session."""

    resolver: _CheckedResolver
    guard: _Guard
    session: aiohttp.ClientSession = field(init=False)


class OutboundClient:
    """An asynchronous context manager. Public addresses and ``approved`` networks are reached over https, ``developer`` networks over http too.

    ``lookup`` gives the addresses of a name (the system's resolver by default), ``tls`` the trusted authorities.
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
                # A kept connection would outlive the check of its address.
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
        """What ``send`` would refuse now, without sending: for the moment when an address is registered.

        :raises RefusedUrlError: the form of the URL.
        :raises RefusedAddressError: an address behind it.
        :raises UnresolvedHostError: the name has none.
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
        """One request, without following redirects; at most ``max_answer`` bytes of the answer's body are read.

        :raises OutboundError: a subclass says why there is no answer.
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
            # Once the head is there the receiver has answered: only its body is missing.
            if not received:
                raise _reason(error) from None
        return received[-1]

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
    """The client as the settings say."""
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
