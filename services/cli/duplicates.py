"""Merge and separate trials, assign records, and show the log of it."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from services.cli.gateway import Gateway, read_json
from services.cli.output import print_fields, print_table
from services.cli.trials import TRIALS

ASSIGNMENTS = "/registry/v1/assignments"
# What was read before is not known here: the change is made whatever version is the present one.
ANY_VERSION = {"If-Match": "*"}


def merge_trials(gateway: Gateway, trial: str, action: str, body: Mapping[str, Any], *, dry_run: bool) -> Any:
    """Merge a trial into another one or separate it (``merge``, ``unmerge``). Return what came of it.

    :raises CallError: when the call fails.
    """
    path = f"{TRIALS}/{quote(trial, safe='')}/{action}"
    return read_json(gateway.send("POST", path, body=body, headers=ANY_VERSION, dry_run=str(dry_run).lower()))


def assign_record(gateway: Gateway, record: str, body: Mapping[str, Any] | None) -> Any:
    """Assign a record (``ctgov:NCT…``) to a trial, or undo the last decision on it (no ``body``). Return the record.

    :raises CallError: when the call fails.
    """
    source, _, name = record.rpartition(":")
    path = f"/registry/v1/sources/{quote(source, safe='')}/records/{quote(name, safe='')}"
    action = "undo" if body is None else "assign"
    return read_json(gateway.send("POST", f"{path}/{action}", body=body, headers=ANY_VERSION))


def read_assignments(gateway: Gateway, trial: str, limit: int) -> list[Any]:
    """Return up to ``limit`` entries of the log, page by page: all, or those on a trial.

    :raises CallError: when a call fails.
    """
    return gateway.first(limit, ASSIGNMENTS, {"trial": trial} if trial else None)


def print_merge(found: Mapping[str, Any]) -> None:
    """Print what a merge or separation did, or would do."""
    print_fields(
        {
            "trial": found["merged"],
            "other trial": found["into"],
            "number": found["trial"]["identifier"],
            "version": found["trial"]["version"],
            "changed": found["changed"] or "nothing",
            "conflicts": [one["path"] for one in found["conflicts"]] or None,
            "not used": found["not_used"] or None,
        }
    )


def print_record(found: Mapping[str, Any]) -> None:
    """Print to which trial a record belongs."""
    print_fields(
        {
            "record": f"{found['source']}:{found['source_id']}",
            "numbers": found["numbers"],
            "trial": found["trial"] or "none",
            "shares with": found["shares_with"] or None,
        }
    )


def print_assignments(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each entry of the log."""
    rows = [
        (
            str(one["number"]),
            one["at"][:10],
            one["action"],
            f"{one['source']}:{one['source_id']}" if one["source"] else "",
            one["trial"],
            one["other"] or "",
            one["author"] or "rule",
            f"undoes {one['undoes']}" if one["undoes"] else one["reason"] or ", ".join(one["numbers"]),
        )
        for one in items
    ]
    print_table(("NUMBER", "DATE", "ACTION", "RECORD", "TRIAL", "OTHER", "BY", "REASON"), rows)
