"""Migrations and tables agree on both databases, and a program refuses a schema that it does not know."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, text

from services.notifications import app as notifications
from services.portal import app as portal
from services.registry import app as registry
from services.registry.settings import RegistrySettings
from shared.persistence import WrongSchemaError, open_database
from shared.persistence.migrations import configuration, drift, head_of, revisions, upgrade

pytestmark = pytest.mark.anyio

TREES = [(one.MIGRATIONS, one.METADATA) for one in (registry, notifications, portal)]
NAMES = ["registry", "notifications", "portal"]


@pytest.mark.parametrize(("tree", "metadata"), TREES, ids=NAMES)
async def test_migrations_create_the_tables_and_run_again(database_url: str, tree: Path, metadata: MetaData) -> None:
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


@pytest.mark.parametrize("tree", [tree for tree, _ in TREES], ids=NAMES)
def test_the_names_of_the_files_are_the_revisions(tree: Path) -> None:
    # A start reads the names only; Alembic reads the files.
    scripts = ScriptDirectory.from_config(configuration(tree))
    assert head_of(tree) == scripts.get_current_head()
    assert revisions(tree) == {script.revision for script in scripts.walk_revisions()}


@pytest.mark.parametrize("service", NAMES)
def test_a_start_on_the_current_schema_loads_no_migrations(service: str) -> None:
    program = f"import sys, services.{service}.app; assert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_replicas_that_start_together_migrate_once(database_url: str) -> None:
    replicas = [open_database(database_url) for _ in range(4)]
    await asyncio.gather(*(upgrade(replica, registry.MIGRATIONS, registry.METADATA) for replica in replicas))
    assert await drift(replicas[0], registry.METADATA) == []
    for replica in replicas:
        await replica.close()
