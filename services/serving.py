"""Serving one service: to those who mean it, and ending so that nobody behind the gateway notices."""

import asyncio
import gc
import importlib
import logging
import socket
import sys
from collections.abc import Collection
from contextlib import suppress
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.connections import BoundedConnection
from shared.http.problem_responses import respond
from shared.tracing import flush_export
from shared.values.addresses import LOOPBACK_NAMES, host_of
from shared.values.problems import Problem, reason_of
from shared.values.wire import Label

TICK = 0.05  # seconds
QUIET_TICKS = 3
LONGEST_DRAIN = 0.6  # seconds; with what uvicorn grants to open requests within the supervisor's patience
STARTUP_FAILURE = 3


class DrainingServer(uvicorn.Server):
    """Told to stop, uvicorn closes every idle connection, and with it what the gateway has sent on one and nobody has read yet.

    Here who waits for news is told at once that there are none, and connections are told, with the answer to their next request, to open no more;
    they end by themselves.
    """

    service: FastAPI

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # What it says of a failure is in its message, which no log of ours holds.
        logging.getLogger("uvicorn.error").disabled = True
        try:
            await super().startup(sockets)
        except SystemExit as end:
            if end.__context__ is not None:  # it does not get the port
                _tell(end.__context__)
            raise
        logging.getLogger("uvicorn.error").disabled = False
        # What has been loaded stays: it is never looked through for garbage again.
        gc.freeze()
        # A large body makes a hundred thousand objects, none of them garbage before it is answered: looking for some took a tenth of its time.
        gc.set_threshold(50_000, 20, 20)
        gc.enable()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        flush_export()
        for server in self.servers:
            server.close()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        for connection in list(self.server_state.connections):
            if (
                isinstance(connection, BoundedConnection)
                and connection.cycle is not None
                and not connection.cycle.response_complete
            ):
                connection.shutdown()  # once it is answered
        if hasattr(self.service.state, "end_waits"):
            self.service.state.end_waits()
        quiet, seen = 0, self.server_state.total_requests
        for _ in range(int(LONGEST_DRAIN / TICK)):
            if quiet == QUIET_TICKS or not self.server_state.connections:
                break
            await asyncio.sleep(TICK)
            quiet = quiet + 1 if self.server_state.total_requests == seen else 0
            seen = self.server_state.total_requests
        await super().shutdown(sockets)


def _tell(error: BaseException) -> None:
    sys.stderr.write(f"cleio: {reason_of(error)}\n")


class StartupFailureResponder:
    """An application whose failure to start is one line for its operator: the log names the classes of errors and never what they say."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if scope["type"] == "lifespan":
                _tell(error)
            raise


class UnknownHostError(Problem):
    code, status = "unknown_host", 421
    title = Label(fr="Cette adresse n'est pas servie ici", en="This host is not served here")


class KnownHosts:
    """Refuses requests for a host that is not ours: a page elsewhere, whose name was pointed at this machine, reaches its loopback too."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app = app
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
            if len(asked) != 1 or host_of(asked[0]) not in self.hosts:
                await respond(Request(scope), UnknownHostError())(scope, receive, send)
                return
        await self.app(scope, receive, send)


def serve_application(application: str, port: int, host: str, hosts: Collection[str]) -> None:
    """Run an application factory (``module:function``) until SIGTERM or SIGINT. The caller may have disabled the garbage collector while it loads.

    On loopback it is for ``hosts`` alone; elsewhere its names are those of the operator's own network.
    """
    module, _, factory = application.partition(":")

    def make() -> Any:
        service = getattr(importlib.import_module(module), factory)()
        server.service = service
        app = StartupFailureResponder(service)
        return KnownHosts(app, hosts) if f"[{host}]" in LOOPBACK_NAMES or host in LOOPBACK_NAMES else app

    server = DrainingServer(
        uvicorn.Config(
            make,
            factory=True,
            host=host,
            port=port,
            http=BoundedConnection,
            loop="uvloop",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # whose address to believe is the business of `shared.access`
            backlog=1024,
            timeout_keep_alive=75,  # longer than the gateway keeps an idle connection, so that it never sends into a closing one
            timeout_graceful_shutdown=2,  # with the gateway's second, inside the five seconds of `cleio up`
        )
    )
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)
