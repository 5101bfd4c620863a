"""Quotas: a token bucket for each caller and kind of request, reported in `RateLimit` headers (IETF draft)."""

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from fastapi import Request

from shared.access import Principal
from shared.access.address import address_of, is_loopback
from shared.access.policy import Action
from shared.http.limits.buckets import Buckets, Level, Quota
from shared.settings import ServiceSettings

Kind = Literal["read", "match", "write", "token"]
# Health checks and backups by the installation's own programs must not be delayed.
_UNLIMITED = frozenset({"health", "backup"})
IPV6_SITE = 64  # bits: the smallest network that one customer gets


def kind_of(resource: str, action: Action) -> Kind | None:
    """Return the kind of a request; None: it has no quota."""
    if resource in _UNLIMITED:
        return None
    if resource == "token":
        return "token"
    kinds: dict[Action, Kind] = {"read": "read", "write": "write", "execute": "match"}
    return kinds[action]


@dataclass(frozen=True, slots=True)
class QuotaDecision:
    """One request counted. ``headers`` report the quota with its answer."""

    kind: Kind
    quota: Quota
    level: Level

    @property
    def is_exceeded(self) -> bool:
        return not self.level.taken

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"ratelimit-policy", f'"{self.kind}";q={self.quota.requests};w={self.quota.window}'.encode()),
            (b"ratelimit", f'"{self.kind}";r={self.level.left};t={self.level.seconds}'.encode()),
        ]


class Quotas:
    """The buckets of one process. Behind a gateway with replicas, a caller has the whole quota at each of them."""

    def __init__(self, settings: ServiceSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._quotas: dict[Kind, int] = {
            "read": settings.rate_read,
            "match": settings.rate_match,
            "write": settings.rate_write,
            "token": settings.rate_token,
        }
        self._remote = {kind: Quota(count) for kind, count in self._quotas.items()}
        self._local = {kind: Quota(count * settings.rate_loopback_factor) for kind, count in self._quotas.items()}
        self._gateways = settings.gateway_networks
        self._clock = clock
        # Separate, so that a caller from ever new addresses pushes out no identified caller.
        self._named, self._addresses = Buckets(), Buckets()

    def take(self, request: Request, resource: str, action: Action, caller: Principal | None) -> QuotaDecision | None:
        """Count a request; None: it has no quota. ``caller`` None: it has no valid token."""
        kind = kind_of(resource, action)
        if kind is None or not self._quotas[kind] or (caller is not None and caller.kind == "service"):
            return None
        address = address_of(request, self._gateways)
        site, local = _placed(address)
        quota = self._local[kind] if local else self._remote[kind]
        if caller is not None and caller.organisation is not None:
            level = self._named.take((kind, caller.organisation, caller.client), quota, self._clock())
        else:
            level = self._addresses.take((kind, site), quota, self._clock())
        return QuotaDecision(kind, quota, level)


@lru_cache(4_096)
def _placed(address: str) -> tuple[str, bool]:
    """The site of an address, and whether it is on this machine."""
    return site_of(address), is_loopback(address)


def site_of(address: str) -> str:
    """Return an IPv4 address, or the /64 network of an IPv6 one, which has one owner; `unknown` for other texts."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Address(int(found) >> (128 - IPV6_SITE) << (128 - IPV6_SITE)))
    return str(found)
