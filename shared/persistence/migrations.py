"""Migrations: one Alembic tree per service for SQLite and PostgreSQL. A service refuses to start on another schema.

Alembic is imported only to migrate: a service that starts on its own schema reads one row.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.exc import DBAPIError

from shared.persistence.advisory_lock import take_advisory_lock
from shared.persistence.engine import Database, WrongSchemaError
from shared.persistence.rls_sessions import RowLevelSecurityError

if TYPE_CHECKING:
    from alembic.config import Config

INSUFFICIENT_PRIVILEGE = "42501"
SEARCH_PREFIX = "search_"
SHARED_TABLES = ("audit_", "feed_", "idempotency_")


def configuration(tree: Path) -> "Config":
    """Alembic's configuration for the migration tree in folder ``tree``."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(tree))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


async def upgrade(database: Database, tree: Path, metadata: MetaData, revision: str = "head") -> None:
    """Migrate the database to ``revision``. Of replicas that start together one does the work and the others wait.

    :raises WrongSchemaError: the database belongs to a newer program or to another service.
    :raises RowLevelSecurityError: roles are missing and its login cannot create them; the message says what to do.
    """
    if revision == "head" and await _revision_of(database, metadata) == head_of(tree):
        return
    from alembic import command

    async with database.transaction() as connection:
        await take_advisory_lock(connection, "migrate")
        # Another replica may have migrated it meanwhile.
        current = await connection.run_sync(_current, metadata)
        if current is not None and current not in revisions(tree):
            raise WrongSchemaError(
                f"the database is at schema {current}, which this program does not know: use a newer one"
            )
        await connection.run_sync(_command, tree, metadata, lambda config: command.upgrade(config, revision))


async def new_revision(database: Database, tree: Path, metadata: MetaData, message: str) -> None:
    """Write the migration from the database's schema to ``metadata``."""
    from alembic import command

    number = f"{len(_migrations(tree)) + 1:04d}"
    async with database.transaction() as connection:
        await connection.run_sync(
            _command, tree, metadata, lambda config: command.revision(config, message, autogenerate=True, rev_id=number)
        )


async def check_schema(database: Database, tree: Path, metadata: MetaData) -> None:
    """Check that a service can start on the database.

    :raises WrongSchemaError: it is not at the head of the tree, or belongs to another service.
    :raises RowLevelSecurityError: roles or policies are missing or too permissive.
    """
    head, current = head_of(tree), await _revision_of(database, metadata)
    if current != head:
        raise WrongSchemaError(
            f"the database is at schema {current or 'none'}, this program needs {head}: run `cleio migrate`"
        )
    await database.check_row_level_security()


def head_of(tree: Path) -> str:
    """The newest revision of the tree: the files of migrations begin with their numbers."""
    return max(_migrations(tree))


def revisions(tree: Path) -> set[str]:
    """Every revision of the tree."""
    return set(_migrations(tree))


def _migrations(tree: Path) -> list[str]:
    return [file.name.partition("_")[0] for file in (tree / "versions").glob("[0-9]*.py")]


async def _revision_of(database: Database, metadata: MetaData) -> str | None:
    async with database.read(as_service=True) as connection:
        return await connection.run_sync(_current, metadata)


def _current(connection: Connection, metadata: MetaData) -> str | None:
    """The revision of the database; None if it was never migrated.

    :raises WrongSchemaError: by its tables the database belongs to another service (revisions of all trees look alike).
    """
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        return None
    current = (
        " and ".join(sorted(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())) or None
    )
    own = {name for name in metadata.tables if not name.startswith(SHARED_TABLES)}
    if current is not None and not own & tables:
        raise WrongSchemaError(
            f"this is the database of another service: it has no table {', '.join(sorted(own)[:3])}, …"
        )
    return current


async def drift(database: Database, metadata: MetaData) -> list[Any]:
    """What autogeneration would change: an empty list if migrations and tables agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    async with database.engine.connect() as connection:
        return await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts=_options(metadata)), metadata)
        )


def _options(metadata: MetaData) -> dict[str, Any]:
    return {
        "target_metadata": metadata,
        "render_as_batch": True,
        "compare_type": True,
        "transaction_per_migration": False,
        # The tables of search indexes differ between the engines: only migrations define them, not the metadata.
        "include_name": lambda name, kind, _parents: not (kind == "table" and name.startswith(SEARCH_PREFIX)),
    }


def _command(connection: Connection, tree: Path, metadata: MetaData, run: Any) -> None:
    config = configuration(tree)
    config.attributes["connection"] = connection
    config.attributes["options"] = _options(metadata)
    try:
        run(config)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
            raise
        raise RowLevelSecurityError(str(error.orig).rpartition("Error'>: ")[2]) from None


def run_in_environment(context: Any) -> None:
    """Run migrations on the connection of ``upgrade`` or ``new_revision``: called by each tree's ``env.py``."""
    attributes = context.config.attributes
    context.configure(connection=attributes["connection"], **attributes["options"])
    context.run_migrations()
