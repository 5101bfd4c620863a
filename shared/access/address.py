"""The address of a caller: taken from the gateway only, because a client could write any header."""

import ipaddress
from collections.abc import Sequence

from fastapi import Request

from shared.settings import Network


def address_of(request: Request, gateways: Sequence[Network] = ()) -> str:
    """Return the address of a caller: as the gateway reports it, or the peer's own if that is not the gateway.

    ``gateways``: networks of gateways on other machines.
    """
    peer = request.client.host if request.client else ""
    forwarded = request.headers.getlist("x-forwarded-for")
    if forwarded and (is_loopback(peer) or any(_is_in(peer, network) for network in gateways)):
        # The gateway replaces the header of the client by one address. A proxy behind it would append to it.
        return forwarded[-1].rpartition(",")[2].strip()
    return peer


def on_loopback(request: Request) -> bool:
    """Return whether the caller is on this machine."""
    return is_loopback(address_of(request))


def is_loopback(address: str) -> bool:
    """Return whether the text is a loopback address; a name is not."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _is_in(address: str, network: Network) -> bool:
    try:
        return ipaddress.ip_address(address) in network
    except ValueError:
        return False
