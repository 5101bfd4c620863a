"""`cleio import`: sends registry records in batches, and reports what became of each file and record."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from services.cli.gateway import CallError, Gateway
from services.cli.record_files import Record, find_files, read_records

BATCH_LINES = 200
BATCH_BYTES = 4 * 1024 * 1024  # fits into the gateway's time for a body on a slow line too
OUTCOMES = (
    "created", "updated", "unchanged", "older", "obsolete", "possible_duplicate", "quarantined", "refused", "invalid"
)  # fmt: skip
# Shown only where they occur.
RARE = frozenset({"older", "obsolete", "possible_duplicate", "quarantined"})
NOT_STORED = frozenset({"invalid", "refused"})
SHOWN_REMARKS, SHOWN_FILES, SHOWN_CODES = 20, 12, 8
# What an outcome is called and how it is coloured; what must be corrected comes first.
_STYLES = {"invalid": "red", "possible_duplicate": "yellow", "review": "yellow", "refused": "yellow"}


@dataclass(frozen=True)
class Remark:
    """What a person should know about one record. ``trial_id``: the id of its trial, if it has one."""

    place: str
    outcome: str
    trial: str
    detail: str
    trial_id: str = ""


@dataclass
class Report:
    """Counts of outcomes by file and of reasons by code, and remarks on single records.

    ``remarks``: records that are no trials. ``reviews``: kept but not published, until a person decides on their scope
    or whether they are another record's trial. ``warnings``: stored without the parts named.
    """

    files: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    remarks: list[Remark] = field(default_factory=list)
    reviews: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        return sum(self.files.values(), Counter())

    @property
    def outcomes(self) -> list[str]:
        """The outcomes to show."""
        return [outcome for outcome in OUTCOMES if outcome not in RARE or self.counts[outcome]]

    @property
    def faulty(self) -> bool:
        return self.counts["invalid"] > 0

    def add(self, record: Record, outcome: str, trial: str = "", detail: str = "") -> None:
        """Count a record, and keep a remark if it was not stored or not completely."""
        self.files.setdefault(record.file, Counter())[outcome] += 1
        if outcome in NOT_STORED:
            self.remarks.append(Remark(record.place, outcome, trial, detail))
        elif detail:
            self.warnings.append(Remark(record.place, outcome, trial, detail))


def import_files(gateway: Gateway, source: str, paths: Sequence[Path], *, dry_run: bool, progress: bool) -> Report:
    """Send every record of a source under ``paths``. A file or record that cannot be read is reported and skipped.

    :raises CallError: the registry does not answer or refuses the call. Earlier batches stay imported.
    """
    files = find_files(paths, source)
    report = Report()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not (progress and sys.stderr.isatty()),
    )
    with bar:
        records = _all_records(files, source, report, bar)
        while batch := _batch(records):
            try:
                _send(gateway, source, batch, report, dry_run=dry_run)
            except CallError as error:
                done = report.counts.total()
                raise CallError(f"{error}\n  stopped at {batch[0].place}; {done} records before it are done") from None
            bar.update(bar.task_ids[0], description=f"{report.counts.total()} records")
    return report


def show(report: Report, *, as_json: bool, dry_run: bool) -> None:
    """Print the report: a table, and what a person must correct or decide; or all of it as JSON."""
    if as_json:
        sys.stdout.write(json.dumps(_document(report, dry_run=dry_run), ensure_ascii=False, indent=2) + "\n")
        return
    console = Console() if sys.stdout.isatty() else Console(width=100)
    console.print(_table(report, dry_run=dry_run))
    if report.reasons:
        top = report.reasons.most_common(SHOWN_CODES)
        console.print(f"reasons: {', '.join(f'{code} {count}' for code, count in top)}", highlight=False)
    if report.reviews:
        console.print(
            f"{len(report.reviews)} kept but not published: a person must decide. `cleio reviews list` shows them.",
            highlight=False,
        )
    if report.warnings:
        console.print(f"{len(report.warnings)} stored without some parts (--json names them).", highlight=False)
    remarks = sorted([*report.remarks, *report.reviews], key=lambda one: list(_STYLES).index(one.outcome))
    for one in remarks[:SHOWN_REMARKS]:
        line = " ".join(part for part in (one.place, one.trial, one.trial_id, f"{one.outcome}:", one.detail) if part)
        console.print(line, style=_STYLES[one.outcome], markup=False, highlight=False, soft_wrap=True)
    if len(remarks) > SHOWN_REMARKS:
        console.print(f"… and {len(remarks) - SHOWN_REMARKS} more (--json lists all)")


def _document(report: Report, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "counts": {outcome: report.counts[outcome] for outcome in report.outcomes},
        "reasons": dict(report.reasons.most_common()),
        "scope_unclear": sum(one.outcome == "review" for one in report.reviews),
        "files": [
            {"file": name, "counts": {outcome: counts[outcome] for outcome in report.outcomes}}
            for name, counts in report.files.items()
        ],
        **{
            name: [
                {
                    "place": one.place,
                    "outcome": one.outcome,
                    "trial": one.trial or None,
                    "trial_id": one.trial_id or None,
                    "detail": one.detail,
                }
                for one in remarks
            ]
            for name, remarks in (
                ("remarks", report.remarks),
                ("reviews", report.reviews),
                ("warnings", report.warnings),
            )
        },
    }


def _table(report: Report, *, dry_run: bool) -> Table:
    table = Table(
        title="What would happen (dry run)" if dry_run else None, title_justify="left", box=None, pad_edge=False
    )
    table.add_column("file", overflow="fold")
    for outcome in report.outcomes:
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
        table.add_row(name, *(_figure(counts[outcome]) for outcome in report.outcomes))
    others = len(report.files) - len(shown)
    if others:
        rest = report.counts - sum(shown.values(), Counter())
        table.add_row(f"({others} other files)", *(_figure(rest[outcome]) for outcome in report.outcomes))
    table.add_row("all", *(_figure(report.counts[outcome]) for outcome in report.outcomes), style="bold")
    return table


def _figure(count: int) -> str:
    return str(count) if count else "·"


def _all_records(files: Sequence[Path], source: str, report: Report, bar: Progress) -> Iterator[Record]:
    sizes = [file.stat().st_size for file in files]
    task = bar.add_task("0 records", total=sum(sizes))
    before = 0
    for file, size in zip(files, sizes, strict=True):
        for record in read_records(file, source, partial(_advance, bar, task, before)):
            if record.fault:
                report.add(record, "invalid", detail=record.fault)
                report.reasons["unreadable"] += 1
            else:
                yield record
        report.files.setdefault(str(file), Counter())
        before += size


def _advance(bar: Progress, task: TaskID, before: int, position: int) -> None:
    bar.update(task, completed=before + position)


def _batch(records: Iterator[Record]) -> list[Record]:
    batch: list[Record] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(record.line) + 1
        if len(batch) == BATCH_LINES or size >= BATCH_BYTES:
            break
    return batch


def _send(gateway: Gateway, source: str, batch: Sequence[Record], report: Report, *, dry_run: bool) -> None:
    answer = gateway.send(
        "PUT",
        f"/registry/v1/sources/{quote(source, safe='')}/trials",
        content=b"\n".join(record.line for record in batch) + b"\n",
        media_type="application/x-ndjson",
        dry_run="true" if dry_run else "false",
    ).json()
    results = {result["line"]: result for result in answer["results"]}
    for number, record in enumerate(batch, 1):
        result = results.get(number)
        if result is None:
            report.add(record, "invalid", detail="the registry gave no answer for this line")
            continue
        trial = result["trial"] or result["source_id"] or ""
        report.add(record, result["result"], trial, _text(result["errors"]))
        errors = result["errors"] if result["result"] in NOT_STORED else ()  # of others: parts that were left out
        report.reasons.update({fault["code"] for fault in (*errors, *result["reasons"])})
        if result["reasons"]:
            outcome = "possible_duplicate" if result["result"] == "possible_duplicate" else "review"
            # A trial that only a dry run created has no id: the next one gets the same.
            tried = dry_run and result["result"] == "created"
            trial_id = "" if tried else result["trial_id"] or ""
            report.reviews.append(Remark(record.place, outcome, trial, _text(result["reasons"]), trial_id))


def _text(faults: Sequence[dict[str, str]]) -> str:
    return "; ".join(f"{fault['pointer']} {fault['detail']}".strip() for fault in faults)
