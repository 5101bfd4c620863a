"""Settings, addresses, tables and migrations of the services, by their name."""

import importlib
import os
import tempfile
from pathlib import Path
from typing import Any

from services.supervisor.installation import Installation
from shared.persistence import open_database
from shared.persistence.migrations import new_revision, revisions, upgrade


async def migrate_service(name: str) -> None:
    """Migrate the service's database to the newest schema.

    :raises OwnedElsewhereError: the service runs on it.
    """
    await upgrade_at(name, settings_of(name).database)


async def write_revision(name: str, message: str) -> None:
    """Write a migration from the newest schema to the current tables; no installation is changed."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'scratch.db'}"
        await upgrade_at(name, url)
        database = open_database(url)
        try:
            await new_revision(database, tree_of(name), metadata_of(name), message)
        finally:
            await database.close()


async def upgrade_at(name: str, url: str) -> None:
    """Migrate the database at this URL to the newest schema of the service."""
    database = open_database(url)
    try:
        await upgrade(database, tree_of(name), metadata_of(name))
    finally:
        await database.close()


def settings_of(name: str) -> Any:
    """Read the service's settings from the environment."""
    return getattr(importlib.import_module(f"services.{name}.settings"), f"{name.capitalize()}Settings")()


def address_of(name: str) -> str:
    """Return the URL of the running service: from CLEIO_<SERVICE>_URL, or its port on this machine."""
    given = os.environ.get(f"CLEIO_{name.upper()}_URL", "").split(",")[0]
    return given or f"http://127.0.0.1:{Installation.from_environment(os.environ).service_ports[name][0]}"


def tree_of(name: str) -> Path:
    """Return the folder of the service's migrations."""
    return Path(__file__).parents[1] / name / "migrations"


def known_schemas(name: str) -> set[str]:
    """Return the schema revisions that this program knows."""
    return revisions(tree_of(name))


def metadata_of(name: str) -> Any:
    """Return the service's tables. Importing the application registers those of all features."""
    importlib.import_module(f"services.{name}.app")
    return importlib.import_module(f"services.{name}.schema").METADATA
