"""Read and correct the table of facility texts and the places that they are."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from services.cli.gateway import Gateway, read_json
from services.cli.output import print_fields, print_table

PLACES = "/registry/v1/places"


def read_places(gateway: Gateway, filters: Mapping[str, str], limit: int, *, unmatched: bool) -> list[Any]:
    """Return up to ``limit`` assignments, or facility texts that are no place yet.

    :raises CallError: when a call fails.
    """
    path = f"{PLACES}/unmatched" if unmatched else PLACES
    return gateway.first(limit, path, filters)


def assign(gateway: Gateway, given: Mapping[str, Any]) -> Any:
    """Say which place a facility text is. Return the assignment.

    :raises CallError: when the call fails.
    """
    return read_json(gateway.send("POST", PLACES, body=given))


def withdraw(gateway: Gateway, key: str) -> Any:
    """Withdraw what is said of a facility text. Return the assignment.

    :raises CallError: when the call fails.
    """
    return read_json(gateway.send("DELETE", f"{PLACES}/{quote(key, safe='')}", headers={"If-Match": "*"}))


def print_unmatched(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each facility text."""
    rows = [(one["key"], str(one["trials"]), one["country"] or "", one["city"] or "", one["facility"]) for one in items]
    print_table(("KEY", "TRIALS", "COUNTRY", "CITY", "FACILITY"), rows)


def print_places(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each assignment."""
    rows = [
        (
            one["key"],
            one["place"] or one["kind"],
            one["at"][:10],
            one["author"],
            f"withdrawn {one['withdrawn_at'][:10]}" if one["withdrawn_at"] else "",
            one["city"] or "",
            one["facility"],
            one["reason"],
        )
        for one in items
    ]
    print_table(("KEY", "PLACE", "DATE", "AUTHOR", "STATE", "CITY", "FACILITY", "REASON"), rows)


def print_place(one: Mapping[str, Any]) -> None:
    """Print an assignment."""
    print_fields(
        {
            "key": one["key"],
            "facility": one["facility"],
            "city": one["city"],
            "place": one["place"] or "none of ours",
            "reason": one["reason"],
            "author": one["author"],
            "withdrawn": one["withdrawn_at"],
        }
    )
