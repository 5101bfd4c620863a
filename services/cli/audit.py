"""`cleio audit verify`: is the record of who did what as it was written?"""

import asyncio
import importlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from services.cli.backup import WITH_DATABASE, copy_database_file, opened_backup
from services.cli.databases import metadata_of, settings_of
from shared.audit.chain import Seal
from shared.audit.checkpoints import CheckpointFile, public_key_of
from shared.audit.repository import AuditRepository
from shared.audit.verification import Verdict, verify
from shared.database import open_database, sqlite_file

ENTRIES = ".entries.ndjson"


class UnreadableKeyError(RuntimeError):
    """A file that was named as a public key is none."""


def verify_all(backup: Path | None, checkpoints: Path | None, public_keys: Sequence[Path], tell: Callable[[str], None]) -> dict[str, Verdict]:
    """Every service's verdict. ``backup``: look at the databases in it instead of the live ones. ``checkpoints``: the folder of a copy kept
    elsewhere; without it those of the installation. The installation's own key counts, and those in ``public_keys``.
    """
    settings = settings_of("registry")
    keys = [public_key_of(settings.audit_seed), *(_key(path) for path in public_keys)]
    exported = checkpoints or settings.audit_folder
    found: dict[str, Verdict] = {}
    for name in WITH_DATABASE:
        url: str = settings_of(name).database
        with tempfile.TemporaryDirectory(prefix="cleio-audit-") as folder:
            # Read before the copy is taken: a running service goes on, and its copy must not lack what was exported.
            seals, _ = CheckpointFile(exported, name).read()
            if backup is not None:
                with opened_backup(backup) as opened:
                    (Path(folder) / f"{name}.db").write_bytes((opened / f"{name}.db").read_bytes())
                url = f"sqlite:///{Path(folder) / f'{name}.db'}"
            elif sqlite_file(url) is not None:
                # The live file belongs to its service.
                copy_database_file(name, Path(folder) / f"{name}.db")
                url = f"sqlite:///{Path(folder) / f'{name}.db'}"
            found[name] = asyncio.run(_verify_database(name, url, seals, keys))
        tell(_line(name, found[name]))
    for file in sorted(settings.audit_folder.glob(f"*{ENTRIES}")) if backup is None else ():
        name = file.name.removesuffix(ENTRIES)
        found[name] = asyncio.run(_verify_file(file.read_bytes(), CheckpointFile(exported, name), keys))
        tell(_line(name, found[name]))
    return found


async def _verify_database(name: str, url: str, exported: Sequence[Seal], keys: Sequence[Ed25519PublicKey]) -> Verdict:
    metadata_of(name)
    log = importlib.import_module(f"services.{name}.schema").AUDIT
    database = open_database(url)
    try:
        async with database.read() as connection:
            repository = AuditRepository(connection, log, name)
            seals: list[Seal] = []
            while page := await repository.seals_after(seals[-1].number if seals else 0):
                seals += page
            return await verify(repository.every_line(), await repository.head(), seals, exported, keys)
    finally:
        await database.close()


async def _verify_file(text: bytes, checkpoints: CheckpointFile, keys: Sequence[Ed25519PublicKey]) -> Verdict:
    """A service without a database keeps its seals in the checkpoints alone."""
    seals, _ = checkpoints.read()

    async def lines() -> AsyncIterator[tuple[int, str]]:
        # What follows the last line feed is being written.
        for line in text[: text.rfind(b"\n") + 1].decode(errors="replace").splitlines():
            try:
                number = int(json.loads(line)[0])
            except (ValueError, TypeError, IndexError, KeyError):
                number = 0
            yield number, line

    return await verify(lines(), None, seals, seals, keys)


def _key(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        raise UnreadableKeyError(f"{path} is no public key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UnreadableKeyError(f"{path} is no Ed25519 key")
    return key


def _line(name: str, verdict: Verdict) -> str:
    state = "unbroken" if not verdict.findings else f"{len(verdict.findings)} findings"
    return f"{name}: {verdict.entries} entries, {verdict.seals} seals, {verdict.unsealed} not yet sealed: {state}"
