"""``GET /backup``: a copy of the service's database, for programs of the installation on this machine."""

import asyncio
import base64
import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts, produces
from shared.operations.backups.repository import CopyFailedError, copy_live
from shared.persistence import Database
from shared.values.problems import ConflictError, StorageFailedError, StorageFullError
from shared.values.wire import Label

BackupReader = Annotated[Access, Depends(allow("backup", "read"))]
MEDIA_TYPE = "application/vnd.sqlite3"
CHUNK = 1024 * 1024
SPOOL = ".backup-"
STALE_SECONDS = 3600.0


class NoFileError(ConflictError):
    code = "database_elsewhere"
    title = Label(
        fr="Cette base de données n'est pas un fichier SQLite",
        en="This database is not an SQLite file",
    )
    detail = Label(
        fr="Sauvegardez la base PostgreSQL à son URL.",
        en="Back up the PostgreSQL database at its URL.",
    )


def backup_router() -> APIRouter:
    """The gateway does not route this path."""
    router = APIRouter(route_class=ApiRoute, tags=["operations"])

    @router.get("/backup", response_class=Response, responses={200: {"content": {MEDIA_TYPE: {}}}, 507: {}})
    @accepts(seconds=None)
    @produces(MEDIA_TYPE, "application/octet-stream")
    async def copy(request: Request, access: BackupReader) -> StreamingResponse:
        """The database as of one moment, as one SQLite file. `Content-Digest` has its SHA-256."""
        database: Database = request.app.state.database
        if database.file is None:
            raise NoFileError
        try:
            spooled, digest = await asyncio.to_thread(_spool, database.file)
        except OSError as error:
            full = error.errno == errno.ENOSPC or (isinstance(error, CopyFailedError) and error.is_out_of_space)
            raise StorageFullError if full else StorageFailedError from None
        size = os.fstat(spooled.fileno()).st_size
        headers = {
            "Content-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:",
            "Content-Length": str(size),
            "Cache-Control": "no-store",
        }
        return StreamingResponse(_chunks(spooled), media_type=MEDIA_TYPE, headers=headers)

    return router


def _spool(source: Path) -> tuple[IO[bytes], bytes]:
    """Copy the database to a file beside it, unlinked once complete, so that it disappears with its last reader."""
    for left in source.parent.glob(f"{SPOOL}*"):
        if time.time() - left.stat().st_mtime > STALE_SECONDS:  # of a process that was killed during a copy
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=SPOOL, dir=source.parent) as folder:
        path = Path(folder) / source.name
        copy_live(source, path)
        spooled = path.open("rb")
    digest = hashlib.file_digest(spooled, "sha256").digest()
    spooled.seek(0)
    return spooled, digest


def _chunks(spooled: IO[bytes]) -> Iterator[bytes]:
    with spooled:
        while chunk := spooled.read(CHUNK):
            yield chunk
