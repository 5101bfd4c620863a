"""`cleio migrate` and `cleio revision`: the databases of the services and their migration trees."""

import importlib
import tempfile
from pathlib import Path
from typing import Any

from shared.database import open_database
from shared.database.migrations import new_revision, upgrade


async def migrate_service(name: str) -> None:
    """Upgrade the service's database to the head of its tree.

    :raises OwnedElsewhereError: when the service is running on it.
    """
    settings = getattr(importlib.import_module(f"services.{name}.settings"), f"{name.capitalize()}Settings")()
    await _upgrade(name, settings.database)


async def write_revision(name: str, message: str) -> None:
    """Write the migration that leads from the head of the tree to the tables of today; no installation is touched."""
    importlib.import_module(f"services.{name}.app")  # every table hangs on the metadata once all features are imported
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'scratch.db'}"
        await _upgrade(name, url)
        database = open_database(url)
        try:
            await new_revision(database, _tree(name), _metadata(name), message)
        finally:
            await database.close()


async def _upgrade(name: str, url: str) -> None:
    database = open_database(url)
    try:
        await upgrade(database, _tree(name), _metadata(name))
    finally:
        await database.close()


def _tree(name: str) -> Path:
    return Path(__file__).parent / name / "migrations"


def _metadata(name: str) -> Any:
    return importlib.import_module(f"services.{name}.schema").METADATA
