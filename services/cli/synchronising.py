"""`cleio sources sync` and `status`: asks for a run of synchronisation, shows how far it is, and what sources have."""

import sys
import time
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from services.cli.gateway import CallError, Gateway
from services.cli.output import print_table

POLL_SECONDS = 0.5
PARTS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))


def read_sources(gateway: Gateway) -> list[dict[str, Any]]:
    """Return the state of all sources.

    :raises CallError: the registry does not answer or refuses the call.
    """
    found: list[dict[str, Any]] = gateway.send("GET", "/registry/v1/sources").json()["items"]
    return found


def read_records(gateway: Gateway, source: str, state: str, limit: int) -> list[dict[str, Any]]:
    """Return records in ``quarantine`` or ``missing``, at most ``limit``.

    :raises CallError: the registry does not answer or refuses the call.
    """
    items: list[dict[str, Any]] = []
    query = {"state": state, "limit": str(min(200, limit))}
    while len(items) < limit:
        answer = gateway.send("GET", f"{_path(source)}/records?{urlencode(query)}").json()
        items += answer["items"]
        if answer["next"] is None:
            break
        query["cursor"] = answer["next"]
    return items[:limit]


def synchronise(
    gateway: Gateway, source: str, *, full: bool, dry_run: bool, since: date | None, once: bool, progress: bool
) -> dict[str, Any]:
    """Ask for a run and wait for its end. Return the state of the source.

    ``once``: a fault of the source ends the command; the registry goes on by itself.

    :raises CallError: the registry does not answer or refuses the call; with ``once`` also a fault of the source.
    """
    asked = {"full": full, "dry_run": dry_run, "since": since.isoformat() if since is not None else None}
    state: dict[str, Any] = gateway.send("POST", f"{_path(source)}/sync", body=asked).json()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} records"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not (progress and sys.stderr.isatty()),
    )
    with bar:
        task = bar.add_task(source, total=None)
        while state["run"] is not None or state["requested"]:
            if once and state["fault"] is not None:
                raise CallError(f"{source}: {_fault(state)}; the registry tries again at {state['retry_at']}")
            run = state["run"] or {"records": 0, "total": None}
            described = f"{source}: {_fault(state)}" if state["fault"] else source
            bar.update(task, description=described, completed=run["records"], total=run["total"])
            time.sleep(POLL_SECONDS)
            state = gateway.send("GET", _path(source)).json()
    return state


def print_run(state: dict[str, Any]) -> None:
    """Print what the last run did."""
    run = state["last_run"]
    if run is None:
        typer.echo("the run was ended")
        return
    title = "What would happen (dry run): " if run["dry_run"] else ""
    counted = ", ".join(f"{count} {result}" for result, count in run["counts"].items()) or "nothing changed"
    kind = "complete listing" if run["whole"] else "what changed"
    typer.echo(f"{title}{counted} ({run['records']} records, {kind})")
    if run["missing"]:
        typer.echo(
            f"{run['missing']} records are no longer in the source: cleio sources records {state['source']} missing"
        )
    if run["fault"]:
        typer.echo(f"not complete: {_fault(state)}")
    if state["quarantine"]:
        typer.echo(f"{state['quarantine']} records in quarantine: cleio sources records {state['source']}")


def print_sources(sources: list[dict[str, Any]]) -> None:
    """Print a line for each source."""
    head = ("source", "state", "every", "fetched until", "lag", "records", "missing", "quarantine", "fault")
    print_table(
        head,
        [
            (
                one["source"],
                one["phase"],
                f"{one['hours']:g} h" if one["hours"] is not None else "-",
                # A position in a feed says nothing to people.
                one["cursor"] if one["cursor"] and "/" not in one["cursor"] else one["cursor_at"] or "-",
                _duration(one["lag_seconds"]),
                str(one["listed"]),
                str(one["missing"]),
                str(one["quarantine"]),
                _fault(one),
            )
            for one in sources
        ],
    )


def print_records(records: list[dict[str, Any]]) -> None:
    """Print records in quarantine or missing."""
    head = ("record", "trial", "since", "why")
    rows = [
        (
            one["source_id"],
            one["trial"] or "-",
            one["faulty_since"] or one["missing_since"] or "",
            f"{one['fault']} {one['fault_detail'] or ''}".strip() if one["fault"] else "no longer in the source",
        )
        for one in records
    ]
    print_table(head, rows)


def _path(source: str) -> str:
    return f"/registry/v1/sources/{quote(source, safe='')}"


def _fault(state: dict[str, Any]) -> str:
    return " ".join(filter(None, (state["fault"], state["fault_detail"])))


def _duration(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    name, length = next((one for one in PARTS if seconds >= one[1]), PARTS[-1])
    return f"{seconds // length} {name}"
