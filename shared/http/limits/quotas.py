"""Who is asking too often: a bucket for each caller and kind of request, told in `RateLimit-Policy` and `RateLimit` (IETF draft)."""

import ipaddress
import time
from collections.abc import Callable
from typing import Literal

from fastapi import Request

from shared.access import Principal
from shared.access.address import address_of, is_loopback
from shared.access.policy import Action
from shared.http.limits.buckets import Buckets, Quota
from shared.settings import ServiceSettings
from shared.values.problems import RateLimitedError

Kind = Literal["read", "match", "write", "token"]
# The installation's own health and copies: asked by programs that must not be kept waiting.
_UNLIMITED = frozenset({"health", "backup"})
IPV6_SITE = 64  # bits: what one customer is given at least


def kind_of(resource: str, action: Action) -> Kind | None:
    """Which bucket a request takes from; None: it takes from none."""
    if resource in _UNLIMITED:
        return None
    if resource == "token":
        return "token"
    kinds: dict[Action, Kind] = {"read": "read", "write": "write", "execute": "match"}
    return kinds[action]


class Quotas:
    """One process's buckets. Behind a gateway that balances over replicas, a caller has so much at each of them."""

    def __init__(self, settings: ServiceSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._quotas: dict[Kind, int] = {
            "read": settings.rate_read,
            "match": settings.rate_match,
            "write": settings.rate_write,
            "token": settings.rate_token,
        }
        self._here = settings.rate_loopback_factor
        self._gateways = settings.gateway_networks
        self._clock = clock
        # Apart, so that who comes from ever new addresses pushes out no caller with a name.
        self._named, self._addresses = Buckets(), Buckets()

    def take(self, request: Request, resource: str, action: Action, caller: Principal | None) -> None:
        """Count a request; ``caller`` None: its token is not one of ours. What is left is told with the answer.

        :raises RateLimitedError: 429.
        """
        kind = kind_of(resource, action)
        if kind is None or not self._quotas[kind] or (caller is not None and caller.kind == "service"):
            return
        address = address_of(request, self._gateways)
        quota = Quota(self._quotas[kind] * (self._here if is_loopback(address) else 1))
        if caller is not None and caller.organisation is not None:
            level = self._named.take((kind, caller.organisation, getattr(caller, "client", None)), quota, self._clock())
        else:
            level = self._addresses.take((kind, site_of(address)), quota, self._clock())
        request.scope["cleio_quota"] = [
            (b"ratelimit-policy", f'"{kind}";q={quota.requests};w={quota.window}'.encode()),
            (b"ratelimit", f'"{kind}";r={level.left};t={level.seconds}'.encode()),
        ]
        if not level.taken:
            raise RateLimitedError(level.seconds)


def site_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: whoever has one address of it has all. What is no address is one site."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Address(int(found) >> (128 - IPV6_SITE) << (128 - IPV6_SITE)))
    return str(found)
