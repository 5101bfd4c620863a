"""Decides what becomes of files of a geography: each load is a version, and the newest file of each kind is in use."""

import asyncio
import base64
import gzip
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from services.registry.geography.atlas import Atlas
from services.registry.geography.files import Rows, UnreadableGeographyError, read_geography
from services.registry.geography.model import Kind, LoadedFile
from services.registry.geography.problems import UnreadableFileError
from services.registry.geography.repository import GeographyRepository
from services.registry.geography.schemas import FileInput

MOST_BYTES: Final = 64 * 1024 * 1024


class GeographyService:
    """Loaded geographies of one database."""

    def __init__(self, repository: GeographyRepository) -> None:
        self._repository = repository

    async def load(self, files: Sequence[FileInput]) -> None:
        """Store files as the next version. A running registry uses them within seconds (`CurrentGeography`).

        :raises UnreadableFileError: 422, one is not what it says, or there are two of a kind.
        """
        version = await self._repository.next_version()
        now = datetime.now(UTC)
        stored: list[tuple[LoadedFile, bytes]] = []
        for number, one in enumerate(files):
            try:
                content = base64.b64decode(one.content, validate=True)
                kind, rows = await asyncio.to_thread(_read, content)
            except (OSError, EOFError, ValueError, zlib.error):
                raise UnreadableFileError(f"/files/{number}/content") from None
            if kind != one.kind or kind in {file.kind for file, _ in stored}:
                raise UnreadableFileError(f"/files/{number}/kind")
            stored.append((LoadedFile(version, kind, one.name, one.sha256, len(rows), now), content))
        await self._repository.add(stored)

    async def undo(self) -> list[LoadedFile]:
        """Remove the files of the newest version and return them; those before them are in use again."""
        loaded = await self._repository.files()
        removed = [one for one in loaded if one.version == loaded[-1].version]
        if removed:
            await self._repository.remove(removed[0].version)
        return removed

    async def files(self) -> list[LoadedFile]:
        """Return the loaded files, the first one loaded first."""
        return await self._repository.files()


def in_use(files: Sequence[LoadedFile]) -> list[LoadedFile]:
    """Return the newest file of each kind."""
    return sorted({one.kind: one for one in files}.values(), key=lambda one: one.kind)


def atlas_of(files: Sequence[LoadedFile], contents: Mapping[str, bytes]) -> Atlas | None:
    """Return the geography of some files, ``contents`` by kind; None: the communes are missing."""
    if "communes" not in contents:
        return None
    read: dict[str, Any] = {kind: _read(content)[1] for kind, content in contents.items()}
    digest = hashlib.sha256("".join(one.sha256 for one in files).encode()).hexdigest()
    return Atlas(digest[:16], read["communes"], read.get("departements", ()), read.get("regions", ()))


def _read(content: bytes) -> tuple[Kind, Rows]:
    return read_geography(_text_of(content))


def _text_of(content: bytes) -> str:
    """:raises UnreadableGeographyError: it is longer than a file may be."""
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    text = unpacking.decompress(content, MOST_BYTES)
    if not unpacking.eof:
        raise UnreadableGeographyError("incomplete or too long")
    return text.decode("utf-8")


def packed(text: str) -> bytes:
    """Return the text of a file as it is stored."""
    return gzip.compress(text.encode(), mtime=0)
