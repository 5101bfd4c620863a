"""Limits of one connection. (`shared.http.stages` limits the requests on it.)"""

from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_SECONDS = 5.0
# 16 KiB as in the gateway, plus the headers that the gateway adds. `shared.http` answers a head above its own limit
# with 431 and a problem document; above this one the head is not read and the 431 has no body.
MAX_HEAD = 20 * 1024
# When the answer is complete before the body of the request, the client has this time to read the answer.
LINGER_SECONDS = 2.0
# Write timeout: a connection whose client reads nothing of an answer for this time is closed.
WRITE_SECONDS = 15.0
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class HeadTooLongError(Exception):
    """The request line and headers are too long."""


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's protocol with time and size limits, and without trailers.

    It overrides a class of uvicorn that is not documented. The gateway has the same limits, but a service may also be
    called directly (its port on loopback, an operator's network), and uvicorn has no setting for any of them. Tests
    with slow and silent callers run against service ports and fail if uvicorn changes.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_body = False
        self._head_bytes = self._header_bytes = 0
        self._head_timer: TimerHandle | None = None
        self._write_timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        self._stop_write_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._in_body:
            self._start_head()
        super().data_received(data)
        if self._head_timer is not None and not self.transport.is_closing():
            # The parser reports a header only when it is complete.
            self._head_bytes += len(data)
            if self._head_bytes > 2 * MAX_HEAD:
                self.send_400_response("")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body:
            return  # a trailer after a chunked body: it must not become a header
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MAX_HEAD:
            raise HeadTooLongError  # the parser turns it into a malformed request
        super().on_header(name, value)

    def send_400_response(self, msg: str) -> None:
        if max(self._header_bytes, self._head_bytes) <= MAX_HEAD:
            super().send_400_response(msg)
            return
        self.transport.write(_TOO_LARGE)
        self.transport.close()

    def on_message_begin(self) -> None:
        self._start_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._end_head()
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_body:
            self.loop.call_later(LINGER_SECONDS, self._close_unfinished, self.cycle)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_timer = self.loop.call_later(WRITE_SECONDS, self._abort)

    def resume_writing(self) -> None:
        self._stop_write_timer()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        # Not `close`, which would wait until the client has read the rest of an answer.
        self._abort()

    def _abort(self) -> None:
        if self.cycle is not None:
            self.cycle.disconnected = True  # before the transport resumes the writer
        self.transport.abort()

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _start_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _end_head(self) -> None:
        self._head_bytes = self._header_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _close_unfinished(self, answered: RequestResponseCycle) -> None:
        if self._in_body and self.cycle is answered:
            self.transport.close()
