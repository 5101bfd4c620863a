"""When is the system ready: after real requests have passed through the gateway."""

import asyncio
from collections.abc import Iterable

_PATIENCE = 5.0  # seconds for one answer
_PAUSE = 0.05  # seconds between two tries


async def wait_until_answering(host: str, port: int, paths: Iterable[str]) -> None:
    """Return when each of ``paths`` has been answered with 200; tries for ever."""
    for path in paths:
        # Another process decides when: there is no event to wait for.
        while await answer_of(host, port, path) != 200:  # noqa: ASYNC110
            await asyncio.sleep(_PAUSE)


async def answer_of(host: str, port: int, path: str) -> int | None:
    """The status of one GET, or None when there was no answer."""
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: cleio\r\nConnection: close\r\n\r\n".encode())
                parts = (await reader.readline()).split()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return None
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else None
