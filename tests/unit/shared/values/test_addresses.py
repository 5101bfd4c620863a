"""Which host a request is for, and which hosts are ours."""

import pytest

from shared.values.addresses import host_of, known_hosts


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("Localhost:8080", "localhost"),
        ("localhost", "localhost"),
        ("127.0.0.1:8080", "127.0.0.1"),
        ("[::1]:8080", "[::1]"),
        ("[::1]", "[::1]"),
        ("evil.example:80:80", "evil.example:80:80"),
        ("localhost:", "localhost:"),
        ("localhost:x", "localhost:x"),
        ("", ""),
    ],
)
def test_the_host_is_what_stands_before_the_port(authority: str, host: str) -> None:
    assert host_of(authority) == host


@pytest.mark.parametrize(
    "listed", ["*", "a b", "a_b", "http://a.example", "a.example:80", "-a", "[::1", "a;b", "a\nb", "é.example"]
)
def test_an_invalid_name_is_refused(listed: str) -> None:
    with pytest.raises(ValueError, match="not a list of names"):
        known_hosts(listed, "127.0.0.1")
