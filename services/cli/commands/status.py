"""`cleio status`: whether the system is up, at a glance."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.errors import one_line_errors
from services.cli.options import AsJson, Url
from services.cli.output import print_json, print_table

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def status(
    backups: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            envvar="CLEIO_BACKUP_DIR",
            help="The folder of the backups, to show the age of the newest.",
            show_default="none",
        ),
    ] = None,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Show whether the system is up.

    Prints the state and version of every service, feed positions, lag and the age of the last backup.
    Exit code 1 when a service is not ready. Versions are shown only for the system on this machine.
    """
    from services.cli.health import collect_status

    with one_line_errors():
        state = collect_status(url, backups, datetime.now(UTC))
    if as_json:
        print_json(state)
    else:
        rows = [("gateway", "ready", "", state["url"])]
        rows += [_row(name, service) for name, service in state["services"].items()]
        if backups is not None:
            rows.append(("last backup", *_backup(state["last_backup"], backups)))
        print_table(("", "STATE", "VERSION", "DETAILS"), rows)
    if not state["ready"]:
        raise typer.Exit(1)


def _row(name: str, service: Mapping[str, Any]) -> tuple[str, str, str, str]:
    replicas = service.get("replicas", [])
    down = [str(replica["port"]) for replica in replicas if not replica["ready"]]
    state = "ready" if service["ready"] and not down else "not ready"
    details = list(_details(service["detail"]))
    if len(replicas) > 1:
        details.insert(0, f"{len(replicas) - len(down)} of {len(replicas)} replicas ready")
    if down:
        details.append(f"not ready at port {', '.join(down)}")
    versions = sorted({replica["version"] for replica in replicas if replica["version"]})
    return name, state, ", ".join(versions), "; ".join(details)


def _details(detail: Mapping[str, Any]) -> Iterator[str]:
    feed = detail.get("feed")
    if isinstance(feed, int):
        yield f"feed position {feed} (generation {detail.get('generation')})"
    if isinstance(feed, dict):
        lag, read = feed.get("lag_seconds"), feed.get("read_seconds_ago")
        yield "feed not read yet" if read is None else f"feed read {_age(read)} ago"
        if lag is not None:
            yield f"lag {_age(lag)}"
    if detail.get("trials") is not None:
        yield f"{detail['trials']} trials"
    if detail.get("age_seconds") is not None:
        yield f"snapshot {_age(detail['age_seconds'])} old"
    if detail.get("queue_depth") is not None:
        yield f"{detail['queue_depth']} deliveries waiting"


def _backup(last: Mapping[str, Any] | None, folder: Path) -> tuple[str, str, str]:
    if last is None:
        return "none", "", f"no backup in {folder}"
    return f"{_age(last['age_seconds'])} old", "", str(folder / last["name"])


def _age(seconds: float) -> str:
    for unit, size in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
