"""Every wait has an end: a lock, a connection or a statement that takes too long gives 503, on both databases."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence import Database, open_database
from shared.persistence.request_scope import RequestScope, inside_request
from shared.values.problems import TimedOutError
from tests.conftest import ADMIN, client_of
from tests.contract.registry import running_registry

pytestmark = pytest.mark.anyio

TRIAL = "/registry/v1/trials/NCT05096221"
CONTENT = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
ENDLESS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT count(*) FROM numbers"


async def test_a_wait_for_the_database_that_takes_too_long_gives_503(database_url: str) -> None:
    async with running_registry(database_url) as app, client_of(app, token=ADMIN) as admin, AsyncExitStack() as stack:
        database: Database = app.state.database
        # Another writer keeps the head row of the audit log, which each write locks; on SQLite it is the only writer.
        writer = await stack.enter_async_context(database.transaction())
        await writer.execute(text("UPDATE audit_head SET number = number"))
        # An audited read cannot be recorded, so it gives no data.
        patched, read = await asyncio.gather(
            admin.patch(TRIAL, json={"acronym": "A"}, headers=CONTENT), admin.get(TRIAL)
        )
        for answer in (patched, read):
            assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
                503,
                "database_busy",
                "1",
            )
            assert "NCT05096221" not in answer.text
        await writer.rollback()
        # A public read needs no audit entry, but a connection. (Trials have connections of their own.)
        async with client_of(app) as public:
            assert (await public.get("/registry/v1/holds")).status_code == 200
            await _take_all_connections(app, stack)
            assert (await public.get(TRIAL)).status_code == 200
            answer = await public.get("/registry/v1/holds")
            assert (answer.status_code, answer.json()["code"]) == (503, "database_busy")


async def _take_all_connections(app: FastAPI, stack: AsyncExitStack) -> None:
    """Take the connections for public reads: on PostgreSQL a separate pool; on SQLite one of the pool is the writer's,
    taken already.
    """
    database: Database = app.state.database
    engine = database.engine if database.rls is None else database.rls.public
    for _ in range(engine.pool.size() + engine.pool._max_overflow - (1 if database.is_sqlite else 0)):
        connection = await stack.enter_async_context(engine.connect())
        await connection.execute(text("SELECT 1"))


async def _run_endless(database: Database, begun: AbstractAsyncContextManager[AsyncConnection]) -> None:
    async with begun as connection:
        if not database.is_sqlite:
            assert (await connection.execute(text("SHOW statement_timeout"))).scalar_one() == "5s"
            assert (await connection.execute(text("SHOW lock_timeout"))).scalar_one() == "2s"
            await connection.execute(text("SET LOCAL statement_timeout = 100"))
        await connection.execute(text(ENDLESS))


async def test_a_statement_that_takes_too_long_is_interrupted(database_url: str) -> None:
    database = open_database(database_url)
    try:
        with inside_request(RequestScope(statement_seconds=0.1)):
            for begin in (database.read, database.transaction):
                with pytest.raises(TimedOutError):
                    await _run_endless(database, begin())
            async with database.transaction() as connection:
                assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    finally:
        await database.close()
