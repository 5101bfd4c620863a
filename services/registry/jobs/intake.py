"""Takes a partner's file: reads it once, and packs its lines for storage. Runs in a thread."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Final

from services.registry.jobs.model import packed
from services.registry.sources.partner.files import Item, PartnerFile
from services.registry.sources.partner.problems import NoTrialsError

PART_LINES: Final = 200
PART_BYTES: Final = 2 * 1024 * 1024
_BLOCK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """Lines in the file of an intake. ``first``: the place of the first one; ``offset``, ``size``: in bytes."""

    first: int
    count: int
    offset: int
    size: int


class Intake:
    """The lines of a file, packed in a temporary file: close it at the end.

    ``headings``, ``unknown``: as in `PartnerFile`. ``body_hash``: SHA-256 of the file.
    """

    def __init__(self, source: str, folder: Path) -> None:
        self._given = PartnerFile(source)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by `close`
        self.parts: list[Part] = []
        self.total = 0
        self.body_hash = ""

    @property
    def headings(self) -> dict[str, str]:
        return self._given.headings

    @property
    def unknown(self) -> list[str]:
        return list(self._given.unknown)

    def read(self, file: IO[bytes], media_type: str, charset: str) -> None:
        """Read and pack a whole file.

        :raises Problem: 413 or 422, the file as a whole cannot be read.
        """
        digest = hashlib.sha256(f"{media_type};{charset}\n".encode())
        while block := file.read(_BLOCK):
            digest.update(block)
        self.body_hash = digest.hexdigest()
        file.seek(0)
        with closing(self._given.items(file, media_type, charset)) as items:
            while lines := _next(items):
                content = packed(lines)
                self.parts.append(Part(self.total, len(lines), self._file.tell(), len(content)))
                self._file.write(content)
                self.total += len(lines)
        if self.total == 0:
            raise NoTrialsError

    def content(self, part: Part) -> bytes:
        """Return the packed lines of a part."""
        self._file.seek(part.offset)
        return self._file.read(part.size)

    def close(self) -> None:
        self._file.close()


def _next(items: Iterator[Item]) -> list[Item]:
    """Return the next lines, up to 200 or about 2 MiB."""
    lines: list[Item] = []
    size = 0
    for one in islice(items, PART_LINES):
        lines.append(one)
        size += len(one.content or b"")
        if size >= PART_BYTES:
            break
    return lines
