"""Reads registry records from files: JSON, one record a line, and both compressed with xz or gzip."""

import gzip
import json
import lzma
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from services.cli.gateway import CallError

LINE_FORMATS = (".jsonl", ".ndjson")
FORMATS = (".json", *LINE_FORMATS)
COMPRESSED = (".xz", ".gz")
READ_SECTIONS = ("protocolSection", "derivedSection")
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity')


@dataclass(frozen=True)
class Record:
    """One record of a file as the line that is sent, or the ``fault`` why it could not be read."""

    file: str
    place: str
    line: bytes = b""
    fault: str = ""


class _UnreadableError(Exception):
    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files to read: those given, and the record files of folders.

    :raises CallError: a path does not exist, or a folder has no record files.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(one for one in path.rglob("*") if _format(one) in FORMATS and one.is_file())
            if not found:
                raise CallError(f"{path} has no .json or .jsonl file (.xz and .gz included)")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise CallError(f"{path} does not exist")
    return files


def read_records(file: Path, position: Callable[[int], None]) -> Iterator[Record]:
    """Yield the records of a file. ``position`` is called with the number of bytes read so far.

    A file or line that cannot be read yields a record with a fault.
    """
    name = str(file)
    try:
        with _opened(file) as (stream, raw):
            if _format(file) in LINE_FORMATS:
                for number, line in enumerate(stream, 1):
                    position(raw.tell())
                    if line.strip():
                        yield _parsed(name, number, line)
                return
            content = _parse(stream.read())
            position(raw.tell())
    except _UnreadableError as error:
        yield Record(name, f"{name}:{error.line}", fault=str(error))
        return
    except (OSError, EOFError, lzma.LZMAError) as error:
        yield Record(name, name, fault=getattr(error, "strerror", None) or "cannot be read or decompressed")
        return
    studies = content.get("studies", [content]) if isinstance(content, dict) else content
    if not isinstance(studies, list):
        yield Record(name, f"{name}:1", fault="neither a record, a list of records, nor {studies: […]}")
        return
    for number, study in enumerate(studies, 1):
        yield Record(name, name if len(studies) == 1 else f"{name} (record {number})", _line(study))


def _format(file: Path) -> str:
    return Path(file.stem).suffix if file.suffix in COMPRESSED else file.suffix


@contextmanager
def _opened(file: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Open a file: its content, decompressed if need be, and the file itself, whose position shows the progress."""
    with file.open("rb") as raw:
        if file.suffix == ".xz":
            with lzma.open(raw, "rb") as content:
                yield content, raw
        elif file.suffix == ".gz":
            with gzip.open(raw, "rb") as unzipped:
                yield cast("IO[bytes]", unzipped), raw
        else:
            yield raw, raw


def _parsed(name: str, number: int, line: bytes) -> Record:
    place = f"{name}:{number}"
    try:
        return Record(name, place, _line(_parse(line)))
    except _UnreadableError as error:
        return Record(name, place, fault=str(error))


def _parse(content: bytes) -> Any:
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text, parse_constant=lambda name: _refuse_constant(name, text))
    except json.JSONDecodeError as error:
        raise _UnreadableError(f"not JSON: {error.msg} (column {error.colno})", error.lineno) from None
    except UnicodeDecodeError as error:
        raise _UnreadableError(f"not UTF-8 (byte {error.start})", content.count(b"\n", 0, error.start) + 1) from None
    except RecursionError:
        raise _UnreadableError("nested too deeply") from None


def _refuse_constant(name: str, text: str) -> NoReturn:
    # Strings are skipped, so the first bare word is the one that the parser met.
    start = next(
        (match.start() for match in _STRING_OR_CONSTANT.finditer(text) if not match.group().startswith('"')), 0
    )
    raise _UnreadableError(f"not JSON: {name} is not a number", text.count("\n", 0, start) + 1)


def _line(record: Any) -> bytes:
    if isinstance(record, dict) and isinstance(record.get("protocolSection"), dict):
        # The registry reads nothing else, and results can be many times as long.
        record = {name: record[name] for name in READ_SECTIONS if name in record}
    # Escaped to ASCII, so that a lone surrogate is a fault of its line only, reported by the registry.
    return json.dumps(record, separators=(",", ":")).encode("ascii")
