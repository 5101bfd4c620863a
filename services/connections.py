"""One connection of a caller: how long it may take, and how much it may say, before it is understood, and how long to take what it is told.

(The body is the business of `shared.http.route`.)
"""

from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_SECONDS = 5.0
# What the gateway takes (16 KiB), and what it adds. `shared.http.route` says so in a problem document; here stands what is not even read.
LONGEST_HEAD = 20 * 1024
# Who has been answered need not send the rest of its body; so long it may take to read the answer.
LINGER_SECONDS = 2.0
# Who takes nothing of an answer for so long is cut: all that is held for it, in the process and beyond, is given back.
TAKE_SECONDS = 15.0
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class HeadTooLongError(Exception):
    """More names and values than a request may have."""


class BoundedConnection(HttpToolsProtocol):
    """uvicorn bounds neither the time nor the length of a request's head, nor what comes after an answer, nor a connection that says nothing."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_body = False
        self._head_bytes = self._told = 0
        self._head_timer: TimerHandle | None = None
        self._take_timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        self._is_taken()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._in_body:
            self._head_begins()
        super().data_received(data)
        if self._head_timer is not None and not self.transport.is_closing():
            # A name that never ends is told by no callback.
            self._head_bytes += len(data)
            if self._head_bytes > 2 * LONGEST_HEAD:
                self.send_400_response("")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._told += len(name) + len(value)
        if self._told > LONGEST_HEAD:
            raise HeadTooLongError  # the parser makes of it what it makes of any fault
        super().on_header(name, value)

    def send_400_response(self, msg: str) -> None:
        if max(self._told, self._head_bytes) <= LONGEST_HEAD:
            super().send_400_response(msg)
            return
        self.transport.write(_TOO_LARGE)
        self.transport.close()

    def on_message_begin(self) -> None:
        self._head_begins()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_is_here()
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_body:
            self.loop.call_later(LINGER_SECONDS, self._give_up, self.cycle)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._take_timer = self.loop.call_later(TAKE_SECONDS, self._cut)

    def resume_writing(self) -> None:
        self._is_taken()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        # Closed, it would wait for ever for the last bytes of an answer to be taken.
        self._cut()

    def _cut(self) -> None:
        if self.cycle is not None:
            self.cycle.disconnected = True  # before the transport lets its writer go on
        self.transport.abort()

    def _is_taken(self) -> None:
        if self._take_timer is not None:
            self._take_timer.cancel()
            self._take_timer = None

    def _head_begins(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _head_is_here(self) -> None:
        self._head_bytes = self._told = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self, answered: RequestResponseCycle) -> None:
        if self._in_body and self.cycle is answered:
            self.transport.close()
