"""A registry for one test: the real application on a real database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.registry.app import METADATA, MIGRATIONS, create_app
from services.registry.settings import RegistrySettings
from shared.persistence import open_database
from shared.persistence.migrations import upgrade


@asynccontextmanager
async def running_registry(url: str, *, sample: bool = True) -> AsyncIterator[FastAPI]:
    """Start the registry on a migrated database; by default with the bundled sample."""
    database = open_database(url)
    await upgrade(database, MIGRATIONS, METADATA)
    await database.close()
    app = create_app(RegistrySettings(database_url=url, load_sample=sample))
    async with app.router.lifespan_context(app):
        yield app
