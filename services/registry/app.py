"""Composition root of the registry."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI

from services.registry.centres import endpoints as centres
from services.registry.centres import tables as _centre_tables  # noqa: F401  hangs its tables on the metadata
from services.registry.export import endpoints as export
from services.registry.sample.load import load_sample
from services.registry.schema import AUDIT, FEED, METADATA
from services.registry.settings import RegistrySettings
from services.registry.sources import endpoints as sources
from services.registry.terminology import endpoints as terminology
from services.registry.terminology.terminology import builtin
from services.registry.trials import endpoints as trials
from shared.audit.checkpoints import signing_key
from shared.audit.recording import DatabaseAudit
from shared.backups.endpoints import backup_router
from shared.database import Database, open_database
from shared.database.migrations import check_schema
from shared.feed.consumer import run_for_ever
from shared.feed.endpoints import feed_router
from shared.service import Health, create_service

MIGRATIONS = Path(__file__).parent / "migrations"


def create_app(settings: RegistrySettings | None = None) -> FastAPI:
    """The registry's application.

    :raises WrongSchemaError: at start, when the database is not at this program's schema.
    :raises OwnedElsewhereError: at start, when another process holds the SQLite file.
    """
    settings = settings or RegistrySettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = open_database(settings.database, wall="registry")
        try:
            await check_schema(database, MIGRATIONS)
            app.state.database = database
            app.state.audit = audit = DatabaseAudit(database, AUDIT, settings.audit_folder, "registry", signing_key(settings.audit_seed))
            audit.start()
            app.state.terminology = builtin()
            if settings.load_sample:
                await load_sample(database, app.state.terminology)

            async def health() -> Health:
                async with database.read(as_service=True) as connection:
                    position = await FEED.position(connection)
                return Health(ready=True, detail={"feed": position.seq, "generation": position.generation})

            async def observe() -> None:
                async with database.read(as_service=True) as connection:
                    app.state.metrics.tell(app.state.metrics.feed_position, (await FEED.position(connection)).seq)

            app.state.health, app.state.observe = health, observe
            house = asyncio.create_task(run_for_ever(lambda: _keep_house(database, timedelta(days=settings.keep_feed_days)), "housekeeping"))
            try:
                yield
            finally:
                house.cancel()
                await asyncio.gather(house, return_exceptions=True)
                await audit.stop()
        finally:
            await database.close()

    routers = [trials.router, centres.router, sources.router, export.router, terminology.router, feed_router("registry", FEED), backup_router()]
    return create_service("registry", settings, routers, lifespan, "Trials, centres, sites, criteria and the feed of their changes.")


async def _keep_house(database: Database, whole: timedelta) -> None:
    """Four times a day: keep the feed whole for as long as it is promised, and of what is older only what a late reader needs."""
    async with database.transaction() as connection:
        await FEED.compact(connection, datetime.now(UTC) - whole)
    await asyncio.sleep(6 * 3600)


__all__ = ["METADATA", "MIGRATIONS", "create_app"]
