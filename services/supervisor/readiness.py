"""When is the system ready: after real requests have passed through the gateway."""

import asyncio
import ssl
from collections.abc import Iterable

from services.supervisor.gateway import GatewaySettings

_PATIENCE = 5.0  # seconds for one answer
_PAUSE = 0.05  # seconds between two tries


async def wait_until_answering(host: str, port: int, paths: Iterable[str], door: GatewaySettings | None = None) -> None:
    """Return when each of ``paths`` has been answered with 200; tries for ever. ``door``: the gateway's, where it is the one that is asked."""
    for path in paths:
        # Another process decides when: there is no event to wait for.
        while await answer_of(host, port, path, door) != 200:
            await asyncio.sleep(_PAUSE)


async def answer_of(host: str, port: int, path: str, door: GatewaySettings | None = None) -> int | None:
    """The status of one GET, or None when there was no answer."""
    name = door.name if door else host
    try:
        async with asyncio.timeout(_PATIENCE):
            if door is None or door.tls == "off":
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
    """Who answers is not in question here, only whether: no secret goes that way."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
