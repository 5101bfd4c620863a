"""`cleio sources reread`: reads stored records again, a part at a time, and reports what changed."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from services.cli.gateway import Gateway

PART = 50
SHOWN = 20


@dataclass
class Report:
    """Counts of results, and the results of records that were not unchanged."""

    counts: Counter[str] = field(default_factory=Counter)
    results: list[dict[str, Any]] = field(default_factory=list)


def reread_all(gateway: Gateway, sources: Sequence[str], *, dry_run: bool, progress: bool) -> Report:
    """Read all stored records of some sources that other rules have read, then merge the trials that are left.

    :raises CallError: the registry does not answer or refuses the call. What was read before stays.
    """
    report = Report()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not (progress and sys.stderr.isatty()),
    )
    parts = {source: f"/registry/v1/sources/{quote(source, safe='')}/reread" for source in sources}
    parts["trials"] = "/registry/v1/sources/merge-again"
    with bar:
        for name, path in parts.items():
            task = bar.add_task(name, total=0)
            done, after = 0, ""
            while after is not None:
                dry = "true" if dry_run else "false"
                answer = gateway.send("POST", path, after=after, limit=str(PART), dry_run=dry).json()
                report.counts.update(answer["counts"])
                report.results += answer["results"]
                after = answer["next"]
                done += sum(answer["counts"].values())
                bar.update(task, completed=done, total=done + answer["left"])
    return report


def show(report: Report, *, as_json: bool, dry_run: bool) -> None:
    """Print the report: the counts and what changed; or all of it as JSON."""
    if as_json:
        document = {"dry_run": dry_run, "counts": dict(sorted(report.counts.items())), "results": report.results}
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        return
    console = Console() if sys.stdout.isatty() else Console(width=100)
    counted = ", ".join(f"{count} {result}" for result, count in sorted(report.counts.items()))
    title = "What would happen (dry run): " if dry_run else ""
    console.print(f"{title}{counted or 'no record to read again'}", highlight=False)
    for one in report.results[:SHOWN]:
        changed = f": {', '.join(one['changed'])}" if one["changed"] else ""
        line = f"{one['source_id'] or one['trial']} {one['result']}{changed}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if len(report.results) > SHOWN:
        console.print(f"… and {len(report.results) - SHOWN} more (--json lists all)")
