"""Migrations and tables agree on both databases, and a program refuses a schema that is not its own."""

from pathlib import Path

import pytest
from sqlalchemy import MetaData, text

from services.notifications import app as notifications
from services.registry import app as registry
from services.registry.settings import RegistrySettings
from shared.database import WrongSchemaError, open_database
from shared.database.migrations import drift, upgrade

pytestmark = pytest.mark.anyio

TREES = [(registry.MIGRATIONS, registry.METADATA), (notifications.MIGRATIONS, notifications.METADATA)]


@pytest.mark.parametrize(("tree", "metadata"), TREES, ids=["registry", "notifications"])
async def test_migrations_lead_to_the_tables_and_back(database_url: str, tree: Path, metadata: MetaData) -> None:
    database = open_database(database_url)
    await upgrade(database, tree, metadata)
    assert await drift(database, metadata) == []
    await upgrade(database, tree, metadata)
    await database.close()


async def test_a_service_refuses_to_start_on_another_schema(database_url: str) -> None:
    app = registry.create_app(RegistrySettings(database_url=database_url))
    with pytest.raises(WrongSchemaError, match="cleio migrate"):
        async with app.router.lifespan_context(app):
            pass
    database = open_database(database_url)
    await upgrade(database, registry.MIGRATIONS, registry.METADATA)
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()
    app = registry.create_app(RegistrySettings(database_url=database_url))
    with pytest.raises(WrongSchemaError):
        async with app.router.lifespan_context(app):
            pass
