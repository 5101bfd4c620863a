"""`cleio audit verify`: check that the audit logs are complete and unchanged."""

import asyncio
import importlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from services.cli.backup import WITH_DATABASE, copy_database_file, opened_backup
from services.cli.databases import metadata_of, settings_of
from shared.audit.chain import Checkpoint
from shared.audit.checkpoints import CheckpointFile, public_key_of
from shared.audit.repository import AuditRepository, oldest_row
from shared.audit.verification import Exported, Verdict, check_begin, verify
from shared.operations.backups.manifest import Manifest
from shared.operations.backups.repository import CopyFailedError
from shared.persistence import open_database, sqlite_file
from shared.persistence.copying import READ_ERRORS, UnreachableDatabaseError, describe_error
from shared.values.problems import Problem, reason_of

ENTRIES = ".entries.ndjson"
CHECKPOINTS = ".checkpoints.ndjson"
# The logs that every installation has.
LOGS = ("registry", "notifications", "matching")
# Tables whose rows only recorded requests create.
CREATED_BY_REQUESTS = {"registry": ("organisations", "clients", "members"), "notifications": ("subscriptions",)}
Report = Callable[[str], None]


class UnreadableKeyError(RuntimeError):
    """The given file is not a public key."""


class UnknownLogError(RuntimeError):
    """There is no audit log of this name."""


def verify_all(
    backup: Path | None,
    checkpoints: Path | None,
    public_keys: Sequence[Path],
    only: Sequence[str],
    report: Report,
) -> dict[str, Verdict]:
    """Check every log that must exist, and every other one in the audit folder; return the verdict for each.

    :param backup: check the databases in this backup instead of the live ones; a backup contains no logs in files.
    :param checkpoints: a folder with copies of the checkpoints; None: those of the installation.
    :param public_keys: former public keys of the installation, accepted besides the current one.
    :param only: check only these logs; empty: all.
    :param report: called with a line for each log.
    :raises UnknownLogError: ``only`` names no log.
    """
    if unknown := sorted(set(only) - set(LOGS)):
        raise UnknownLogError(f"there is no audit log of {', '.join(unknown)}: choose from {', '.join(LOGS)}")
    settings = settings_of("registry")
    keys = [public_key_of(settings.audit_seed), *(_key(path) for path in public_keys)]
    folder = checkpoints or settings.audit_folder
    verdicts: dict[str, Verdict] = {}
    for name in (name for name in WITH_DATABASE if not only or name in only):
        verdicts[name] = _verify_service(name, backup, folder, keys)
        report(_line(name, verdicts[name]))
    for name in _in_files(only, settings.audit_folder, folder) if backup is None else ():
        verdicts[name] = asyncio.run(_verify_file(name, settings.audit_folder, folder, keys))
        report(_line(name, verdicts[name]))
    return verdicts


def _verify_service(name: str, backup: Path | None, checkpoints: Path, keys: Sequence[Ed25519PublicKey]) -> Verdict:
    """Check a copy of the service's database; one that cannot be read is a finding."""
    url: str = settings_of(name).database
    # Read before the copy is made: the service goes on writing, and the copy must contain every exported checkpoint.
    exported = Exported(CheckpointFile(checkpoints, name).read()[0])
    with tempfile.TemporaryDirectory(prefix="cleio-audit-") as folder:
        copy = Path(folder) / f"{name}.db"
        try:
            if backup is not None:
                with opened_backup(backup) as opened:
                    copy.write_bytes((opened / copy.name).read_bytes())
                    exported = Exported(exported.checkpoints, Manifest.read(opened).made_at)
                url = f"sqlite:///{copy}"
            elif sqlite_file(url) is not None:
                copy_database_file(name, copy)  # the live file belongs to its service
                url = f"sqlite:///{copy}"
            return asyncio.run(_verify_database(name, url, exported, keys))
        except (CopyFailedError, UnreachableDatabaseError) as error:
            return Verdict(findings=[f"the log cannot be read: {error}"])
        except Problem as problem:
            return Verdict(findings=[f"the log cannot be read: {reason_of(problem)}"])


async def _verify_database(name: str, url: str, exported: Exported, keys: Sequence[Ed25519PublicKey]) -> Verdict:
    metadata = metadata_of(name)
    log = importlib.import_module(f"services.{name}.schema").AUDIT
    database = open_database(url)
    try:
        async with database.read() as connection:
            repository = AuditRepository(connection, log, name)
            checkpoints: list[Checkpoint] = []
            while page := await repository.checkpoints_after(checkpoints[-1].number if checkpoints else 0):
                checkpoints += page
            head = await repository.head()
            verdict = await verify(name, repository.every_line(), head, checkpoints, exported, keys)
            tables = [metadata.tables[table] for table in CREATED_BY_REQUESTS[name]]
            check_begin(verdict, await oldest_row(connection, tables))
            return verdict
    except READ_ERRORS as error:
        raise UnreachableDatabaseError(describe_error(error)) from error
    finally:
        await database.close()


def _in_files(only: Sequence[str], *folders: Path) -> list[str]:
    """Return the logs without a database: matching, and every other log with a file in one of the folders."""
    files = [file for folder in folders for ending in (ENTRIES, CHECKPOINTS) for file in folder.glob(f"*{ending}")]
    names = {file.name.removesuffix(ENTRIES).removesuffix(CHECKPOINTS) for file in files} | {"matching"}
    return sorted(name for name in names - set(WITH_DATABASE) if not only or name.partition("-")[0] in only)


async def _verify_file(name: str, folder: Path, kept: Path, keys: Sequence[Ed25519PublicKey]) -> Verdict:
    """Check a log in a file. Its checkpoint file is its chain; ``kept`` is a folder with copies of checkpoint files."""
    # Read in this order: entries are written before the checkpoint that covers them.
    exported = Exported(CheckpointFile(kept, name).read()[0])
    checkpoints, _ = CheckpointFile(folder, name).read()
    file = folder / f"{name}{ENTRIES}"
    content = file.read_bytes() if file.is_file() else b""

    async def lines() -> AsyncIterator[tuple[int, str]]:
        # The text after the last line feed is still being written.
        for line in content[: content.rfind(b"\n") + 1].decode(errors="replace").splitlines():
            try:
                number = int(json.loads(line)[0])
            except (ValueError, TypeError, IndexError, KeyError):
                number = 0
            yield number, line

    verdict = await verify(name, lines(), None, checkpoints, exported, keys)
    if not file.is_file() and not verdict.findings:
        verdict.findings.append(f"the file {file.name} is missing")
    return verdict


def _key(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        raise UnreadableKeyError(f"{path} is not a public key in PEM form") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UnreadableKeyError(f"{path} is not an Ed25519 public key")
    return key


def _line(name: str, verdict: Verdict) -> str:
    state = "intact" if not verdict.findings else f"{len(verdict.findings)} findings"
    begun = f" since {_written(verdict.begun)}" if verdict.begun else ""
    counts = f"{verdict.entries} entries{begun}, {verdict.checkpoints} checkpoints, {verdict.pending} not yet covered"
    return f"{name}: {counts}: {state}"


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")
