"""How many requests for consent an address may get in a day, and a caller may cause. Pure."""

import hmac
import ipaddress
from dataclasses import dataclass
from datetime import timedelta

from shared.values.encryption import derived_key

DAY = timedelta(days=1)
PER_ADDRESS = 3
PER_CALLER = 100


@dataclass(frozen=True, slots=True)
class RequestCount:
    """What is counted, as a keyed hash of 32 bytes, and the most that is sent for it in a day."""

    digest: bytes
    most: int


def counts_of(key: bytes, address: str, caller: str) -> tuple[RequestCount, ...]:
    """Return what a request for consent counts for: its e-mail address, and the network address of its caller.

    Spellings of one mailbox count together, and so do the addresses of one IPv6 network. ``key``: of the installation.
    """
    local, _, domain = address.lower().rpartition("@")
    mailbox = f"{local.partition('+')[0]}@{domain}"
    secret = derived_key(key, "notifications/consent-requests")
    return (
        RequestCount(hmac.digest(secret, f"to {mailbox}".encode(), "sha256"), PER_ADDRESS),
        RequestCount(hmac.digest(secret, f"from {_network(caller)}".encode(), "sha256"), PER_CALLER),
    )


def _network(caller: str) -> str:
    try:
        found = ipaddress.ip_address(caller)
    except ValueError:
        return caller
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
