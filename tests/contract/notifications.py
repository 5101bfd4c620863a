"""Fixtures of the notifications tests: a real feed as registry, real receivers and the real application."""

import asyncio
import json
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from aiohttp import web
from fastapi import FastAPI
from sqlalchemy import MetaData, insert

from services.notifications.app import METADATA, MIGRATIONS, create_app
from services.notifications.settings import NotificationsSettings
from shared.endpoints.feed import feed_router
from shared.feed import Change, FeedLog
from shared.feed.buffer import FeedBuffer
from shared.feed.changes import NOT_VISIBLE, TRIAL_FACET, Routing
from shared.operations.service import Health, create_service
from shared.persistence import NAMING, Database, open_database
from shared.persistence.migrations import upgrade
from shared.settings import ServiceSettings
from shared.values.problems import DatabaseBusyError
from tests.conftest import ADMIN, client_of, free_port

PATIENCE = 60.0


async def until(happened: Callable[[], Awaitable[Any] | Any]) -> Any:
    """Wait until a condition is true; return its value."""
    async with asyncio.timeout(PATIENCE):
        while True:
            seen = happened()
            if isinstance(seen, Awaitable):
                seen = await seen
            if seen:
                return seen
            await asyncio.sleep(0.01)


def new_key() -> dict[str, str]:
    """Return the header with a new idempotency key."""
    return {"Idempotency-Key": uuid.uuid4().hex}


def side(*audience: str, **facets: str) -> Routing:
    return Routing(frozenset(audience), {name: frozenset(value.split()) for name, value in facets.items()})


def _named(routing: Routing, trial: str) -> Routing:
    """Return the routing of a trial with its name, as the registry sends it."""
    return (
        Routing(routing.audience, {**routing.facets, TRIAL_FACET: frozenset({trial})}) if routing.audience else routing
    )


@dataclass
class Source:
    """The registry as notifications sees it: a feed over HTTP."""

    url: str
    database: Database
    log: FeedLog

    async def publish(self, *changes: Change) -> None:
        while True:
            with suppress(DatabaseBusyError):  # many writers, on a busy machine
                async with self.database.transaction() as connection:
                    await self.log.append(connection, changes)
                return

    async def publish_trial(
        self, trial: str = "NCT00000001", after: Routing | None = None, before: Routing = NOT_VISIBLE, **more: Any
    ) -> None:
        """Publish a change of a trial; by default a public one."""
        given = {"type": "trial.updated", "version": 1, **more}
        await self.publish(
            Change(
                subject=given.pop("subject", f"trial/{trial}"),
                before=_named(before, trial),
                after=_named(side("public") if after is None else after, trial),
                **given,
            )
        )

    async def restored(self) -> None:
        """Simulate a restore from a backup: earlier cursors are refused."""
        async with self.database.transaction() as connection:
            await self.log.new_generation(connection)


@asynccontextmanager
async def running_source(folder: Path) -> AsyncIterator[Source]:
    metadata = MetaData(naming_convention=NAMING)
    log = FeedLog(metadata)
    database = open_database(f"sqlite:///{folder / 'source.db'}")
    async with database.transaction() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(insert(log.head).values(id=1, generation=1, seq=0))

    async def health() -> Health:
        return Health(ready=True)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database, app.state.health = database, health
        app.state.feed = FeedBuffer(database, log, f"{app.state.settings.event_source}/registry")
        app.state.feed.start(app.state.tasks)
        yield

    app = create_service("registry", ServiceSettings(), [feed_router("registry")], lifespan, "A feed.")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=0, lifespan="on"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        try:
            yield Source(f"http://127.0.0.1:{listener.getsockname()[1]}", database, log)
        finally:
            server.should_exit = True
            await serving
            await database.close()


@dataclass
class Received:
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def number(self) -> int:
        return int(self.headers["cleio-delivery-number"])


@dataclass
class Receiver:
    """An HTTP server of a subscriber. ``script``: the next answers, each a status or ``hang``; then 204."""

    port: int
    script: list[Any] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def open(self) -> None:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        self.received.append(
            Received({name.lower(): value for name, value in request.headers.items()}, await request.read())
        )
        answer = self.script.pop(0) if self.script else 204
        if answer == "hang":
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
        return web.Response(status=204 if answer == "hang" else answer, headers=self.headers)


@asynccontextmanager
async def running_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver(free_port())
    await receiver.open()
    try:
        yield receiver
    finally:
        await receiver.close()


async def migrate(url: str) -> None:
    database = open_database(url)
    await upgrade(database, MIGRATIONS, METADATA)
    await database.close()


@dataclass
class Notifications:
    """A running service and its administrator."""

    app: FastAPI
    admin: httpx.AsyncClient

    async def subscribe(
        self, receiver: Receiver, types: list[str] | None = None, **wanted: list[str]
    ) -> dict[str, Any]:
        asked = {"channel": {"type": "webhook", "url": receiver.url}, "types": types or [], "filter": wanted}
        answer = await self.admin.post("/notifications/v1/subscriptions", json=asked, headers=new_key())
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def deliveries(self, subscription: Mapping[str, Any], **query: Any) -> list[dict[str, Any]]:
        path = f"/notifications/v1/subscriptions/{subscription['id']}/deliveries"
        items: list[dict[str, Any]] = (await self._until_taken(lambda: self.admin.get(path, params=query))).json()[
            "items"
        ]
        return items

    async def post_until_taken(self, path: str) -> httpx.Response:
        """Repeat a POST while the service is busy, as clients do: 503 means that it had no effect."""
        return await self._until_taken(lambda: self.admin.post(path))

    @staticmethod
    async def _until_taken(call: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        async with asyncio.timeout(PATIENCE):
            while (answer := await call()).status_code == 503:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return answer

    async def delivered(self, subscription: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
        """Wait until this many deliveries are recorded as delivered."""

        async def enough() -> list[dict[str, Any]] | None:
            items = await self.deliveries(subscription, state="delivered", limit=200)
            return items if len(items) >= count else None

        items: list[dict[str, Any]] = await until(enough)
        return items


@asynccontextmanager
async def running_notifications(url: str, source: Source, **settings: Any) -> AsyncIterator[Notifications]:
    """Start the service on a migrated database; it reads ``source`` and may call loopback addresses."""
    quick = {
        "retry_seconds": (0, 0.01, 0.01, 0.01, 0.01),
        "sweep_seconds": 0.02,
        "attempt_seconds": 0.3,
        "feed_wait_seconds": 1,
        "drain_seconds": 0.2,
    }
    environment = {"CLEIO_REGISTRY_URL": source.url, "CLEIO_OUTBOUND_DEV_HOSTS": "127.0.0.0/8"}
    app = create_app(NotificationsSettings(**{**quick, "database_url": url, **environment, **settings}))
    async with app.router.lifespan_context(app), client_of(app, token=ADMIN) as admin:
        yield Notifications(app, admin)
