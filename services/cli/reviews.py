"""Read the review queue and decide on what is in it."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

from services.cli.gateway import MAX_PAGE, Gateway, read_json
from services.cli.output import print_fields, print_message, print_table

REVIEWS = "/registry/v1/reviews"


def read_reviews(gateway: Gateway, filters: Mapping[str, str], limit: int) -> Any:
    """Return up to ``limit`` items, page by page, as ``items``, and the ``counts`` by kind.

    :raises CallError: when a call fails.
    """
    query = {**filters, "limit": str(min(limit, MAX_PAGE))}
    page = gateway.read(REVIEWS, query)
    items, counts = page["items"], page["counts"]
    while page["next"] and len(items) < limit:
        page = gateway.read(REVIEWS, {**query, "cursor": page["next"]})
        items += page["items"]
    return {"items": list(islice(items, limit)), "counts": counts}


def read_review(gateway: Gateway, item: str) -> Any:
    """Return an item.

    :raises CallError: when the call fails.
    """
    return gateway.read(_path(item))


def act(gateway: Gateway, item: str, action: str, body: Any = None) -> Any:
    """Claim an item, decide on it or undo a decision (``claim``, ``decide``, ``undo``). Return the item.

    :raises CallError: when the call fails.
    """
    return read_json(gateway.send("POST", f"{_path(item)}/{action}", body=body))


def release(gateway: Gateway, item: str) -> None:
    """Release an item.

    :raises CallError: when the call fails.
    """
    gateway.send("DELETE", f"{_path(item)}/claim")


def print_reviews(found: Mapping[str, Any], language: str) -> None:
    """Print a line for each item, and how many there are of each kind."""
    rows = [
        (
            one["id"],
            one["since"][:10],
            _subject(one)["numbers"][0],
            one["claimed_by"] or "",
            _title(one, language),
        )
        for one in found["items"]
    ]
    print_table(("ITEM", "SINCE", "NUMBER", "CLAIMED BY", "TITLE"), rows)
    print_message(", ".join(f"{count} {kind}" for kind, count in found["counts"].items()))


def print_review(one: Mapping[str, Any], language: str) -> None:
    """Print an item: what it is about, why it waits, what can be decided and what was decided."""
    subject, conflict = _subject(one), one["conflict"] or {}
    print_fields(
        {
            "item": one["id"],
            "since": one["since"] or "nothing is to be decided",
            "numbers": subject["numbers"],
            "title": _title(one, language),
            "published": None if one["trial"] is None else "yes" if one["trial"]["published"] else "no",
            "shares with": one["record"]["shares_with"] if one["record"] else None,
            "field": conflict.get("path"),
            "used": conflict.get("used"),
            "other": f"{conflict['other']} ({conflict['source']})" if conflict else None,
            "claimed by": one["claimed_by"],
        }
    )
    _print_lines("reason", [f"{reason['pointer']} {reason['detail'][language]}" for reason in one["reasons"]])
    _print_lines("answer", [f"{choice['answer']}: {choice['effect'][language]}" for choice in one["choices"]])
    _print_lines("decided", [_decision(decision) for decision in one["decisions"]])


def _print_lines(name: str, lines: Sequence[str]) -> None:
    for line in lines:
        print_fields({name: line})


def _decision(one: Mapping[str, Any]) -> str:
    undone = f", undone {one['withdrawn_at'][:10]}" if one["withdrawn_at"] else ""
    return f"{one['answer']}, {one['at'][:10]}, {one['author']}{undone}: {one['reason']}"


def _subject(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the trial or the record of an item."""
    found: Mapping[str, Any] = one["trial"] or one["record"]
    return found


def _title(one: Mapping[str, Any], language: str) -> str:
    titles = _subject(one)["titles"]
    return titles[language] or titles["fr"] or titles["en"] or ""


def _path(item: str) -> str:
    return f"{REVIEWS}/{quote(item, safe=':')}"
