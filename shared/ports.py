"""Where the services listen in the embedded run."""

# Offsets from the gateway's port.
EMBEDDED_PORTS = {"registry": 1, "matching": 2, "notifications": 3}


def replica_ports(first: int, count: int) -> tuple[int, ...]:
    """The ports of ``count`` replicas of a service whose first one listens at ``first``: they go by turns with those of the other services."""
    return tuple(first + len(EMBEDDED_PORTS) * number for number in range(count))
