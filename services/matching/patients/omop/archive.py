"""Opens a zip of CSV files, in memory and within limits on the number and the unpacked size of the files. Pure."""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

MAX_FILES = 30
MAX_BYTES = 16 * 1024 * 1024
MAX_ROWS = 20_000
OTHERS = "other_files"
# Of the common data model 5.4, those of a patient.
TABLES = frozenset({
    "person", "concept", "observation_period", "visit_occurrence", "visit_detail", "condition_occurrence",
    "drug_exposure", "procedure_occurrence", "device_exposure", "measurement", "observation", "death", "note",
    "note_nlp", "specimen", "fact_relationship", "location", "care_site", "provider", "payer_plan_period", "cost",
    "drug_era", "dose_era", "condition_era", "episode", "episode_event", "metadata", "cdm_source", "vocabulary",
    "domain", "concept_class", "concept_relationship", "relationship", "concept_synonym", "concept_ancestor",
    "source_to_concept_map", "drug_strength", "cohort", "cohort_definition",
})  # fmt: skip
_DELIMITERS = ",;\t|"

_UNREADABLE = Label(
    fr="ceci n'est pas une archive zip lisible et non chiffrée", en="this is no readable zip archive without password"
)
_TOO_LARGE = Label(
    fr=f"au plus {MAX_FILES} fichiers, {MAX_BYTES // 1024 // 1024} Mio décompressés et {MAX_ROWS} lignes par table",
    en=f"at most {MAX_FILES} files, {MAX_BYTES // 1024 // 1024} MiB unpacked and {MAX_ROWS} rows a table",
)
_CSV = Label(
    fr="fichier CSV illisible : UTF-8, une ligne d'en-tête, séparateur virgule, point-virgule ou tabulation",
    en="unreadable CSV file: UTF-8, one header line, separated by comma, semicolon or tab",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table. ``pointer``: its place, such as ``/measurement/3``; the first row is 0."""

    values: Mapping[str, str]
    pointer: str

    def text(self, column: str) -> str | None:
        """Return the value of a column; None where it is absent or empty."""
        return self.values.get(column, "").strip() or None

    def of(self, column: str) -> str:
        return f"{self.pointer}/{column}"


def open_archive(content: bytes) -> dict[str, list[Row]]:
    """Return the rows of each CSV file by the name of its table. Other files are named without rows.

    :raises InvalidBodyError: 422, no zip, encrypted, too large, or a file is no CSV.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return dict(_tables(archive))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        raise _refusal("", "zip_form", _UNREADABLE) from None


def _tables(archive: zipfile.ZipFile) -> Iterator[tuple[str, list[Row]]]:
    members = [one for one in archive.infolist() if not one.is_dir()]
    if len(members) > MAX_FILES:
        raise _refusal("", "archive_too_large", _TOO_LARGE)
    left = MAX_BYTES
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        table = path.stem.lower()
        if path.suffix.lower() != ".csv" or table not in TABLES:
            yield OTHERS, []  # its name is not repeated
            continue
        with archive.open(member) as opened:  # the declared size is not believed
            content = opened.read(left + 1)
        left -= len(content)
        if left < 0:
            raise _refusal("", "archive_too_large", _TOO_LARGE)
        yield table, list(_rows(content, table))


def _rows(content: bytes, table: str) -> Iterator[Row]:
    try:
        text = content.decode("utf-8-sig")
        header = text.partition("\n")[0]
        delimiter = max(_DELIMITERS, key=header.count)
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        columns = [name.strip().lower() for name in next(lines, [])]
        for index, values in enumerate(line for line in lines if any(line)):
            if index == MAX_ROWS:
                raise _refusal(f"/{table}", "archive_too_large", _TOO_LARGE)
            yield Row(dict(zip(columns, values, strict=False)), f"/{table}/{index}")
    except (UnicodeDecodeError, csv.Error):
        raise _refusal(f"/{table}", "csv_form", _CSV) from None


def _refusal(pointer: str, code: str, detail: Label) -> InvalidBodyError:
    return InvalidBodyError(errors=[Fault(pointer=pointer, code=code, detail=detail)])
