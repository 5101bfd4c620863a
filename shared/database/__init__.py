"""One data layer for embedded SQLite and PostgreSQL: engines, transactions, column types and migrations."""

from shared.database.columns import NAMING, UtcInstant
from shared.database.engine import Database, OwnedElsewhereError, WrongSchemaError, open_database, own, sqlite_file
from shared.database.sessions import Reading, Writing

__all__ = ["NAMING", "Database", "OwnedElsewhereError", "Reading", "UtcInstant", "Writing", "WrongSchemaError", "open_database", "own", "sqlite_file"]
