"""Requests to a registry through the guarded client; every fault becomes a `SourceError` with a stable code."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO, Final
from urllib.parse import urlencode

from services.registry.synchronisation.model import SourceError
from shared.clients.outbound import Answer, OutboundClient, OutboundError

MAX_ANSWER: Final = 16 * 1024 * 1024
_OK, _TOO_MANY, _SERVER = 200, 429, 500


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Asks one server. ``base``: its address; ``pause``: seconds before each request; ``token``: sent as bearer."""

    outbound: OutboundClient
    base: str
    pause: float
    token: str = ""

    async def json(self, path: str, query: Mapping[str, str] | None = None, *, body: Any = None) -> Any:
        """Return the JSON of an answer. ``body``: sent as JSON by POST.

        :raises SourceError: there is no answer, it is an error, cut off, too large, or no JSON.
        """
        return parsed((await self.answer(path, query, body=body)).body)

    async def answer(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Any = None,
        accept: str = "application/json",
        passed: frozenset[int] = frozenset(),
    ) -> Answer:
        """Return a whole answer. ``passed``: statuses other than 200 to return.

        :raises SourceError: there is no answer, it is an error, cut off, or too large.
        """
        url = f"{self.base}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = self._headers(accept)
        if body is not None:
            headers["Content-Type"] = "application/json"
        await asyncio.sleep(self.pause)
        try:
            answer = await self.outbound.send(
                "GET" if body is None else "POST",
                url,
                headers=headers,
                body=None if body is None else json.dumps(body).encode(),
                max_answer=MAX_ANSWER,
            )
        except OutboundError as error:
            raise SourceError(error.code) from error
        if answer.status != _OK and answer.status not in passed:
            raise _refused(answer)
        if len(answer.body) >= MAX_ANSWER:
            raise SourceError("answer_too_large")
        if not answer.complete:
            raise SourceError("truncated")
        return answer

    async def download(self, path: str, file: BinaryIO, *, most: int, seconds: float) -> None:
        """Write a long answer to a file.

        :raises SourceError: as `answer`.
        """
        await asyncio.sleep(self.pause)
        try:
            answer = await self.outbound.download(
                f"{self.base}{path}", file, headers=self._headers("*/*"), most=most, seconds=seconds
            )
        except OutboundError as error:
            raise SourceError(error.code) from error
        if answer.status != _OK:
            raise _refused(answer)
        if not answer.complete:
            raise SourceError("truncated")

    def _headers(self, accept: str) -> dict[str, str]:
        return {"Accept": accept, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}


def parsed(body: bytes) -> Any:
    """Return the JSON of a body.

    :raises SourceError: it is not UTF-8 or not JSON.
    """
    try:
        return json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SourceError("not_utf8") from None
    except (ValueError, RecursionError):
        raise SourceError("not_json") from None


def members(document: Any, name: str) -> list[Any]:
    """Return a list in an answer.

    :raises SourceError: the answer has another form.
    """
    found = document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise SourceError("unexpected_answer", f"no list `{name}`")
    return found


def line(record: Any) -> bytes:
    """Write a record as a line to import: in ASCII, so that a lone surrogate is a fault of this record only."""
    return json.dumps(record, separators=(",", ":")).encode("ascii")


def _refused(answer: Answer) -> SourceError:
    wait = _seconds(answer.headers.get("Retry-After", ""))
    if answer.status == _TOO_MANY:
        return SourceError("too_many_requests", retry_after=wait)
    return SourceError(f"http_{answer.status}", retry_after=wait if answer.status >= _SERVER else None)


def _seconds(text: str) -> float | None:
    """Return the seconds of a `Retry-After`: a number, or a date."""
    if text.isdecimal():
        return float(text)
    try:
        return (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
