"""Who is calling. The address is believed from the gateway alone, the rights from a verified token alone."""

import hmac
import ipaddress
from dataclasses import dataclass
from typing import Literal

from fastapi import Request

from shared.problems import UnauthenticatedError
from shared.settings import ServiceSettings

PrincipalKind = Literal["public", "coordination", "service"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: its kind (`api` vocabulary), whether it sits on this machine, and the organisation it speaks for, if any."""

    kind: PrincipalKind
    on_loopback: bool
    organisation: str | None = None

    @property
    def audiences(self) -> frozenset[str]:
        """The audiences of feed entries and rows that this caller belongs to."""
        if self.kind == "public":
            return frozenset({"public"})
        return frozenset({"public", "coordination", "demo"})


def identify(request: Request, settings: ServiceSettings) -> Principal:
    """The principal of a request.

    :raises UnauthenticatedError: 401, when a token is given and is not one of ours: a bad token is never treated as none.
    """
    local = _on_loopback(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not scheme and not token:
        return Principal("public", local)
    if scheme.lower() == "bearer" and token:
        given = token.encode()
        if hmac.compare_digest(given, settings.internal_token.get_secret_value().encode()):
            return Principal("service", local)
        if hmac.compare_digest(given, settings.admin_token.get_secret_value().encode()):
            return Principal("coordination", local, organisation="local")
    raise UnauthenticatedError


def _on_loopback(request: Request) -> bool:
    peer = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for")
    if forwarded and _is_loopback(peer):
        # The gateway replaces whatever the client sent: exactly one address, the socket's.
        peer = forwarded.rpartition(",")[2].strip()
    return _is_loopback(peer)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
