"""`cleio import`: reads files of registry records, sends them in batches, and tells what became of each file."""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from services.cli.gateway import CallError, Gateway

BATCH_LINES = 200
BATCH_BYTES = 4 * 1024 * 1024  # arrives within the body time of the gateway on a slow line too
OUTCOMES = ("created", "updated", "unchanged", "kept_curated", "refused", "invalid")
LINES_PER_LINE = (".jsonl", ".ndjson")
SHOWN_FAULTS, SHOWN_FILES = 20, 12
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity')


@dataclass(frozen=True)
class Record:
    """One record of a file as the line that is sent; or, where it could not be read, the ``fault`` that says why."""

    file: str
    place: str
    line: bytes = b""
    fault: str = ""


@dataclass(frozen=True)
class Remark:
    """What a person should know about one record."""

    place: str
    outcome: str
    trial: str
    detail: str


@dataclass
class Report:
    """Counts of outcomes by file, in the order of the files, and remarks on what was not taken."""

    files: dict[str, Counter[str]] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    unclear: int = 0  # taken in, and waiting for somebody to judge their scope

    @property
    def counts(self) -> Counter[str]:
        return sum(self.files.values(), Counter())

    @property
    def faulty(self) -> bool:
        return self.counts["invalid"] > 0

    def note(self, record: Record, outcome: str, trial: str = "", detail: str = "") -> None:
        self.files.setdefault(record.file, Counter())[outcome] += 1
        if outcome in {"invalid", "refused"}:
            self.remarks.append(Remark(record.place, outcome, trial, detail))


def import_files(gateway: Gateway, paths: Sequence[Path], *, dry_run: bool, progress: bool) -> Report:
    """Send every record under ``paths``. A file or record that cannot be read is reported, and the others go on.

    :raises CallError: when the registry does not answer or refuses the call; what was sent before stays done.
    """
    files = _files(paths)
    report = Report()
    bar = Progress(
        TextColumn("reading and sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not (progress and sys.stderr.isatty()),
    )
    with bar:
        task = bar.add_task("", total=len(files))
        records = _all_records(files, report, lambda: bar.advance(task))
        while batch := _batch(records):
            try:
                _send(gateway, batch, report, dry_run=dry_run)
            except CallError as error:
                done = sum(report.counts.values())
                raise CallError(
                    f"{error}\n  stopped at {batch[0].place}; {done} records before it were handled"
                ) from None
    return report


def show(report: Report, *, as_json: bool, dry_run: bool) -> None:
    """Print the report: a table with the files that matter and what to mend, or all of it as JSON."""
    if as_json:
        document = {
            "dry_run": dry_run,
            "counts": {outcome: report.counts[outcome] for outcome in OUTCOMES},
            "scope_unclear": report.unclear,
            "files": [
                {"file": name, "counts": {outcome: counts[outcome] for outcome in OUTCOMES}}
                for name, counts in report.files.items()
            ],
            "remarks": [
                {"place": one.place, "outcome": one.outcome, "trial": one.trial or None, "detail": one.detail}
                for one in report.remarks
            ],
        }
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        return
    console = Console() if sys.stdout.isatty() else Console(width=100)
    console.print(_table(report, dry_run=dry_run))
    if report.unclear:
        console.print(f"{report.unclear} of them of unclear scope: to be judged by a person", highlight=False)
    # What is to be mended comes first; a refusal is an answer.
    remarks = sorted(report.remarks, key=lambda one: one.outcome != "invalid")
    for one in remarks[:SHOWN_FAULTS]:
        told = " ".join(part for part in (one.place, one.trial, f"{one.outcome}:", one.detail) if part)
        console.print(
            told, style="red" if one.outcome == "invalid" else "yellow", markup=False, highlight=False, soft_wrap=True
        )
    if len(remarks) > SHOWN_FAULTS:
        console.print(f"… and {len(remarks) - SHOWN_FAULTS} more (--json tells all)")


def _table(report: Report, *, dry_run: bool) -> Table:
    table = Table(
        title="What would happen (dry run)" if dry_run else None, title_justify="left", box=None, pad_edge=False
    )
    table.add_column("file", overflow="fold")
    for outcome in OUTCOMES:
        table.add_column(outcome, justify="right")
    shown = report.files
    if len(shown) > SHOWN_FILES:
        shown = dict(
            islice(
                ((name, counts) for name, counts in shown.items() if counts["invalid"] or counts["refused"]),
                SHOWN_FILES,
            )
        )
    for name, counts in shown.items():
        table.add_row(name, *(_figure(counts[outcome]) for outcome in OUTCOMES))
    others = len(report.files) - len(shown)
    if others:
        rest = report.counts - sum(shown.values(), Counter())
        table.add_row(f"({others} other files)", *(_figure(rest[outcome]) for outcome in OUTCOMES))
    table.add_row("all", *(_figure(report.counts[outcome]) for outcome in OUTCOMES), style="bold")
    return table


def _figure(count: int) -> str:
    return str(count) if count else "·"


def _files(paths: Sequence[Path]) -> list[Path]:
    """:raises CallError: when a path does not exist or a folder holds no records."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(one for one in path.rglob("*") if one.suffix in {".json", *LINES_PER_LINE} and one.is_file())
            if not found:
                raise CallError(f"{path} holds no .json or .jsonl file")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise CallError(f"{path} does not exist")
    return files


def _all_records(files: Sequence[Path], report: Report, read_one: Any) -> Iterator[Record]:
    for file in files:
        for record in _records(file):
            if record.fault:
                report.note(record, "invalid", detail=record.fault)
            else:
                yield record
        report.files.setdefault(str(file), Counter())
        read_one()


def _records(file: Path) -> Iterator[Record]:
    name = str(file)
    try:
        if file.suffix in LINES_PER_LINE:
            with file.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    if line.strip():
                        yield _parsed(name, number, line)
            return
        content = _parse(file.read_bytes())
    except _UnreadableError as error:
        yield Record(name, f"{name}:{error.line}", fault=str(error))
        return
    except OSError as error:
        yield Record(name, name, fault=error.strerror or "cannot be read")
        return
    studies = content.get("studies", [content]) if isinstance(content, dict) else content
    if not isinstance(studies, list):
        yield Record(name, f"{name}:1", fault="neither a record, a list of records, nor {studies: […]}")
        return
    for number, study in enumerate(studies, 1):
        yield Record(name, name if len(studies) == 1 else f"{name} (record {number})", _line(study))


class _UnreadableError(Exception):
    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


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
    # Strings are passed over: the first bare word is the one that was met.
    start = next(
        (match.start() for match in _STRING_OR_CONSTANT.finditer(text) if not match.group().startswith('"')), 0
    )
    raise _UnreadableError(f"not JSON: {name} is not a number", text.count("\n", 0, start) + 1)


def _line(record: Any) -> bytes:
    # Escaped to ASCII: a lone surrogate stays a fault of its line, for the registry to name.
    return json.dumps(record, separators=(",", ":")).encode("ascii")


def _batch(records: Iterator[Record]) -> list[Record]:
    batch: list[Record] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(record.line) + 1
        if len(batch) == BATCH_LINES or size >= BATCH_BYTES:
            break
    return batch


def _send(gateway: Gateway, batch: Sequence[Record], report: Report, *, dry_run: bool) -> None:
    answer = gateway.send(
        "PUT",
        "/registry/v1/sources/ctgov/trials",
        content=b"\n".join(record.line for record in batch) + b"\n",
        media_type="application/x-ndjson",
        dry_run="true" if dry_run else "false",
    ).json()
    results = {result["line"]: result for result in answer["results"]}
    for number, record in enumerate(batch, 1):
        result = results.get(number)
        if result is None:
            report.note(record, "invalid", detail="the registry gave no answer for this line")
            continue
        detail = "; ".join(f"{error['pointer']} {error['detail']}".strip() for error in result["errors"])
        report.unclear += result["scope"] == "scope_unclear" and result["result"] not in {"invalid", "refused"}
        report.note(record, result["result"], result["trial"] or result["source_id"] or "", detail)
