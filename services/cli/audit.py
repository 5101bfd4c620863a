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
from shared.audit.verification import Exported, Verdict, verify
from shared.operations.backups.manifest import Manifest
from shared.persistence import open_database, sqlite_file

ENTRIES = ".entries.ndjson"
CHECKPOINTS = ".checkpoints.ndjson"


class UnreadableKeyError(RuntimeError):
    """A file that was named as a public key is none."""


def verify_all(
    backup: Path | None, checkpoints: Path | None, public_keys: Sequence[Path], tell: Callable[[str], None]
) -> dict[str, Verdict]:
    """Every service's verdict. ``backup``: look at the databases in it instead of the live ones. ``checkpoints``: the folder of a copy kept
    elsewhere; without it those of the installation. The installation's own key counts, and those in ``public_keys``.
    """
    settings = settings_of("registry")
    keys = [public_key_of(settings.audit_seed), *(_key(path) for path in public_keys)]
    kept = checkpoints or settings.audit_folder
    found: dict[str, Verdict] = {}
    for name in WITH_DATABASE:
        url: str = settings_of(name).database
        with tempfile.TemporaryDirectory(prefix="cleio-audit-") as folder:
            # Read before the copy is taken: a running service goes on, and its copy must not lack what was exported.
            exported = Exported(CheckpointFile(kept, name).read()[0])
            if backup is not None:
                with opened_backup(backup) as opened:
                    (Path(folder) / f"{name}.db").write_bytes((opened / f"{name}.db").read_bytes())
                    exported = Exported(exported.seals, Manifest.read(opened).made_at)
                url = f"sqlite:///{Path(folder) / f'{name}.db'}"
            elif sqlite_file(url) is not None:
                # The live file belongs to its service.
                copy_database_file(name, Path(folder) / f"{name}.db")
                url = f"sqlite:///{Path(folder) / f'{name}.db'}"
            found[name] = asyncio.run(_verify_database(name, url, exported, keys))
        tell(_line(name, found[name]))
    for name in _kept_in_files(settings.audit_folder, kept) if backup is None else ():
        found[name] = asyncio.run(_verify_file(name, settings.audit_folder, kept, keys))
        tell(_line(name, found[name]))
    return found


def _kept_in_files(*folders: Path) -> list[str]:
    """Whoever has entries or checkpoints in one of the folders, and no database: a file that was taken away is missed by the other."""
    files = [file for folder in folders for ending in (ENTRIES, CHECKPOINTS) for file in folder.glob(f"*{ending}")]
    return sorted({file.name.removesuffix(ENTRIES).removesuffix(CHECKPOINTS) for file in files} - set(WITH_DATABASE))


async def _verify_database(name: str, url: str, exported: Exported, keys: Sequence[Ed25519PublicKey]) -> Verdict:
    metadata_of(name)
    log = importlib.import_module(f"services.{name}.schema").AUDIT
    database = open_database(url)
    try:
        async with database.read() as connection:
            repository = AuditRepository(connection, log, name)
            seals: list[Seal] = []
            while page := await repository.seals_after(seals[-1].number if seals else 0):
                seals += page
            return await verify(name, repository.every_line(), await repository.head(), seals, exported, keys)
    finally:
        await database.close()


async def _verify_file(name: str, folder: Path, kept: Path, keys: Sequence[Ed25519PublicKey]) -> Verdict:
    """A service without a database keeps its seals in its checkpoints alone; ``kept`` may hold older copies of them."""
    # In this order: what is sealed was written before.
    exported = Exported(CheckpointFile(kept, name).read()[0])
    seals, _ = CheckpointFile(folder, name).read()
    file = folder / f"{name}{ENTRIES}"
    text = file.read_bytes() if file.is_file() else b""

    async def lines() -> AsyncIterator[tuple[int, str]]:
        # What follows the last line feed is being written.
        for line in text[: text.rfind(b"\n") + 1].decode(errors="replace").splitlines():
            try:
                number = int(json.loads(line)[0])
            except (ValueError, TypeError, IndexError, KeyError):
                number = 0
            yield number, line

    return await verify(name, lines(), None, seals, exported, keys)


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
