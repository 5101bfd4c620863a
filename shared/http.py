"""The client for calls between services: httpx with strict times, the internal token, no proxies, no redirects. The trace goes on in the sibling."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from shared.settings import EMBEDDED_PORTS
from shared.tracing import calling


class InternalClient:
    """Calls one sibling service. Answers are returned whatever their status; transport failures raise ``httpx.HTTPError``."""

    def __init__(self, base_url: str, token: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(10.0, connect=2.0),
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10),
            trust_env=False,
            transport=transport,
        )

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None, timeout: float | None = None) -> httpx.Response:  # noqa: ASYNC109  httpx's own
        with calling("GET", _sibling(path)) as call:
            response = await self._client.get(
                path, headers={**(headers or {}), **call.headers}, timeout=httpx.USE_CLIENT_DEFAULT if timeout is None else timeout
            )
            call.answered(response.status_code)
            return response

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[httpx.Response]:
        """A streamed GET."""
        with calling("GET", _sibling(path)) as call:
            async with self._client.stream("GET", path, headers=call.headers) as response:
                call.answered(response.status_code)
                yield response

    async def close(self) -> None:
        await self._client.aclose()


def _sibling(path: str) -> str:
    """The service a path belongs to; nothing else of a path is told."""
    name = path[1:].partition("/")[0]
    return name if name in EMBEDDED_PORTS else "unknown"
