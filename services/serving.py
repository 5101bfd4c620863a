"""Run one service: host allow-list, one-line start failures, graceful stop."""

import asyncio
import gc
import importlib
import logging
import os
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
from shared.values.problems import DatabaseDamagedError, Problem, reason_of
from shared.values.wire import Label

TICK = 0.05  # seconds
QUIET_TICKS = 3
MAX_DRAIN = 0.6  # seconds; with `timeout_graceful_shutdown` less than the supervisor waits
STARTUP_FAILURE = 3


class DrainingServer(uvicorn.Server):
    """A uvicorn server that drains its connections when it stops.

    uvicorn itself closes idle connections at once, and loses what the gateway has just sent on one of them. Here
    long polls are answered at once, and every further answer asks its caller to close the connection.

    It reads `servers` and `server_state` of `uvicorn.Server`, which are not documented: uvicorn offers no drain.
    """

    service: FastAPI
    application: "StartupFailureResponder | None" = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # Messages of uvicorn could contain data; `_report` reports a failure.
        logging.getLogger("uvicorn.error").disabled = True
        try:
            await super().startup(sockets)
        except SystemExit as end:
            if end.__context__ is not None:  # the port is not free
                _report(end.__context__)
            raise
        logging.getLogger("uvicorn.error").disabled = False
        # Loaded modules stay in use: exclude them from garbage collection.
        gc.freeze()
        # A large body creates 100,000 objects that live until the answer; collecting them took a tenth of the time.
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
                connection.shutdown()  # closes after the current answer
        if hasattr(self.service.state, "end_waits"):
            self.service.state.end_waits()
        quiet, seen = 0, self.server_state.total_requests
        for _ in range(int(MAX_DRAIN / TICK)):
            if quiet == QUIET_TICKS or not self.server_state.connections:
                break
            await asyncio.sleep(TICK)
            quiet = quiet + 1 if self.server_state.total_requests == seen else 0
            seen = self.server_state.total_requests
        await super().shutdown(sockets)


def _report(error: BaseException) -> None:
    sys.stderr.write(f"cleio: {reason_of(error)}\n")


class StartupFailureResponder:
    """Reports a failed start to the operator in one line; the log contains only the class of the error."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.failure: Exception | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if scope["type"] == "lifespan":
                self.failure = error
                _report(error)
            raise


class UnknownHostError(Problem):
    code, status = "unknown_host", 421
    title = Label(fr="Nom d'hôte inconnu", en="Unknown host")
    detail = Label(
        fr="Ce serveur ne répond pas à ce nom ; l'exploitant règle les noms avec CLEIO_HOSTS.",
        en="This server does not answer to this name; the operator sets the names with CLEIO_HOSTS.",
    )


class KnownHosts:
    """Refuses requests for unknown hosts: protection against DNS rebinding, which reaches loopback addresses too."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app = app
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
            if len(hosts) != 1 or host_of(hosts[0]) not in self.hosts:
                await respond(Request(scope), UnknownHostError())(scope, receive, send)
                return
        await self.app(scope, receive, send)


def serve_application(application: str, port: int, host: str, hosts: Collection[str]) -> None:
    """Run an application factory (``module:function``) until SIGTERM or SIGINT.

    On a loopback address only requests for ``hosts`` are accepted; elsewhere the operator's network decides.
    The caller may have disabled the garbage collector while the program loads.
    """
    module, _, factory = application.partition(":")

    def make() -> Any:
        service = getattr(importlib.import_module(module), factory)()
        server.service = service
        server.application = app = StartupFailureResponder(service)
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
            proxy_headers=False,  # `shared.access.address` reads them
            backlog=1024,
            timeout_keep_alive=75,  # longer than the gateway, so that it never sends into a closing connection
            timeout_graceful_shutdown=2,  # with the second of the gateway, less than the five of `cleio up`
        )
    )
    try:
        with suppress(KeyboardInterrupt):
            server.run()
    except SystemExit:
        if server.started:
            raise
    if not server.started:
        failure = server.application.failure if server.application else None
        # EX_CONFIG: the supervisor does not start the service again.
        sys.exit(os.EX_CONFIG if isinstance(failure, DatabaseDamagedError) else STARTUP_FAILURE)
