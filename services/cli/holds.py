"""Read, impose and lift safety holds, and show them as text."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

from services.cli.gateway import Gateway, read_json
from services.cli.output import print_fields, print_table
from services.cli.trials import TRIALS

HOLDS = "/registry/v1/holds"


def read_holds(gateway: Gateway, trial: str, limit: int, *, lifted: bool) -> list[Any]:
    """Return up to ``limit`` holds, newest first: those that concern a trial, or of all trials if it is empty.

    :raises CallError: when a call fails.
    """
    filters = {"lifted": "true"} if lifted else {}
    if trial:
        return list(islice(gateway.read(f"{TRIALS}/{quote(trial, safe='')}/holds", filters)["items"], limit))
    return gateway.first(limit, HOLDS, filters)


def impose(gateway: Gateway, trial: str, given: Mapping[str, str]) -> Any:
    """Impose a hold on a trial. Return it.

    :raises CallError: when the call fails.
    """
    return read_json(gateway.send("POST", f"{TRIALS}/{quote(trial, safe='')}/holds", body=given))


def lift(gateway: Gateway, hold: str, given: Mapping[str, str]) -> Any:
    """Agree to lift a hold. Return it.

    :raises CallError: when the call fails.
    """
    path = f"{HOLDS}/{quote(hold, safe='')}"
    return read_json(gateway.change(path, lambda _: ("POST", f"{path}/lift", given)))


def print_holds(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each hold."""
    rows = [
        (
            one["id"],
            one["trial"],
            one["target"] or one["scope"],
            one["since"][:10],
            f"lifted {one['lifted_at'][:10]}" if one["lifted_at"] else "in force",
            one["kind"] or "",
            one["reason"] or "",
            str(len(one["agreements"] or ())),
        )
        for one in items
    ]
    print_table(("HOLD", "TRIAL", "SCOPE", "SINCE", "STATE", "KIND", "REASON", "AGREED"), rows)


def print_hold(found: Mapping[str, Any]) -> None:
    """Print a hold, with who agreed to lift it."""
    names = ("id", "trial", "scope", "target", "since", "kind", "reason", "reference", "organisation", "lifted_at")
    print_fields({name: found[name] for name in names})
    for one in found["agreements"] or ():
        reference = f"{one['basis']} {one['reference']} of {one['decided_on']}"
        print_fields({"agreed": f"{one['party']} {one['organisation']}, {one['at'][:10]}: {reference}"})
