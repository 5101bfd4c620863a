"""Work on the registry's database: here, or by the running registry that owns its SQLite file."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.cli.copying import opened
from services.cli.databases import metadata_of, settings_of, tree_of
from services.cli.gateway import Gateway, open_gateway
from services.cli.installation import existing_installation
from shared.persistence import OwnedElsewhereError, Writing
from shared.persistence.copying import check_reachable
from shared.persistence.migrations import check_schema

T = TypeVar("T")


def in_registry(here: Callable[[Writing], Awaitable[T]], there: Callable[[Gateway], T]) -> T:
    """Return what ``here`` does in one transaction, or ``there`` over HTTP, if a running registry owns the file.

    :raises CallError: the registry refuses the call.
    :raises WrongSchemaError: the database is not at this program's schema.
    """
    try:
        return asyncio.run(_in_database(here))
    except OwnedElsewhereError:
        token = settings_of("registry").internal_token.get_secret_value()
        # Over loopback: the registry answers this call only there.
        port = existing_installation().service_ports["registry"][0]
        with open_gateway(f"http://127.0.0.1:{port}", token=token) as registry:
            return there(registry)


async def _in_database(work: Callable[[Writing], Awaitable[T]]) -> T:
    async with opened(settings_of("registry").database, must_exist=True) as database:
        await check_reachable(database)
        await check_schema(database, tree_of("registry"), metadata_of("registry"))
        async with database.transaction() as connection:
            return await work(connection)
