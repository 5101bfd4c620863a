"""Reads registry records from files: JSON, one record a line, or XML; also compressed (xz, gzip) and in zip archives.

Content is decompressed as it is read: a line or a document is in memory, never a whole archive.
"""

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import IO, Final, cast

from services.cli.gateway import CallError
from services.cli.record_documents import DocumentError, records_of_json, records_of_xml

LINE_FORMATS: Final = (".jsonl", ".ndjson")
FORMATS: Final = (".json", *LINE_FORMATS)
OTHER_FORMATS: Final = {"isrctn": (".xml",)}
COMPRESSED: Final = (".xz", ".gz")
ARCHIVE: Final = ".zip"
MAX_DOCUMENT_BYTES: Final = 64 * 1024 * 1024
MAX_LINE_BYTES: Final = 16 * 1024 * 1024
# Registry records expand 10 to 150 times. What expands more, beyond the first part, is a decompression bomb.
FREE_BYTES: Final = 256 * 1024 * 1024
MAX_RATIO: Final = 200
_DAMAGED: Final = (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, NotImplementedError)


@dataclass(frozen=True)
class Record:
    """One record of a file as the line that is sent, or the ``fault`` why it could not be read."""

    file: str
    place: str
    line: bytes = b""
    fault: str = ""


@dataclass
class _Budget:
    """How many bytes a file may still expand to. All members of an archive share it."""

    left: int

    def take(self, content: bytes) -> bytes:
        """Count content that was read.

        :raises DocumentError: it is too much.
        """
        self.left -= len(content)
        if self.left < 0:
            raise DocumentError(f"expands to more than {MAX_RATIO} times its size: a decompression bomb")
        return content


def formats(source: str) -> tuple[str, ...]:
    """Return the formats of the records of a source; each may also be compressed."""
    return (*FORMATS, *OTHER_FORMATS.get(source, ()))


def find_files(paths: Sequence[Path], source: str) -> list[Path]:
    """Return the files to read: those given, and the record files and archives of folders.

    :raises CallError: a path does not exist, or a folder has no record files.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            fitting = (*formats(source), ARCHIVE)
            found = sorted(one for one in path.rglob("*") if _format(one) in fitting and one.is_file())
            if not found:
                raise CallError(f"{path} has no files of records: {_expected(source)}")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise CallError(f"{path} does not exist")
    return files


def read_records(file: Path, source: str, position: Callable[[int], None]) -> Iterator[Record]:
    """Yield the records of a file. ``position`` is called with the number of bytes read so far.

    A file, member of an archive, or line that cannot be read yields a record with a fault.
    """
    name = str(file)
    try:
        with file.open("rb") as raw:
            budget = _Budget(FREE_BYTES + MAX_RATIO * file.stat().st_size)
            opened = (
                _members(file, raw, source) if file.suffix == ARCHIVE else iter([_Part(name, file, raw, _day(file))])
            )
            for part in opened:
                for record in _records(part, name, source, budget):
                    position(raw.tell())
                    yield record
            position(raw.tell())
    except DocumentError as error:
        yield Record(name, name, fault=str(error))
    except _DAMAGED as error:
        yield Record(name, name, fault=_damage(error))


@dataclass(frozen=True)
class _Part:
    """A file or a member of an archive. ``day``: of its last change, ``2026-03-08``."""

    place: str
    path: PurePath
    stream: IO[bytes]
    day: str


def _members(file: Path, raw: IO[bytes], source: str) -> Iterator[_Part]:
    with zipfile.ZipFile(raw) as archive:
        fitting = [one for one in archive.infolist() if _format(PurePath(one.filename)) in formats(source)]
        if not fitting:
            raise DocumentError(f"no records in the archive: {_expected(source)}")
        if any(one.flag_bits & 1 for one in fitting):
            raise DocumentError("the archive is encrypted")
        for one in fitting:
            with archive.open(one) as stream:
                day = "{:04}-{:02}-{:02}".format(*one.date_time[:3])
                yield _Part(f"{file}/{one.filename}", PurePath(one.filename), stream, day)


def _records(part: _Part, file: str, source: str, budget: _Budget) -> Iterator[Record]:
    kind = _format(part.path)
    if kind and kind not in formats(source):
        yield Record(file, part.place, fault=f"not a format of {source} records: {_expected(source)}")
        return
    try:
        with _decompressed(part) as stream:
            if kind in LINE_FORMATS:
                for number, line in enumerate(_lines(stream, budget), 1):
                    yield from _records_of(source, line, file, f"{part.place}:{number}")
                return
            content = _whole(stream, budget)
        found = records_of_xml(content, part.day) if kind == ".xml" else records_of_json(source, content)
        lines = list(found)
    except DocumentError as error:
        yield Record(file, f"{part.place}:{error.line}", fault=str(error))
        return
    except _DAMAGED as error:
        yield Record(file, part.place, fault=_damage(error))
        return
    for number, line in enumerate(lines, 1):
        yield _sent(file, part.place if len(lines) == 1 else f"{part.place} (record {number})", line)


def _records_of(source: str, line: bytes, file: str, place: str) -> Iterator[Record]:
    """Yield the records of a line, most often one."""
    if len(line) > MAX_LINE_BYTES:
        yield _sent(file, place, line)
    elif line.strip():
        try:
            yield from [_sent(file, place, one) for one in records_of_json(source, line)]
        except DocumentError as error:
            yield Record(file, place, fault=str(error))


def _whole(stream: IO[bytes], budget: _Budget) -> bytes:
    content = budget.take(stream.read(MAX_DOCUMENT_BYTES + 1))
    if len(content) > MAX_DOCUMENT_BYTES:
        raise DocumentError("a document over 64 MiB: write one record a line (.jsonl)")
    return content


def _sent(file: str, place: str, line: bytes) -> Record:
    """Return the record that a line is, if it is not too long to be sent."""
    return Record(file, place, line) if len(line) <= MAX_LINE_BYTES else Record(file, place, fault="over 16 MiB")


def _lines(stream: IO[bytes], budget: _Budget) -> Iterator[bytes]:
    """Yield the lines; of one that is too long only the beginning."""
    while line := budget.take(stream.readline(MAX_LINE_BYTES + 1)):
        yield line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = budget.take(stream.readline(MAX_LINE_BYTES + 1))


@contextmanager
def _decompressed(part: _Part) -> Iterator[IO[bytes]]:
    if part.path.suffix == ".xz":
        with lzma.open(part.stream, "rb") as content:
            yield content
    elif part.path.suffix == ".gz":
        with gzip.open(part.stream, "rb") as unzipped:
            yield cast("IO[bytes]", unzipped)
    else:
        yield part.stream


def _format(file: PurePath) -> str:
    return PurePath(file.stem).suffix if file.suffix in COMPRESSED else file.suffix


def _day(file: Path) -> str:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).date().isoformat()


def _expected(source: str) -> str:
    return f"{', '.join(formats(source))} are expected, also as .xz, .gz or .zip"


def _damage(error: Exception) -> str:
    return getattr(error, "strerror", None) or "cannot be read or decompressed"
