"""Reads the file of a partner as records: NDJSON, CSV or xlsx. A line that is faulty affects only itself. Pure."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

from services.registry.sources.partner.cells import CellFault
from services.registry.sources.partner.columns import BAR, Headings, columns, headings
from services.registry.sources.partner.contacts import names_person
from services.registry.sources.partner.problems import (
    MAX_TRIALS,
    NoNumberColumnError,
    NotUtf8Error,
    TooManyTrialsError,
)
from services.registry.sources.partner.reader import PartnerReader
from services.registry.sources.partner.spreadsheet import spreadsheet_rows
from services.registry.sources.preparing import MAX_LINE_BYTES, RECORD
from services.registry.sources.problems import InvalidStudyError
from shared.values.problems import MalformedJsonError
from shared.values.strict_json import loads

NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Names of encodings that can be declared, and those of Python.
ENCODINGS: Final[Mapping[str, str]] = {"utf-8": "utf-8-sig", "windows-1252": "cp1252"}
_SEPARATORS: Final = (";", ",", "\t")
_SEPARATOR_LINE: Final = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
# The csv module gives up a file at a longer cell; here it costs only its line.
_LONGEST_CELL: Final = 256 * 1024 * 1024
MAX_UNKNOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a file, numbered as the partner sees it: its record (JSON), or the faults that it has.

    ``bytes_hash``: SHA-256 of the record. ``faults`` beside a record: parts that were left out.
    """

    line: int
    source_id: str | None = None
    content: bytes | None = None
    bytes_hash: str | None = None
    faults: tuple[CellFault, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a line by the name of their column. ``faults``: of the line, or of cells that are left out."""

    line: int
    cells: Mapping[str, Any]
    faults: tuple[CellFault, ...] = ()
    broken: bool = False


class PartnerFile:
    """A file while it is read.

    ``headings``: the heading of each column as the partner wrote it; ``unknown``: those that are not read. Both are
    whole only at the end of an NDJSON file, whose lines have members of their own.
    """

    def __init__(self, source: str) -> None:
        self.headings: dict[str, str] = {}
        self.unknown: dict[str, None] = {}
        self._reader = PartnerReader(source)
        self._lines: set[str] = set()

    def items(self, file: IO[bytes], media_type: str, charset: str = "utf-8") -> Generator[Item, None, None]:
        """Yield the lines that are not blank.

        :raises Problem: 413 or 422, the file as a whole cannot be read.
        """
        rows = (
            self._json_rows(file)
            if media_type == NDJSON
            else self._table_rows(_csv_lines(file, ENCODINGS[charset]))
            if media_type == CSV
            else self._table_rows(spreadsheet_rows(file))
        )
        for count, row in enumerate(rows, 1):
            if count > MAX_TRIALS:
                raise TooManyTrialsError
            yield self._item(row)

    def _item(self, row: Row) -> Item:
        if row.broken:
            return Item(row.line, faults=row.faults)
        record = {name: row.cells[name] for name in columns() if name in row.cells}
        faults = list(row.faults)
        for name in names_person(record):
            del record[name]
            faults.append(CellFault(name, "names_person"))
        try:
            source_id = self._reader.source_id(record)
        except InvalidStudyError:
            return Item(row.line, faults=(*faults, CellFault("number", "number_missing")))
        content = json.dumps(record, separators=(",", ":")).encode("ascii")
        if len(content) > MAX_LINE_BYTES:
            return Item(row.line, source_id, faults=(CellFault("", "line_too_long"),))
        if source_id in self._lines:
            return Item(row.line, source_id, faults=(CellFault("number", "repeated_number"),))
        self._lines.add(source_id)
        return Item(row.line, source_id, content, hashlib.sha256(content).hexdigest(), tuple(faults))

    def _learn(self, found: Headings) -> None:
        for name, heading in found.known.items():
            self.headings.setdefault(name, heading)
        for heading in (*found.unknown, *found.repeated):
            if len(self.unknown) < MAX_UNKNOWN:
                self.unknown[heading] = None

    def _json_rows(self, file: IO[bytes]) -> Iterator[Row]:
        for number, line in enumerate(_byte_lines(file), 1):
            if len(line) > MAX_LINE_BYTES:
                yield Row(number, {}, (CellFault("", "line_too_long"),), broken=True)
            elif line.strip():
                yield self._json_row(number, line.removeprefix(b"\xef\xbb\xbf"))

    def _json_row(self, number: int, line: bytes) -> Row:
        try:
            given = loads(line, RECORD)
        except MalformedJsonError:
            given = None
        if not isinstance(given, dict):
            return Row(number, {}, (CellFault("", "malformed_json"),), broken=True)
        found = headings(tuple(given))
        self._learn(found)
        values = list(given.values())
        cells: dict[str, Any] = {}
        faults = []
        for name, place in found.places.items():
            try:
                cells[name] = _of_json(name, values[place])
            except TypeError:
                faults.append(CellFault(name, "wrong_type"))
        return Row(number, cells, tuple(faults))

    def _table_rows(self, lines: Iterable[tuple[int, Sequence[Any] | str]]) -> Iterator[Row]:
        """Yield the rows of a table. ``lines``: cells, or the code of a fault, by number; headings come first."""
        found: Headings | None = None
        width = 0
        for number, cells in lines:
            if isinstance(cells, str):
                yield Row(number, {}, (CellFault("", cells),), broken=True)
            elif found is None:
                found, width = headings(tuple(map(_text, cells))), len(cells)
                if "number" not in found.known:
                    raise NoNumberColumnError
                self._learn(found)
            elif any(cell not in {None, ""} for cell in map(_blank, cells)):
                if any(cell not in {None, ""} for cell in map(_blank, cells[width:])):
                    yield Row(number, {}, (CellFault("", "too_many_cells"),), broken=True)
                else:
                    yield _table_row(number, cells, found)
        if found is None:
            raise NoNumberColumnError


def _table_row(number: int, cells: Sequence[Any], found: Headings) -> Row:
    """Return a row. A cell beyond the end of a short row says nothing."""
    values: dict[str, Any] = {}
    faults = []
    for name, place in found.places.items():
        cell = cells[place] if place < len(cells) else None
        if isinstance(cell, CellFault):
            faults.append(CellFault(name, cell.code))
        elif isinstance(cell, str) and cell.startswith("="):
            faults.append(CellFault(name, "formula"))
        elif place < len(cells):
            values[name] = _of_text(name, _text(cell))
    size = sum(len(cell) for cell in cells if isinstance(cell, str))
    if size > MAX_LINE_BYTES:
        return Row(number, {}, (CellFault("", "line_too_long"),), broken=True)
    return Row(number, values, tuple(faults))


def _blank(cell: Any) -> Any:
    return cell.strip() if isinstance(cell, str) else cell


def _text(cell: Any) -> str:
    return cell.strip() if isinstance(cell, str) else ""


def _of_text(name: str, text: str) -> Any:
    """Return the value of a cell: a text, null, or a list."""
    if not columns()[name].many:
        return text or None
    return [part.strip() for part in text.split(BAR) if part.strip()]


def _of_json(name: str, value: Any) -> Any:
    """Return the value of a member as that of a cell.

    :raises TypeError: it has another type.
    """
    if isinstance(value, list):
        if not columns()[name].many:
            raise TypeError
        return [text for item in value if (text := _scalar(item).strip())]
    return _of_text(name, _scalar(value).strip())


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise TypeError


def _byte_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines; of one that is too long only the beginning."""
    while line := file.readline(MAX_LINE_BYTES + 2):
        beginning = line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES + 2)
        yield beginning.rstrip(b"\r\n") if len(beginning) <= MAX_LINE_BYTES + 1 else beginning


def _csv_lines(file: IO[bytes], encoding: str) -> Iterator[tuple[int, Sequence[Any] | str]]:
    """Yield the rows of a CSV file by their number in a spreadsheet.

    :raises NotUtf8Error: 422, the file is not in this encoding.
    """
    csv.field_size_limit(_LONGEST_CELL)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        first = text.readline(MAX_LINE_BYTES)
        start = 1
        if written := _SEPARATOR_LINE.fullmatch(first):
            separator, first, start = written[1], text.readline(MAX_LINE_BYTES), 2
        else:
            separator = max(_SEPARATORS, key=lambda one: _known_headings(first, one))
        rows = csv.reader(_after(first, text), delimiter=separator, strict=True)
        number = start - 1
        while True:
            number += 1
            try:
                yield number, next(rows)
            except StopIteration:
                return
            except csv.Error:
                yield number, "quotes"
    except UnicodeDecodeError:
        raise NotUtf8Error from None
    finally:
        text.detach()


def _after(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    yield from rest


def _known_headings(line: str, separator: str) -> int:
    try:
        (row,) = csv.reader([line.rstrip("\r\n")], delimiter=separator)
    except (csv.Error, ValueError):  # a heading of several lines
        row = line.split(separator)
    return len(headings(tuple(row)).known)
