"""The migrations create the tables, on both engines, and remove them."""

import pytest
from alembic import command
from sqlalchemy import inspect

from services.notifications.app import METADATA, MIGRATIONS, create_app
from services.notifications.settings import NotificationsSettings
from shared.persistence import WrongSchemaError, open_database
from shared.persistence.migrations import configuration, drift, upgrade

pytestmark = pytest.mark.anyio


async def test_migrations_agree_with_the_tables_and_can_be_undone(database_url: str) -> None:
    database = open_database(database_url)
    await upgrade(database, MIGRATIONS, METADATA)
    assert await drift(database, METADATA) == []
    async with database.transaction() as connection:
        config = configuration(MIGRATIONS)
        options = {"target_metadata": METADATA, "render_as_batch": True, "transaction_per_migration": False}

        def back(sync: object) -> None:
            config.attributes.update(connection=sync, options=options)
            command.downgrade(config, "base")

        await connection.run_sync(back)
    async with database.read() as connection:
        assert await connection.run_sync(lambda sync: inspect(sync).get_table_names()) == ["alembic_version"]
    await database.close()


async def test_another_schema_is_refused(database_url: str) -> None:
    app = create_app(NotificationsSettings(database_url=database_url))
    with pytest.raises(WrongSchemaError):
        async with app.router.lifespan_context(app):
            pass
