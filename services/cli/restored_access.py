"""Find the access that a restore gives back to callers that were revoked or changed after the backup."""

import asyncio
from pathlib import Path

from services.registry.identity.credentials.repository import CredentialRepository
from shared.persistence import open_database

MOST_NAMED = 50

_UNKNOWN = (
    "callers that were revoked, suspended or given another key after this backup have their former access again: "
    "revoke again what must stay revoked"
)


def restored_access(current: Path | None, restored: Path) -> list[str]:
    """Name the callers that regain access, in lines for the operator.

    ``current`` is the registry's database file before the restore. When it is missing or unreadable no caller can be
    named, and the line says so. ``restored`` is the file that replaces it.
    """
    if current is None or not current.is_file():
        return [_UNKNOWN]
    try:
        before = asyncio.run(_callers(current))
    except Exception:  # noqa: BLE001 - a damaged file must not stop the restore
        return [_UNKNOWN]
    after = asyncio.run(_callers(restored))
    regained = sorted(
        name
        for identifier, (name, rights) in after.items()
        if rights and identifier in before and before[identifier][1] != rights
    )
    lines = [] if after.keys() <= before.keys() else [_UNKNOWN]
    if regained:
        lines.append(
            "these were revoked, suspended or given other rights or keys after this backup, "
            "and have their former access again:"
        )
        lines += [f"  {name}" for name in regained[:MOST_NAMED]]
    if len(regained) > MOST_NAMED:
        lines.append(f"  and {len(regained) - MOST_NAMED} more")
    return lines


async def _callers(file: Path) -> dict[str, tuple[str, str]]:
    database = open_database(f"sqlite:///{file}", exclusive=False)
    try:
        async with database.read() as connection:
            return await CredentialRepository(connection).callers()
    finally:
        await database.close()
