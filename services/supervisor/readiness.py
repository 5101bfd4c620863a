"""Find out whether a service or the whole system answers."""

import asyncio
import ssl
from collections.abc import Iterable

from services.supervisor.gateway import GatewaySettings

_ANSWER_TIMEOUT = 5.0  # seconds
_RETRY_SECONDS = 0.1


async def wait_until_answering(
    host: str, port: int, paths: Iterable[str], gateway: GatewaySettings | None = None
) -> None:
    """Return when each of ``paths`` has been answered with 200; retry without end.

    ``gateway``: its settings, if the address is the gateway's.
    """
    for path in paths:
        while await get_status(host, port, path, gateway) != 200:  # noqa: ASYNC110 - another process: no event to wait for
            await asyncio.sleep(_RETRY_SECONDS)


async def get_status(
    host: str, port: int, path: str, gateway: GatewaySettings | None = None, *, seconds: float = _ANSWER_TIMEOUT
) -> int | None:
    """Return the status of one GET, or None without an answer within ``seconds``."""
    name = gateway.name if gateway else host
    try:
        async with asyncio.timeout(seconds):
            if gateway is None or gateway.tls == "off":
                reader, writer = await asyncio.open_connection(host, port)
            else:
                reader, writer = await asyncio.open_connection(
                    host, port, ssl=_any_certificate(), server_hostname=name.strip("[]")
                )
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n".encode())
                parts = (await reader.readline()).split()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return None
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else None


def _any_certificate() -> ssl.SSLContext:
    """Accept any certificate: only whether it answers matters here, and no secret is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
