"""Pushes of partner networks: sends a file, follows its job, and shows, cancels and undoes jobs."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from services.cli.gateway import CallError, Gateway, read_json
from services.cli.output import print_fields, print_message, print_table

JOBS = "/registry/v1/jobs"
ENDED = frozenset({"done", "cancelled", "failed"})
POLL_SECONDS = 0.3
SHOWN = 20
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/csv",
    ".txt": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
}


def push(
    gateway: Gateway, file: Path, source: str, *, encoding: str, language: str, options: Mapping[str, bool]
) -> Any:
    """Send a file. Return its job.

    :raises CallError: the file has another format, or the registry refuses it.
    """
    media_type = MEDIA_TYPES.get(file.suffix.lower())
    if media_type is None:
        raise CallError(f"{file}: one of {', '.join(MEDIA_TYPES)} is expected")
    if encoding:
        media_type += f"; charset={encoding}"
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CallError(f"{file}: {error.strerror}") from None
    query = urlencode({name: "true" for name, wanted in options.items() if wanted})
    path = f"/registry/v1/sources/{quote(source, safe=':')}/trials?{query}"
    return read_json(gateway.send("PUT", path, content=content, media_type=media_type, language=language))


def follow(gateway: Gateway, job: Any, *, progress: bool) -> Any:
    """Wait until a job has ended, and return it.

    :raises CallError: when a call fails. The job goes on.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not (progress and sys.stderr.isatty()),
    )
    with bar:
        task = bar.add_task(f"{job['id']} {job['state']}", total=job["total"])
        while job["state"] not in ENDED:
            time.sleep(POLL_SECONDS)
            job = read_job(gateway, job["id"])
            bar.update(task, completed=job["done"], description=f"{job['id']} {job['state']}")
    return job


def read_job(gateway: Gateway, job: str) -> Any:
    """:raises CallError: when the call fails."""
    return gateway.read(f"{JOBS}/{quote(job, safe='')}")


def act(gateway: Gateway, job: str, action: str) -> Any:
    """Cancel or undo a job (``cancel``, ``undo``). Return the job, or the one that undoes it.

    :raises CallError: when the call fails.
    """
    return read_json(gateway.send("POST", f"{JOBS}/{quote(job, safe='')}/{action}"))


def list_jobs(gateway: Gateway, source: str, limit: int) -> list[Any]:
    """Return the newest jobs.

    :raises CallError: when the call fails.
    """
    return gateway.first(limit, JOBS, {"source": source} if source else None)


def save_results(gateway: Gateway, job: str, target: Path) -> None:
    """Write all results of a job to a file: NDJSON if its name says so, else CSV.

    :raises CallError: when the call fails or the file cannot be written.
    """
    kind = MEDIA_TYPES.get(target.suffix.lower(), "text/csv")
    kind = kind if kind == "application/x-ndjson" else "text/csv"
    answer = gateway.send("GET", f"{JOBS}/{quote(job, safe='')}/results", headers={"Accept": kind})
    try:
        target.write_bytes(answer.content)
    except OSError as error:
        raise CallError(f"{target}: {error.strerror}") from None


def noteworthy(gateway: Gateway, job: Any) -> list[Any]:
    """Return the first results of a job that a person should look at.

    :raises CallError: when a call fails.
    """
    found: list[Any] = []
    path = f"{JOBS}/{job['id']}/results"
    for one in gateway.walk(path):
        if one["messages"] or one["result"] == "source_missing":
            found.append(one)
            if len(found) > SHOWN:
                break
    return found


def print_jobs(jobs: Sequence[Any]) -> None:
    """Print a line for each job."""
    rows = [
        (one["id"], one["created_at"][:16], _kind(one), one["source"], one["state"], _progress(one), _counts(one))
        for one in jobs
    ]
    print_table(("JOB", "CREATED", "KIND", "SOURCE", "STATE", "DONE", "RESULTS"), rows)


def print_job(job: Any, results: Sequence[Any]) -> None:
    """Print a job and what a person should look at."""
    print_fields(
        {
            "job": job["id"],
            "kind": _kind(job),
            "source": job["source"],
            "state": job["state"],
            "done": _progress(job),
            "results": _counts(job) or None,
            "not read": ", ".join(job["unknown_columns"]) or None,
            "note": job["note"],
            "undone by": job["undone_by"],
        }
    )
    for one in results[:SHOWN]:
        place = f"line {one['line']}" if one["line"] is not None else "not in the file"
        for message in one["messages"] or [{"column": None, "code": one["result"], "detail": "kept as it is"}]:
            column = f" [{message['column']}]" if message["column"] else ""
            print_message(f"{place} {one['number'] or ''} {one['result']}:{column} {message['detail']}")
    if len(results) > SHOWN:
        print_message(f"… and more: `cleio jobs show {job['id']} --report results.csv` writes them all")


def is_faulty(job: Any) -> bool:
    """Return whether a line could not be read, or the job failed."""
    return bool(job["counts"].get("invalid")) or job["state"] == "failed"


def _kind(job: Any) -> str:
    words = [job["kind"], *(["(dry run)"] if job["dry_run"] else []), *(["(full)"] if job["full"] else [])]
    return f"undo of {job['undoes']}" if job["undoes"] else " ".join(words)


def _progress(job: Any) -> str:
    return f"{job['done']} of {job['total']}"


def _counts(job: Any) -> str:
    return ", ".join(f"{count} {result}" for result, count in job["counts"].items())
