"""The public API as a page calls it: with the rights of its visitor, and never with the portal's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from services.portal.clients.problems import ApiError, ApiUnavailableError
from shared.clients.internal import InternalClient, SiblingError

UNAUTHENTICATED = 401
_SERVICES = {"registry": "registry", "oauth": "registry", "fhir": "registry", "matching": "matching"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its JSON (None: no content), its version (``etag``, quoted) and its headers."""

    body: Any
    etag: str | None
    headers: Mapping[str, str]


class Api:
    """Calls the services for one visitor.

    ``token``: the visitor's access token; None: anonymous. ``address``: that of the visitor, for the quotas.
    ``language``: of the problems that the services describe.
    """

    def __init__(
        self, services: Mapping[str, InternalClient], language: str, address: str = "", token: str | None = None
    ) -> None:
        self._services = services
        self._headers = {"Accept-Language": language}
        if address:
            self._headers["X-Forwarded-For"] = address
        self.has_token = token is not None
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    async def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a GET. Parameters that are None or empty are left out.

        :raises ApiError: the service answered with an error.
        :raises ApiUnavailableError: it did not answer.
        """
        return (await self.call("GET", path, query=query)).body

    async def find(self, path: str, **query: Any) -> Any | None:
        """Return the JSON of a GET; None: there is no such thing, or not for this visitor.

        :raises ApiError: any other error, also 401 where the visitor has a token: it is not valid any more.
        """
        try:
            return await self.get(path, **query)
        except ApiError as error:
            if error.status in {403, 404} or (error.status == UNAUTHENTICATED and not self.has_token):
                return None
            raise

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call and return the answer.

        :raises ApiError: the service answered with an error.
        :raises ApiUnavailableError: it did not answer.
        """
        response = await self._send(method, path, query or {}, json, headers or {})
        body = _body(response)
        if not response.is_success:
            raise ApiError.of(response.status_code, body)
        return Answer(body, response.headers.get("etag"), response.headers)

    async def download(self, path: str) -> bytes:
        """Return the content of a file.

        :raises ApiError: the service answered with an error.
        :raises ApiUnavailableError: it did not answer.
        """
        response = await self._send("GET", path, {}, None, {})
        if not response.is_success:
            raise ApiError.of(response.status_code, _body(response))
        return response.content

    async def _send(
        self, method: str, path: str, query: Mapping[str, Any], json: Any, headers: Mapping[str, str]
    ) -> httpx.Response:
        service = self._services[_SERVICES.get(path.split("/")[1], "notifications")]
        parameters = {name: value for name, value in query.items() if value not in (None, "", [], ())}
        try:
            return await service.send(method, path, query=parameters, json=json, headers={**self._headers, **headers})
        except SiblingError as error:
            raise ApiUnavailableError from error


def _body(response: httpx.Response) -> Any:
    if not response.content:
        return None
    return response.json() if "json" in response.headers.get("content-type", "") else response.text


def segment(value: str) -> str:
    """Return a value as one segment of a path."""
    return quote(value, safe="")
