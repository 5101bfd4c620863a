"""One data layer for embedded SQLite and PostgreSQL: engines, transactions, column types and migrations."""

from shared.database.columns import NAMING, UtcInstant
from shared.database.engine import Database, OwnedElsewhereError, WrongSchemaError, open_database, own, sqlite_file
from shared.database.sessions import Reading, Writing
from shared.database.wall import WallDownError

__all__ = [
    "NAMING",
    "Database",
    "OwnedElsewhereError",
    "Reading",
    "UtcInstant",
    "WallDownError",
    "Writing",
    "WrongSchemaError",
    "open_database",
    "own",
    "sqlite_file",
]
