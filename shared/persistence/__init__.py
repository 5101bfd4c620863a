"""One data layer for embedded SQLite and PostgreSQL: engines, transactions, column types and migrations."""

from shared.persistence.columns import NAMING, UtcInstant
from shared.persistence.engine import (
    Database,
    OwnedElsewhereError,
    UnsupportedSqliteError,
    WrongSchemaError,
    lock_file,
    open_database,
    sqlite_file,
)
from shared.persistence.rls_sessions import RowLevelSecurityError, with_grants
from shared.persistence.sessions import Reading, Writing

__all__ = [
    "NAMING",
    "Database",
    "OwnedElsewhereError",
    "Reading",
    "RowLevelSecurityError",
    "UnsupportedSqliteError",
    "UtcInstant",
    "Writing",
    "WrongSchemaError",
    "lock_file",
    "open_database",
    "sqlite_file",
    "with_grants",
]
