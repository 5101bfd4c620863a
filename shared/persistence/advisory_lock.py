"""Work that only one of several replicas may do at a time."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

LOCK_TIMEOUT = "120s"


async def take_advisory_lock(connection: AsyncConnection, work: str) -> None:
    """Wait until no other replica does this work; the lock ends with the transaction. A SQLite file has one process."""
    if connection.dialect.name != "postgresql":
        return
    # The work may take long: ordinary statements may wait two seconds for a lock and run for five.
    await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    await connection.execute(text("SET LOCAL statement_timeout = 0"))
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:work, 0))"), {"work": f"cleio {work}"}
    )
