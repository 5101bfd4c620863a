"""`cleio migrate` and `cleio revision`: the databases of the services and their migration trees."""

import importlib
import os
import tempfile
from pathlib import Path
from typing import Any

from services.supervisor.installation import Installation
from shared.persistence import open_database
from shared.persistence.migrations import new_revision, revisions, upgrade


async def migrate_service(name: str) -> None:
    """Upgrade the service's database to the head of its tree.

    :raises OwnedElsewhereError: when the service is running on it.
    """
    await upgrade_at(name, settings_of(name).database)


async def write_revision(name: str, message: str) -> None:
    """Write the migration that leads from the head of the tree to the tables of today; no installation is touched."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'scratch.db'}"
        await upgrade_at(name, url)
        database = open_database(url)
        try:
            await new_revision(database, tree_of(name), metadata_of(name), message)
        finally:
            await database.close()


async def upgrade_at(name: str, url: str) -> None:
    """Upgrade the database at this URL to the head of the service's tree."""
    database = open_database(url)
    try:
        await upgrade(database, tree_of(name), metadata_of(name))
    finally:
        await database.close()


def settings_of(name: str) -> Any:
    """The service's settings as the environment gives them."""
    return getattr(importlib.import_module(f"services.{name}.settings"), f"{name.capitalize()}Settings")()


def address_of(name: str) -> str:
    """Where the running service answers: where it was said to be, or at its port on this machine."""
    said = os.environ.get(f"CLEIO_{name.upper()}_URL", "").split(",")[0]
    return said or f"http://127.0.0.1:{Installation.from_environment(os.environ).service_ports[name][0]}"


def tree_of(name: str) -> Path:
    """The service's migrations."""
    return Path(__file__).parents[1] / name / "migrations"


def known_schemas(name: str) -> set[str]:
    """The revisions that this program can read or migrate."""
    return revisions(tree_of(name))


def metadata_of(name: str) -> Any:
    """The service's tables: every one hangs on the metadata once all features are imported."""
    importlib.import_module(f"services.{name}.app")
    return importlib.import_module(f"services.{name}.schema").METADATA
