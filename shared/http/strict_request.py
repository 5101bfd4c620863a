"""A request whose body is bounded while it arrives and whose JSON is parsed strictly."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from shared.http.context import context_of
from shared.http.heavy_work import HeavyWork
from shared.http.marks import BODY_SECONDS, Accepted
from shared.values.problems import MalformedJsonError, TooLargeError, storage_problem
from shared.values.strict_json import loads

# Parsing takes about 10 ms for each 256 KiB.
LARGE_BYTES = 64 * 1024
# A spooled body is written in parts of about this size.
SPOOL_BYTES = 1024 * 1024


class StrictRequest(Request):
    """Raises `TooLargeError` (413) and `MalformedJsonError` (400) where Starlette would read on."""

    def __init__(self, request: Request, accepted: Accepted) -> None:
        super().__init__(request.scope, request.receive)
        self._max_bytes = accepted.most_bytes(media_type_of(request))
        self._limits = accepted.limits

    async def body(self) -> bytes:
        """:raises TimeoutError: `BODY_SECONDS` passed between two parts of the body."""
        if not hasattr(self, "_body"):
            self._check_declared_size()
            try:
                self._body = b"".join([chunk async for chunk in self._bounded_stream()])
            except ClientDisconnect:
                raise MalformedJsonError from None  # not received: the client has disconnected
        return self._body

    async def spool(self) -> None:
        """Write the body to a file without a name, which is closed with the request; `body` is empty then.

        :raises TimeoutError: `BODY_SECONDS` passed between two parts of the body.
        :raises Problem: 503 or 507, the file cannot be written.
        """
        self._check_declared_size()
        try:
            file = tempfile.TemporaryFile(dir=self.app.state.settings.data_dir)  # noqa: SIM115
            context_of(self).spooled = file
            waiting = bytearray()
            async for chunk in self._bounded_stream():
                waiting += chunk
                if len(waiting) >= SPOOL_BYTES:
                    await asyncio.to_thread(file.write, waiting)
                    waiting = bytearray()
            await asyncio.to_thread(file.write, waiting)
            file.seek(0)
            self._body = b""
        except ClientDisconnect:
            raise MalformedJsonError from None  # not received: the client has disconnected
        except TimeoutError:  # which is an OSError
            raise
        except OSError as error:
            raise storage_problem(error) from error

    def _check_declared_size(self) -> None:
        declared = self.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared[:20]) > self._max_bytes:
            raise TooLargeError

    async def _bounded_stream(self) -> AsyncIterator[bytes]:
        size, chunks = 0, aiter(self.stream())
        while True:
            async with asyncio.timeout(BODY_SECONDS):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            size += len(chunk)
            if size > self._max_bytes:
                raise TooLargeError
            yield chunk

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            body = await self.body()
            if len(body) > LARGE_BYTES:  # parsed in a thread: the event loop goes on answering
                heavy: HeavyWork = self.app.state.heavy_work
                self._json = await heavy.run(loads, body, self._limits)
            else:
                self._json = loads(body, self._limits)
        return self._json


def media_type_of(request: Request) -> str:
    """Return the media type of the body, in small letters and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
