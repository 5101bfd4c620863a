"""The example file of the format: a heading for each column and one trial, which is invented."""

import csv
import io
import json
from typing import Any, Final, Literal

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font

from services.registry.sources.partner.columns import BAR, Column, columns
from shared.values.language import Language

Format = Literal["csv", "xlsx", "ndjson"]
_MARK: Final = b"\xef\xbb\xbf"
_SHEETS: Final[dict[Language, tuple[str, str]]] = {"fr": ("essais", "colonnes"), "en": ("trials", "columns")}


def template(kind: Format, language: Language) -> bytes:
    """Return the example file. CSV has semicolons in French and commas in English, as spreadsheets there expect."""
    if kind == "ndjson":
        record = {one.name: one.example for one in columns().values() if one.example is not None}
        return json.dumps(record, ensure_ascii=False).encode() + b"\n"
    rows = [[getattr(one.label, language) for one in columns().values()], [_cell(one) for one in columns().values()]]
    if kind == "csv":
        file = io.StringIO(newline="")
        csv.writer(file, delimiter=";" if language == "fr" else ",").writerows(rows)
        return _MARK + file.getvalue().encode()
    return _workbook(rows, language)


def _cell(column: Column) -> str | None:
    value: Any = column.example
    return f" {BAR} ".join(value) if isinstance(value, list) else value


def _workbook(rows: list[list[Any]], language: Language) -> bytes:
    """Return the rows as a workbook; its second sheet describes the columns."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title, described = _SHEETS[language]
    for row in rows:
        sheet.append(row)
    sheet.freeze_panes = "B2"
    about = book.create_sheet(described)
    for one in columns().values():
        about.append([getattr(one.label, language), getattr(one.about, language)])
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 30, 90
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[cell.column_letter].width = 24
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
