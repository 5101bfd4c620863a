"""Where the services listen in the embedded run, and under which names an installation is known."""

import re

# Offsets from the gateway's port.
EMBEDDED_PORTS = {"registry": 1, "matching": 2, "notifications": 3}
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
EVERYWHERE = frozenset({"0.0.0.0", "::"})
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]")


def replica_ports(first: int, count: int) -> tuple[int, ...]:
    """The ports of ``count`` replicas of a service whose first one listens at ``first``: they go by turns with those of the other services."""
    return tuple(first + len(EMBEDDED_PORTS) * number for number in range(count))


def known_hosts(listed: str, bind: str) -> tuple[str, ...]:
    """The hosts that a request may be for: those listed, separated by commas, else the address it listens at; and always this machine's own.

    A name that an attacker's page has pointed at this machine (DNS rebinding) is none of them.

    :raises ValueError: when something listed is neither a name nor an address.
    """
    given = [one.strip().lower() for one in listed.split(",") if one.strip()]
    for one in given:
        if not _NAME.fullmatch(one):
            raise ValueError("not a list of names: cleio.example,10.0.0.5,[2001:db8::5]")
    if not given and bind not in EVERYWHERE:
        given = [f"[{bind}]" if ":" in bind else bind.lower()]
    return tuple(dict.fromkeys([*given, *LOOPBACK_NAMES]))


def host_of(authority: str) -> str:
    """The name in a Host header, without its port."""
    name, colon, port = authority.lower().rpartition(":")
    return name if colon and port.isdigit() and (":" not in name or name.startswith("[")) else authority.lower()
