"""Which IP addresses are public, and which are never called. Pure."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# `ipaddress.is_global` accepts multicast, NAT64, 6to4 and metadata services of clouds: hence this list (source: IANA).
NOT_PUBLIC = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/96",  # unspecified, loopback, IPv4-compatible
        "64:ff9b::/96", "64:ff9b:1::/48",  # NAT64
        "100::/64", "100:0:0:1::/64",  # discard
        "2001::/23",  # Teredo, benchmarking, ORCHID
        "2001:db8::/32", "3fff::/20",  # documentation
        "2002::/16",  # 6to4
        "5f00::/16",  # SRv6
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
# Metadata services of clouds hand out credentials: no setting allows them.
NEVER = frozenset(
    ip_address(one)
    for one in (
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "168.63.129.16", "100.100.100.200", "192.0.0.192",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
    )
)  # fmt: skip


def read_networks(text: str) -> tuple[Network, ...]:
    """Parse comma-separated networks, such as ``127.0.0.0/8, ::1/128``.

    :raises ValueError: when one is not a network.
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def canonical(address: Address) -> Address:
    """The address that is really dialled: an IPv4-mapped IPv6 address becomes IPv4."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def is_public(address: Address) -> bool:
    """Whether the whole Internet can reach the address, so that calling it discloses nothing of this network."""
    address = canonical(address)
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST_V6:
        return False
    return address not in NEVER and not any(address in block for block in NOT_PUBLIC)
