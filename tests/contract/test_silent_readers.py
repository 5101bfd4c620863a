"""Callers that request much and read nothing: they do not block resources that others need."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from services import connections
from services.connections import BoundedConnection
from tests.contract.matching import until
from tests.contract.registry import running_registry

pytestmark = pytest.mark.anyio

READERS = 12  # more than any pool has connections
EXPORTS = 20  # on one connection: more than all buffers together
REQUESTED = b"GET /registry/v1/export HTTP/1.1\r\nHost: localhost\r\n\r\n" * EXPORTS


@dataclass
class Served:
    app: FastAPI
    server: uvicorn.Server
    port: int

    @property
    def stuck(self) -> int:
        """Connections whose client reads nothing."""
        return sum(
            one.flow.write_paused for one in self.server.server_state.connections if isinstance(one, BoundedConnection)
        )


@asynccontextmanager
async def served_registry(url: str) -> AsyncIterator[Served]:
    """A registry on a socket, with the connection class of `cleio serve`."""
    async with running_registry(url) as app:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDBUF, 65536
            )  # the system would buffer megabytes for the reader
            config = uvicorn.Config(
                app, http=BoundedConnection, log_config=None, lifespan="off", timeout_graceful_shutdown=0
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            await until(lambda: server.started)
            try:
                yield Served(app, server, listener.getsockname()[1])
            finally:
                server.should_exit = True
                await serving


async def silent(port: int, stack: AsyncExitStack) -> socket.socket:
    """Request the export repeatedly and read nothing."""
    reader = stack.enter_context(socket.socket())
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(reader, ("127.0.0.1", port))
    await loop.sock_sendall(reader, REQUESTED)
    return reader


async def test_silent_readers_do_not_block_other_callers(stocked_url: str) -> None:
    async with served_registry(stocked_url) as served, AsyncExitStack() as stack:
        for _ in range(READERS):
            await silent(served.port, stack)
        await until(lambda: served.stuck == READERS)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.port}", trust_env=False) as client:
            answers = await asyncio.gather(*(client.get("/registry/v1/trials?limit=1") for _ in range(5)))
        assert [answer.status_code for answer in answers] == [200] * 5
        assert served.stuck == READERS


async def test_a_connection_whose_client_reads_nothing_is_closed_and_releases_its_permit(
    stocked_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "WRITE_SECONDS", 0.5)
    async with served_registry(stocked_url) as served, AsyncExitStack() as stack:
        reader = await silent(served.port, stack)
        await until(lambda: served.app.state.load._count["waiting"] == 1 and served.stuck == 1)
        await until(lambda: not served.server.server_state.connections)
        await until(lambda: served.app.state.load._count["waiting"] == 0)
        got = b""
        while part := await asyncio.get_running_loop().sock_recv(reader, 1 << 20):
            got += part
        assert got.count(b'"kind": "end"') < EXPORTS


async def test_a_small_unread_rest_of_an_answer_does_not_keep_its_connection(
    stocked_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Less than the write timeout notices, but for ever."""
    async with served_registry(stocked_url) as served, AsyncExitStack() as stack:
        reader = await silent(served.port, stack)
        await until(lambda: served.stuck == 1)
        [connection] = served.server.server_state.connections
        connection.timeout_keep_alive_handler()  # type: ignore[union-attr]
        await until(lambda: not served.server.server_state.connections)
        assert reader.fileno() > 0
