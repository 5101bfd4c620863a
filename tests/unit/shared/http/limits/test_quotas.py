"""Which requests exceed a quota, and which forwarded addresses are trusted."""

import ipaddress
from typing import Any

import pytest
from fastapi import Request

from shared.access import Principal
from shared.access.address import address_of
from shared.access.policy import TABLE
from shared.http.limits.quotas import Quotas, kind_of, site_of
from shared.settings import ServiceSettings


def request_from(peer: str, forwarded: str | None = None) -> Request:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return Request({"type": "http", "client": (peer, 1), "headers": headers})


PUBLIC = Principal("public", on_loopback=False)


def spent(
    quotas: Quotas, peer: str, caller: Principal | None = PUBLIC, resource: str = "trial", action: Any = "read"
) -> int:
    """Return how many requests in a row are served."""
    for served in range(10_000):
        decision = quotas.take(request_from(peer), resource, action, caller)
        if decision is not None and decision.is_exceeded:
            return served
    raise AssertionError("no end")


def quotas_of(**settings: Any) -> Quotas:
    names = {"rate_read": 30, "rate_match": 20, "rate_write": 10, "rate_token": 5, "rate_loopback_factor": 10}
    return Quotas(ServiceSettings().model_copy(update={**names, **settings}), lambda: 0.0)


def test_each_kind_of_request_has_its_own_bucket() -> None:
    quotas = quotas_of()
    kinds: list[tuple[str, Any]] = [("trial", "read"), ("match", "execute"), ("trial", "write"), ("token", "write")]
    assert [spent(quotas, "203.0.113.1", PUBLIC, *kind) for kind in kinds] == [30, 20, 10, 5]
    assert spent(quotas, "203.0.113.2") == 30


def test_every_row_of_the_policy_has_a_kind_except_the_installation_s_own() -> None:
    assert {resource for resource, action in TABLE if kind_of(resource, action) is None} <= {"health", "backup"}


def test_an_identified_caller_has_one_bucket_for_all_addresses() -> None:
    quotas, caller = quotas_of(), Principal("coordination", on_loopback=False, organisation="chu")
    assert spent(quotas, "203.0.113.1", caller) == 30
    assert spent(quotas, "203.0.113.2", caller) == 0
    assert spent(quotas, "203.0.113.1") == 30, "its neighbours without a name have theirs"


def test_an_invalid_token_counts_for_its_address() -> None:
    quotas = quotas_of()
    assert spent(quotas, "203.0.113.1", None) == 30
    assert spent(quotas, "203.0.113.1") == 0


def test_the_services_themselves_are_not_limited() -> None:
    quotas = quotas_of()
    for _ in range(1_000):
        quotas.take(request_from("203.0.113.1"), "trial", "read", Principal("service", on_loopback=False))
        quotas.take(request_from("203.0.113.1"), "health", "read", PUBLIC)


def test_zero_switches_a_limit_off() -> None:
    with pytest.raises(AssertionError, match="no end"):
        spent(quotas_of(rate_read=0), "203.0.113.1")


def test_this_machine_has_a_multiple_of_the_quota() -> None:
    assert spent(quotas_of(), "127.0.0.1") == 300
    assert spent(quotas_of(rate_loopback_factor=1), "::1") == 30


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("nowhere", "", True),
    ],
)
def test_an_ipv6_site_is_one_caller(one: str, other: str, same: bool) -> None:
    assert (site_of(one) == site_of(other)) is same


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("10.9.0.5", "203.0.113.9", "10.9.0.5"),
        ("198.51.100.7", "127.0.0.1", "198.51.100.7"),
        ("198.51.100.7", None, "198.51.100.7"),
    ],
)
def test_a_forwarded_address_is_trusted_from_the_gateway_only(peer: str, forwarded: str | None, address: str) -> None:
    assert address_of(request_from(peer, forwarded), [ipaddress.ip_network("10.0.0.0/24")]) == address


def test_the_gateways_of_other_machines_are_named_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEIO_GATEWAY_NETWORKS", '["10.0.0.0/24", "fd00::/8"]')
    assert ServiceSettings().gateway_networks == (ipaddress.ip_network("10.0.0.0/24"), ipaddress.ip_network("fd00::/8"))
