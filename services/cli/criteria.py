"""Propose criteria and sign those of others, and show them as text."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from services.cli.gateway import Gateway, read_json
from services.cli.output import print_fields, print_table
from services.cli.submissions import read_document
from services.cli.trials import TRIALS

# What the registry sets: a file may be the criteria in force as the registry returns them, changed.
_SET = frozenset({"trial", "version", "grade", "signed_by", "signed_by_rpps", "signed_at", "source_hash"})


def propose(gateway: Gateway, trial: str, file: Path, version: int | None) -> Any:
    """Propose the criteria in a file, made from a version of those in force. Return the proposal.

    ``version``: None: the one that the file states, if it states one.

    :raises CallError: when the file is not JSON, or the call fails.
    """
    document = read_document(file)
    base, given = version, document
    if isinstance(document, dict):
        base = document.get("version") if version is None else version
        given = {name: value for name, value in document.items() if name not in _SET}
    match = {"If-Match": "*" if base is None else f'"v{base}"'}
    return read_json(gateway.send("POST", _proposals(trial), body=given, headers=match))


def read_proposals(gateway: Gateway, trial: str) -> list[Any]:
    """Return the proposals of a trial, newest first.

    :raises CallError: when the call fails.
    """
    items: list[Any] = gateway.read(_proposals(trial))["items"]
    return items


def read_proposal(gateway: Gateway, trial: str, number: int) -> Any:
    """Return a proposal.

    :raises CallError: when the call fails.
    """
    return gateway.read(f"{_proposals(trial)}/{number}")


def sign(gateway: Gateway, trial: str, number: int, signer: Mapping[str, str]) -> Any:
    """Sign a proposal of another person. Return the criteria, which are then in force.

    :raises CallError: when a call fails.
    """
    path = f"{_proposals(trial)}/{number}"
    body = {name: value for name, value in signer.items() if value}
    return read_json(gateway.change(path, lambda _: ("POST", f"{path}/signature", body)))


def withdraw(gateway: Gateway, trial: str, number: int) -> None:
    """Withdraw a proposal, or refuse to sign it.

    :raises CallError: when a call fails.
    """
    path = f"{_proposals(trial)}/{number}"
    gateway.change(path, lambda _: ("DELETE", path, None))


def print_proposals(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each proposal."""
    rows = [
        (
            str(one["number"]),
            one["at"][:10],
            _outcome(one),
            one["criteria"]["authored_by"],
            one["criteria"]["source_version"],
            "yours" if one["mine"] else "",
        )
        for one in items
    ]
    print_table(("NUMBER", "SINCE", "STATE", "AUTHOR", "PROTOCOL", ""), rows)


def print_proposal(one: Mapping[str, Any], language: str) -> None:
    """Print a proposal and the text of each of its criteria."""
    criteria = one["criteria"]
    print_fields(
        {
            "trial": one["trial"],
            "number": str(one["number"]),
            "state": _outcome(one),
            "since": one["at"][:10],
            "author": f"{criteria['authored_by']} ({one['author']})",
            "protocol": criteria["source_version"],
            "made from": "no criteria" if one["base"] is None else f"version {one['base']}",
            "ended by": one["ended_by"],
        }
    )
    rows = [(line["id"], line["kind"], (line.get("text") or {}).get(language) or "") for line in criteria["criteria"]]
    print_table(("CRITERION", "KIND", "TEXT"), rows)


def _outcome(one: Mapping[str, Any]) -> str:
    return f"{one['outcome']} {one['ended_at'][:10]}" if one["outcome"] else "waits for a second person"


def _proposals(trial: str) -> str:
    return f"{TRIALS}/{quote(trial, safe='')}/criteria/proposals"
