"""Reads the first sheet of an .xlsx workbook, row by row. What a workbook claims of its size is not believed."""

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import IO, Any, Final

from openpyxl import load_workbook

from services.registry.sources.partner.cells import CellFault
from services.registry.sources.partner.problems import NotASpreadsheetError, SpreadsheetTooLargeError

MAX_CONTENT: Final = 128 * 1024 * 1024
_MAX_PARTS: Final = 1_000
_MAX_COLUMNS: Final = 200


def spreadsheet_rows(file: IO[bytes]) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield the rows of the first sheet by their number: texts, or `CellFault` for formulas and errors.

    :raises SpreadsheetTooLargeError: 413, as a zip bomb would be.
    :raises NotASpreadsheetError: 422, it cannot be read, also where its XML has entities.
    """
    _check_archive(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of parts that are not read, such as drop-down lists
        try:
            book = load_workbook(file, read_only=True, keep_links=False)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            for number, row in enumerate(sheet.iter_rows(max_col=_MAX_COLUMNS), 1):
                yield number, [_value(cell) for cell in row]
        except GeneratorExit:
            raise
        except Exception as fault:
            # The library fails in many ways at what is no workbook.
            raise NotASpreadsheetError from fault


def _check_archive(file: IO[bytes]) -> None:
    """Check the sizes that the archive states: no part of it can be read beyond its own."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as fault:
        raise NotASpreadsheetError from fault
    if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > MAX_CONTENT:
        raise SpreadsheetTooLargeError
    file.seek(0)


def _value(cell: Any) -> Any:
    """Return a cell as a text, or what is wrong with it."""
    value = cell.value
    if value is None or isinstance(value, str):
        return CellFault("", "formula" if cell.data_type == "f" else "cell_error") if _is_faulty(cell) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    return CellFault("", "formula" if cell.data_type == "f" else "wrong_type")


def _is_faulty(cell: Any) -> bool:
    return cell.value is not None and cell.data_type in {"f", "e"}
