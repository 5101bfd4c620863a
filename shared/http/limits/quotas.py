"""Quotas: a token bucket for each caller and kind of request, reported in `RateLimit` headers (IETF draft).

A request costs as many units as `shared.http.limits.costs` says.
"""

import ipaddress
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from fastapi import Request

from shared.access import Principal
from shared.access.address import address_of, is_loopback
from shared.access.policy import Action
from shared.http.limits.buckets import Buckets, Level, Quota
from shared.http.limits.concurrency import ANONYMOUS, IDENTIFIED, SERVICE, Occupant
from shared.settings import ServiceSettings
from shared.values.problems import RateLimitedError

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
class Account:
    """The bucket of one caller for one kind of request."""

    kind: Kind
    quota: Quota
    key: Hashable
    buckets: Buckets
    clock: Callable[[], float]

    def take(self, cost: int) -> "QuotaDecision":
        """Count a request that has not been worked on yet, or refuse it."""
        cost = min(cost, self.quota.requests)
        return QuotaDecision(self, cost, self.buckets.take(self.key, self.quota, self.clock(), cost))

    def charge(self, cost: int) -> "QuotaDecision":
        """Count further work of a request that was taken; it may be more than is left."""
        return QuotaDecision(self, cost, self.buckets.charge(self.key, self.quota, self.clock(), cost))


@dataclass(frozen=True, slots=True)
class QuotaDecision:
    """One request counted. ``cost``: in units. ``headers`` report the quota with its answer."""

    account: Account
    cost: int
    level: Level

    @property
    def is_exceeded(self) -> bool:
        return not self.level.taken

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        kind, quota, level = self.account.kind, self.account.quota, self.level
        return [
            (b"ratelimit-policy", f'"{kind}";q={quota.requests};w={quota.window}'.encode()),
            (b"ratelimit", f'"{kind}";r={level.left};t={level.seconds}'.encode()),
        ]


def refuse_beyond_quota(decision: QuotaDecision | None) -> None:
    """:raises RateLimitedError: 429, the request is more than its caller has left."""
    if decision is not None and decision.is_exceeded:
        raise RateLimitedError(decision.level.seconds)


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

    def take(
        self, request: Request, resource: str, action: Action, caller: Principal | None, cost: int = 1
    ) -> QuotaDecision | None:
        """Count a request; None: it has no quota. ``caller`` None: it has no valid token.

        :param cost: in units (`shared.http.limits.costs`).
        """
        kind = kind_of(resource, action)
        if kind is None or not self._quotas[kind] or (caller is not None and caller.kind == "service"):
            return None
        site, local = placed(address_of(request, self._gateways))
        quota = self._local[kind] if local else self._remote[kind]
        if caller is not None and caller.organisation is not None:
            account = Account(kind, quota, (kind, caller.organisation, caller.client), self._named, self._clock)
        else:
            account = Account(kind, quota, (kind, site), self._addresses, self._clock)
        return account.take(cost)


@lru_cache(4_096)
def placed(address: str) -> tuple[str, bool]:
    """Return the site of an address, and whether it is on this machine."""
    return site_of(address), is_loopback(address)


def occupant_of(request: Request, caller: Principal | None) -> Occupant:
    """Return the caller of a request as the limits on concurrent requests see it."""
    if caller is not None and caller.kind != "public":
        return SERVICE if caller.kind == "service" else IDENTIFIED
    site, local = placed(address_of(request, request.app.state.settings.gateway_networks))
    # All programs of this machine share one address, so it has no limit of its own.
    return ANONYMOUS if local else Occupant("anonymous", site)


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
