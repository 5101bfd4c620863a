"""Read and change the states of trials, read their past, and show both as text."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from services.cli.gateway import Gateway, read_json
from services.cli.output import print_fields, print_message, print_table
from services.cli.trials import TRIALS, short


def change_state(gateway: Gateway, trial: str, body: Mapping[str, str | None]) -> Any:
    """Change the state of a trial, or its owner if ``body`` names one. Return where it stands then.

    :raises CallError: when the call fails.
    """
    part = "owner" if "owner" in body else "state"
    return read_json(gateway.send("POST", f"{TRIALS}/{quote(trial, safe='')}/{part}", body=body))


def read_history(gateway: Gateway, trial: str, limit: int) -> list[Any]:
    """Return up to ``limit`` versions of a trial, newest first, page by page.

    :raises CallError: when a call fails.
    """
    return gateway.first(limit, f"{TRIALS}/{quote(trial, safe='')}/history")


def read_diff(gateway: Gateway, trial: str, ends: Mapping[str, str]) -> Any:
    """Return what differs between two versions of a trial.

    :raises CallError: when the call fails.
    """
    return gateway.read(f"{TRIALS}/{quote(trial, safe='')}/history/diff", ends)


def print_state(found: Mapping[str, Any]) -> None:
    """Print where a trial stands, what can be done, and what was decided."""
    waiting = found["waiting"]
    print_fields(
        {
            "number": found["trial"],
            "state": found["state"],
            "scope": f"{found['scope']['answer']} ({found['scope']['by']})",
            "owner": found["owner"] or "coordination",
            "waiting": f"{waiting['action']}, asked by {waiting['by']}, needs a second person" if waiting else None,
            "possible": [
                one["action"] + (f" ({one['people']} people)" if one["people"] > 1 else "") for one in found["actions"]
            ],
        }
    )
    for one in found["decisions"]:
        undone = f", undone {one['withdrawn_at'][:10]}" if one["withdrawn_at"] else ""
        what = one["answer"] + (f" to {one['owner'] or 'coordination'}" if one["kind"] == "owner" else "")
        print_fields({"decided": f"{what}, {one['at'][:10]}, {one['author']}{undone}: {one['reason']}"})


def print_history(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each version of a trial."""
    rows = [
        (
            str(one["version"]),
            one["at"][:10],
            one["source"] or "",
            one["audience"],
            one["author"] or "",
            ", ".join(one["changed"]),
        )
        for one in items
    ]
    print_table(("VERSION", "DATE", "SOURCE", "AUDIENCE", "AUTHOR", "CHANGED"), rows)


def print_diff(found: Mapping[str, Any]) -> None:
    """Print a line for each field that differs between two versions."""
    rows = [
        (one["path"], short(one["before"]), short(one["after"]), one["source"] or "", one["author"] or "")
        for one in found["items"]
    ]
    print_table(("FIELD", "BEFORE", "AFTER", "SOURCE", "AUTHOR"), rows)
    print_message(f"{found['trial']}: version {found['from']} and version {found['to']}")
