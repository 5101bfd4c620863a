"""What a restore brings back: whoever was revoked, suspended or given another key after the backup can call again as before."""

from pathlib import Path

from services.registry.identity.credentials.repository import CredentialRepository
from shared.persistence import open_database

MOST_NAMED = 50


async def revived(live: Path | None, restored: Path) -> list[str]:
    """Lines for the operator, from the registry's database of before and the one that takes its place.

    A database of before that is lost or cannot be read names nobody: then the operator is told to look for himself.
    """
    if live is None or not live.is_file():
        return [_UNKNOWN]
    try:
        before = await _callers(live)
    except Exception:
        return [_UNKNOWN]
    after = await _callers(restored)
    back = sorted(
        name for one, (name, rights) in after.items() if rights and one in before and before[one][1] != rights
    )
    lines = [] if after.keys() <= before.keys() else [_UNKNOWN]
    if back:
        lines.append(
            "after this backup they were revoked or suspended, or given other rights or keys, and can call again as before:"
        )
        lines += [f"  {name}" for name in back[:MOST_NAMED]]
    if len(back) > MOST_NAMED:
        lines.append(f"  and {len(back) - MOST_NAMED} more")
    return lines


_UNKNOWN = "whoever was revoked, suspended or given another key after this backup can call again as before: end what must stay ended"


async def _callers(file: Path) -> dict[str, tuple[str, str]]:
    database = open_database(f"sqlite:///{file}", exclusive=False)
    try:
        async with database.read() as connection:
            return await CredentialRepository(connection).callers()
    finally:
        await database.close()
