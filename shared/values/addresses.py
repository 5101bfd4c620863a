"""Ports of the embedded run, and the host names of an installation."""

import re

# Offsets from the gateway's port.
EMBEDDED_PORTS = {"registry": 1, "matching": 2, "notifications": 3, "portal": 4}
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared with, not bound
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]")


def replica_ports(first: int, count: int) -> tuple[int, ...]:
    """Return the ports of ``count`` replicas of a service, interleaved with those of the other services."""
    return tuple(first + len(EMBEDDED_PORTS) * number for number in range(count))


def known_hosts(listed: str, bind: str) -> tuple[str, ...]:
    """Return the host names that are accepted in requests: protection against DNS rebinding.

    ``listed``: names separated by commas; if empty, the address ``bind`` that the gateway listens on.
    The names of this machine are always included.

    :raises ValueError: an item is neither a name nor an address.
    """
    given = [one.strip().lower() for one in listed.split(",") if one.strip()]
    for one in given:
        if not _NAME.fullmatch(one):
            raise ValueError("not a list of names: cleio.example,10.0.0.5,[2001:db8::5]")
    if not given and bind not in EVERYWHERE:
        given = [f"[{bind}]" if ":" in bind else bind.lower()]
    return tuple(dict.fromkeys([*given, *LOOPBACK_NAMES]))


def host_of(authority: str) -> str:
    """Return the name in a Host header, without its port."""
    name, colon, port = authority.lower().rpartition(":")
    return name if colon and port.isdigit() and (":" not in name or name.startswith("[")) else authority.lower()
