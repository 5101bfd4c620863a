"""The client for calls between services: httpx with strict time limits and the internal token; no proxies or redirects.

The trace continues in the called service.
"""

import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from typing import Any

import httpx

from shared.tracing import calling
from shared.values.addresses import EMBEDDED_PORTS

if find_spec("sniffio") is None:
    # httpcore imports it at each lock: where it is missing, each time in vain through every folder of the path.
    sys.modules["sniffio"] = None  # type: ignore[assignment]


class SiblingError(ConnectionError):
    """A sibling service did not answer, or answered with an error."""


class InternalClient:
    """Calls one sibling service. Answers are returned whatever their status; transport failures raise `SiblingError`.

    ``base_url`` lists its replicas, separated by commas: if one cannot answer, the next one is asked.
    ``token``: the credential of every call; None: each call has its own, or none.
    """

    def __init__(self, base_url: str, token: str | None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        replicas = [httpx.URL(one.strip()) for one in base_url.split(",")]
        limits = httpx.Limits(max_connections=20, max_keepalive_connections=10)
        self._client = httpx.AsyncClient(
            base_url=replicas[0],
            headers={} if token is None else {"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(10.0, connect=2.0),
            trust_env=False,
            transport=_Replicas(replicas, transport or httpx.AsyncHTTPTransport(limits=limits, trust_env=False)),
        )

    async def get(
        self, path: str, *, headers: Mapping[str, str] | None = None, seconds: float | None = None
    ) -> httpx.Response:
        """The answer to a GET, whatever its status.

        :param seconds: the time limit; None: ten seconds.
        :raises SiblingError: no answer.
        """
        with calling("GET", _sibling(path)) as call, _transport_errors():
            response = await self._client.get(
                path,
                headers={**(headers or {}), **call.headers},
                timeout=httpx.USE_CLIENT_DEFAULT if seconds is None else seconds,
            )
            call.answered(response.status_code)
            return response

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer to a call, whatever its status.

        :raises SiblingError: no answer.
        """
        with calling(method, _sibling(path)) as call, _transport_errors():
            response = await self._client.request(
                method, path, params=query, json=json, headers={**(headers or {}), **call.headers}
            )
            call.answered(response.status_code)
            return response

    async def ask(self, method: str, path: str, *, json: Any = None) -> Any:
        """Call and return the JSON of the answer.

        :raises SiblingError: no answer, or an error.
        """
        with calling(method, _sibling(path)) as call:
            with _transport_errors():
                response = await self._client.request(method, path, json=json, headers=call.headers)
            call.answered(response.status_code)
        if not response.is_success:
            raise SiblingError(str(response.status_code))
        return response.json()

    @asynccontextmanager
    async def stream(self, path: str, *, seconds: float | None = None) -> AsyncIterator[httpx.Response]:
        """A streamed GET.

        :param seconds: the time limit for its beginning and between two parts of it; None: ten seconds.
        :raises SiblingError: no answer, or one that is cut off.
        """
        with calling("GET", _sibling(path)) as call, _transport_errors():
            timeout = httpx.USE_CLIENT_DEFAULT if seconds is None else seconds
            async with self._client.stream("GET", path, headers=call.headers, timeout=timeout) as response:
                call.answered(response.status_code)
                yield response

    async def close(self) -> None:
        await self._client.aclose()


@contextmanager
def _transport_errors() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        raise SiblingError(type(error).__name__) from error


class _Replicas(httpx.AsyncBaseTransport):
    """Calls the replica that answered last; if it does not answer, the others in turn."""

    def __init__(self, replicas: Sequence[httpx.URL], transport: httpx.AsyncBaseTransport) -> None:
        self._replicas = replicas
        self._transport = transport
        self._last = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        count = len(self._replicas)
        *others, last = [(self._last + step) % count for step in range(count)]
        for chosen in others:
            try:
                return await self._ask(chosen, request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
            except httpx.TransportError:
                # It may have reached that replica: only calls that change nothing are repeated.
                if request.method not in {"GET", "HEAD"}:
                    raise
        return await self._ask(last, request)

    async def _ask(self, chosen: int, request: httpx.Request) -> httpx.Response:
        replica = self._replicas[chosen]
        request.url = request.url.copy_with(scheme=replica.scheme, host=replica.host, port=replica.port)
        request.headers["Host"] = replica.netloc.decode("ascii")
        response = await self._transport.handle_async_request(request)
        self._last = chosen
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()


def _sibling(path: str) -> str:
    """The service that a path belongs to: the only part of a path that goes into a span."""
    name = path[1:].partition("/")[0]
    return name if name in EMBEDDED_PORTS else "unknown"
