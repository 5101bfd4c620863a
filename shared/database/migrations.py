"""Migrations: one Alembic tree per service, the same on SQLite and PostgreSQL. Programs refuse to start on another schema than their own."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError

from shared.database.engine import Database, WrongSchemaError
from shared.database.wall import WallDownError

INSUFFICIENT_PRIVILEGE = "42501"


def configuration(tree: Path) -> Config:
    """Alembic's configuration of the migration tree in folder ``tree``."""
    config = Config()
    config.set_main_option("script_location", str(tree))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


async def upgrade(database: Database, tree: Path, metadata: MetaData, revision: str = "head") -> None:
    """Bring the database to ``revision``; a no-op when it is there.

    :raises WallDownError: its login may not make the roles of the second wall, and nobody has; the message says what to do.
    """
    await _with_connection(database, lambda connection: _command(connection, tree, metadata, lambda config: command.upgrade(config, revision)))


async def new_revision(database: Database, tree: Path, metadata: MetaData, message: str) -> None:
    """Write the migration that leads from the database's schema to ``metadata``."""
    count = len(list((tree / "versions").glob("*.py")))
    await _with_connection(
        database,
        lambda connection: _command(
            connection, tree, metadata, lambda config: command.revision(config, message, autogenerate=True, rev_id=f"{count + 1:04d}")
        ),
    )


async def check_schema(database: Database, tree: Path) -> None:
    """:raises WrongSchemaError: when the database is not at the head of the tree.
    :raises WallDownError: when its second wall does not stand.
    """
    head = ScriptDirectory.from_config(configuration(tree)).get_current_head()
    async with database.engine.connect() as connection:
        current = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    if current != head:
        raise WrongSchemaError(f"the database is at schema {current or 'none'}, this program needs {head}: run `cleio migrate`")
    await database.check_wall()


def revisions(tree: Path) -> set[str]:
    """Every revision of the tree."""
    return {script.revision for script in ScriptDirectory.from_config(configuration(tree)).walk_revisions()}


async def drift(database: Database, metadata: MetaData) -> list[Any]:
    """What autogeneration would still change: an empty list when migrations and tables agree."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(lambda sync: compare_metadata(MigrationContext.configure(sync, opts=_options(metadata)), metadata))


def _options(metadata: MetaData) -> dict[str, Any]:
    return {"target_metadata": metadata, "render_as_batch": True, "compare_type": True, "transaction_per_migration": False}


def _command(connection: Connection, tree: Path, metadata: MetaData, run: Any) -> None:
    config = configuration(tree)
    config.attributes["connection"] = connection
    config.attributes["options"] = _options(metadata)
    try:
        run(config)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
            raise
        raise WallDownError(str(error.orig).rpartition("Error'>: ")[2]) from None


async def _with_connection(database: Database, work: Any) -> None:
    async with database.transaction() as connection:
        await connection.run_sync(work)


def run_in_environment(context: Any) -> None:
    """The whole of every tree's ``env.py``: run on the connection that ``upgrade`` or ``new_revision`` opened."""
    attributes = context.config.attributes
    context.configure(connection=attributes["connection"], **attributes["options"])
    context.run_migrations()
