"""Work that only one of several replicas may do at a time."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

LONGEST_TURN = "120s"


async def take_advisory_lock(connection: AsyncConnection, work: str) -> None:
    """Wait until no other replica is at this work; it is this one's turn until its transaction ends. Only one process uses a SQLite file."""
    if connection.dialect.name != "postgresql":
        return
    # The turn is long where the work is: an ordinary statement may wait two seconds and take five.
    await connection.execute(text(f"SET LOCAL lock_timeout = '{LONGEST_TURN}'"))
    await connection.execute(text("SET LOCAL statement_timeout = 0"))
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:work, 0))"), {"work": f"cleio {work}"}
    )
