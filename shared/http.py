"""The client for calls between services: httpx with strict times, the internal token, no proxies and no redirects."""

from typing import Any

import httpx


class SiblingError(ConnectionError):
    """A sibling service did not answer, or not with what it was asked for."""


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

    async def get(self, path: str, *, timeout: float | None = None, **options: Any) -> httpx.Response:  # noqa: ASYNC109  httpx's own
        return await self._client.get(path, timeout=httpx.USE_CLIENT_DEFAULT if timeout is None else timeout, **options)

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        """The JSON that a call answers.

        :raises SiblingError: no answer, or an error.
        """
        try:
            response = await self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise SiblingError(type(error).__name__) from None
        if not response.is_success:
            raise SiblingError(str(response.status_code))
        return response.json()

    def stream(self, path: str) -> Any:
        """A streamed GET, as a context manager."""
        return self._client.stream("GET", path)

    async def close(self) -> None:
        await self._client.aclose()
