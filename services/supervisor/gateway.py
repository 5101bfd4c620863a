"""How the gateway is reached: under which names, and whether over TLS."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.values.addresses import known_hosts

Tls = Literal["off", "internal", "files"]


class InvalidGatewayError(ValueError):
    """A setting of the door that cannot be; the message is the one line its operator needs."""


@dataclass(frozen=True)
class GatewaySettings:
    """``hosts`` are the names it answers to, its own first. ``tls``: none, certificates of Caddy's own authority, or the operator's."""

    hosts: Sequence[str]
    tls: Tls
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], bind: str) -> "GatewaySettings":
        """:raises InvalidGatewayError: when CLEIO_HOSTS or one of CLEIO_TLS… makes no sense."""
        try:
            hosts = known_hosts(environment.get("CLEIO_HOSTS", ""), bind)
        except ValueError as error:
            raise InvalidGatewayError(f"CLEIO_HOSTS is {error}") from None
        wanted = environment.get("CLEIO_TLS", "")
        files = [environment.get(name) for name in ("CLEIO_TLS_CERT", "CLEIO_TLS_KEY")]
        if wanted not in {"", "off", "internal"}:
            raise InvalidGatewayError(
                "CLEIO_TLS is off or internal; a certificate of your own is named with CLEIO_TLS_CERT and CLEIO_TLS_KEY"
            )
        if not any(files):
            return cls(hosts, "internal" if wanted == "internal" else "off")
        if wanted or not all(files):
            raise InvalidGatewayError("a certificate needs CLEIO_TLS_CERT and CLEIO_TLS_KEY, and no CLEIO_TLS")
        certificate, key = (Path(file or "").absolute() for file in files)
        return cls(hosts, "files", certificate, key)

    @property
    def scheme(self) -> str:
        return "http" if self.tls == "off" else "https"

    @property
    def name(self) -> str:
        """The host to call it by. Over TLS the certificate must hold it."""
        return self.hosts[0]

    def check_certificate(self) -> None:
        """:raises InvalidGatewayError: when the certificate and its key cannot be read, or are not of each other."""
        if self.tls != "files":
            return
        try:
            # A key with a passphrase is refused, not asked for.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(str(self.certificate), str(self.key), password="")
        except (OSError, ValueError) as error:
            raise InvalidGatewayError(f"CLEIO_TLS_CERT and CLEIO_TLS_KEY cannot be used: {error}") from None

    def environment(self, port: int) -> dict[str, str]:
        """What the gateway's Caddyfile is told of it."""
        told = {
            "CLEIO_GATEWAY_SITES": " ".join(f"{self.scheme}://{host}:{port}" for host in self.hosts),
            "CLEIO_GATEWAY_ELSEWHERE": f"{self.scheme}://:{port}",
            "CLEIO_GATEWAY_TLS": self.tls,
        }
        if self.tls == "files":
            told |= {"CLEIO_TLS_CERT": str(self.certificate), "CLEIO_TLS_KEY": str(self.key)}
        return told
