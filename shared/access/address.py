"""Where a caller sits, as the gateway tells it: what a client writes of itself is not believed."""

import ipaddress
from collections.abc import Sequence

from fastapi import Request

from shared.settings import Network


def address_of(request: Request, gateways: Sequence[Network] = ()) -> str:
    """Where a caller sits: what the gateway says, and the socket's own where it is not the gateway that calls."""
    peer = request.client.host if request.client else ""
    forwarded = request.headers.getlist("x-forwarded-for")
    if forwarded and (is_loopback(peer) or any(_lies_in(peer, network) for network in gateways)):
        # The gateway replaces whatever the client sent: exactly one address, the socket's. Whoever adds to it adds at the end.
        return forwarded[-1].rpartition(",")[2].strip()
    return peer


def on_loopback(request: Request) -> bool:
    """Whether the caller sits on this machine."""
    return is_loopback(address_of(request))


def is_loopback(address: str) -> bool:
    """Whether it is an address of this machine alone; a name is none."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _lies_in(address: str, network: Network) -> bool:
    try:
        return ipaddress.ip_address(address) in network
    except ValueError:
        return False
