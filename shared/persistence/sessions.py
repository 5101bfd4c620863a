"""Dependencies that give a handler its database connection. A transaction is committed before the answer is sent."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.engine import Database


async def _reading(request: Request) -> AsyncIterator[AsyncConnection]:
    database: Database = request.app.state.database
    async with database.read() as connection:
        yield connection


async def _writing(request: Request) -> AsyncIterator[AsyncConnection]:
    database: Database = request.app.state.database
    async with database.transaction() as connection:
        yield connection


# FastAPI's default scope ends a dependency after the answer was sent: a client could get a 201 for a failed commit.
Reading = Annotated[AsyncConnection, Depends(_reading, scope="function")]
Writing = Annotated[AsyncConnection, Depends(_writing, scope="function")]
