"""Serving one service, and ending so that nobody behind the gateway notices."""

import asyncio
import gc
import socket
import sys
from contextlib import suppress

import uvicorn

from shared.tracing import flush_export

TICK = 0.05  # seconds
QUIET_TICKS = 3
LONGEST_DRAIN = 0.6  # seconds; with what uvicorn grants to open requests within the supervisor's patience
STARTUP_FAILURE = 3


class DrainingServer(uvicorn.Server):
    """Told to stop, uvicorn closes every idle connection, and with it what the gateway has sent on one and nobody has read yet.

    Here connections are first told, with the answer to their next request, to open no more; they end by themselves.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What has been loaded stays: it is never looked through for garbage again.
        gc.freeze()
        gc.enable()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        flush_export()
        for server in self.servers:
            server.close()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        quiet, seen = 0, self.server_state.total_requests
        for _ in range(int(LONGEST_DRAIN / TICK)):
            if quiet == QUIET_TICKS or not self.server_state.connections:
                break
            await asyncio.sleep(TICK)
            quiet = quiet + 1 if self.server_state.total_requests == seen else 0
            seen = self.server_state.total_requests
        await super().shutdown(sockets)


def serve_application(application: str, port: int, host: str) -> None:
    """Run an application factory (``module:function``) until SIGTERM or SIGINT. The caller may have disabled the garbage collector while it loads."""
    server = DrainingServer(
        uvicorn.Config(
            application,
            factory=True,
            host=host,
            port=port,
            http="httptools",
            loop="uvloop",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # whose address to believe is the business of `shared.identity`
            backlog=1024,
            timeout_keep_alive=75,  # longer than the gateway keeps an idle connection, so that it never sends into a closing one
            timeout_graceful_shutdown=2,  # with the gateway's second, inside the five seconds of `cleio up`
        )
    )
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)
