"""Settings of the gateway: its host names and TLS."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.values.addresses import known_hosts

Tls = Literal["off", "internal", "files"]


class InvalidGatewayError(ValueError):
    """A setting of the gateway is invalid; the message is one line for the operator."""


@dataclass(frozen=True)
class GatewaySettings:
    """``hosts``: the names that the gateway answers to, its own first.

    ``tls``: off, certificates of Caddy's own authority (internal), or the operator's (files).
    """

    hosts: Sequence[str]
    tls: Tls
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], bind: str) -> "GatewaySettings":
        """:raises InvalidGatewayError: when CLEIO_HOSTS or one of CLEIO_TLS… is invalid."""
        try:
            hosts = known_hosts(environment.get("CLEIO_HOSTS", ""), bind)
        except ValueError as error:
            raise InvalidGatewayError(f"CLEIO_HOSTS is {error}") from None
        mode = environment.get("CLEIO_TLS", "")
        files = [environment.get(name) for name in ("CLEIO_TLS_CERT", "CLEIO_TLS_KEY")]
        if mode not in {"", "off", "internal"}:
            raise InvalidGatewayError(
                "CLEIO_TLS must be off or internal; for a certificate of your own set CLEIO_TLS_CERT and CLEIO_TLS_KEY"
            )
        if not any(files):
            return cls(hosts, "internal" if mode == "internal" else "off")
        if mode or not all(files):
            raise InvalidGatewayError(
                "a certificate of your own needs both CLEIO_TLS_CERT and CLEIO_TLS_KEY, and CLEIO_TLS must be unset"
            )
        certificate, key = (Path(file or "").absolute() for file in files)
        return cls(hosts, "files", certificate, key)

    @property
    def scheme(self) -> str:
        return "http" if self.tls == "off" else "https"

    @property
    def name(self) -> str:
        """The host name for calls. With TLS the certificate must contain it."""
        return self.hosts[0]

    def check_certificate(self) -> None:
        """:raises InvalidGatewayError: when the certificate or its key is unreadable, or they do not match."""
        if self.tls != "files":
            return
        try:
            # The empty password refuses a key with a passphrase instead of asking for it.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(str(self.certificate), str(self.key), password="")
        except (OSError, ValueError) as error:
            raise InvalidGatewayError(f"CLEIO_TLS_CERT and CLEIO_TLS_KEY cannot be used: {error}") from None

    def environment(self, port: int) -> dict[str, str]:
        """Return the variables that the Caddyfile reads."""
        variables = {
            "CLEIO_GATEWAY_SITES": " ".join(f"{self.scheme}://{host}:{port}" for host in self.hosts),
            "CLEIO_GATEWAY_ELSEWHERE": f"{self.scheme}://:{port}",
            "CLEIO_GATEWAY_TLS": self.tls,
        }
        if self.tls == "files":
            variables |= {"CLEIO_TLS_CERT": str(self.certificate), "CLEIO_TLS_KEY": str(self.key)}
        return variables
