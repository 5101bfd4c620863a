"""Read trials from the registry and show them as text."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.gateway import Gateway
from services.cli.match_words import WORDS
from services.cli.output import print_fields, print_message, print_table

TRIALS = "/registry/v1/trials"
CONFLICTS = "/registry/v1/conflicts"
SHOWN_VALUE = 40
_YES_NO = {"True": "yes", "False": "no"}
_PAID = ("travel_paid", "accommodation_paid", "companion_paid")


def read_trials(gateway: Gateway, filters: Mapping[str, str], limit: int) -> list[Any]:
    """Return up to ``limit`` trials, page by page.

    :raises CallError: when a call fails.
    """
    return gateway.first(limit, TRIALS, filters)


def read_conflicts(gateway: Gateway, limit: int) -> list[Any]:
    """Return up to ``limit`` open conflicts of all trials, page by page.

    :raises CallError: when a call fails.
    """
    return gateway.first(limit, CONFLICTS)


def read_trial(gateway: Gateway, identifier: str) -> Any:
    """Return a trial and its sites, as ``trial`` and ``sites``.

    :raises CallError: when a call fails.
    """
    path = f"{TRIALS}/{quote(identifier, safe='')}"
    return {"trial": gateway.read(path), "sites": gateway.read(f"{path}/sites")["items"]}


def read_part(gateway: Gateway, identifier: str, part: str) -> Any:
    """Return a part of a trial: ``provenance``, ``statements``, ``conflicts`` or ``sites/<centre>/history``.

    :raises CallError: when a call fails.
    """
    return gateway.read(f"{TRIALS}/{quote(identifier, safe='')}/{part}")


def print_origins(items: Sequence[Mapping[str, Any]]) -> None:
    """Print where the fields of a trial come from."""
    rows = [
        (
            one["path"],
            one["source"],
            one["source_id"] or (f"statement {one['statement']}" if one["statement"] else ""),
            one["dated"] or "",
            one["author"] or "",
        )
        for one in items
    ]
    print_table(("FIELD", "SOURCE", "RECORD", "DATE", "AUTHOR"), rows)


def print_site_history(items: Sequence[Mapping[str, Any]]) -> None:
    """Print the versions of a site."""
    rows = [
        (
            str(one["version"]),
            one["at"][:10],
            one["by"],
            one["after"]["status"],
            one["after"]["declared_status"] or "",
            one["after"]["source_status"] or "",
            (one["after"]["confirmed_at"] or "")[:10],
            one["author"] or "",
        )
        for one in items
    ]
    print_table(("VERSION", "DATE", "BY", "STATUS", "DECLARED", "SOURCES", "CONFIRMED", "AUTHOR"), rows)


def print_statements(items: Sequence[Mapping[str, Any]]) -> None:
    """Print what people state of a trial."""
    rows = [
        (
            str(one["number"]),
            one["path"],
            short(one["value"]),
            one["at"][:10],
            one["author"],
            f"withdrawn {one['withdrawn_at'][:10]}" if one["withdrawn_at"] else "",
            one["reason"] or "",
        )
        for one in items
    ]
    print_table(("NUMBER", "FIELD", "VALUE", "DATE", "AUTHOR", "STATE", "REASON"), rows)


def print_conflicts(items: Sequence[Mapping[str, Any]], language: str) -> None:
    """Print conflicts, and what settles each kind of them."""
    rows = [
        (
            one["trial"],
            one["path"],
            one["kind"],
            short(one["used"]),
            short(one["other"]),
            one["source"],
            one["since"][:10],
        )
        for one in items
    ]
    print_table(("NUMBER", "FIELD", "KIND", "USED", "OTHER", "BY", "SINCE"), rows)
    for kind, text in {one["kind"]: one["to_do"][language] for one in items}.items():
        print_message(f"{kind}: {text}")


def short(value: Any) -> str:
    """Return a value on one short line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_VALUE else f"{line[: SHOWN_VALUE - 1]}…"


def print_trials(trials: Sequence[Mapping[str, Any]], language: str) -> None:
    """Print a line for each trial; on a terminal long titles wrap."""
    rows: list[tuple[str, ...]]
    rows = [(trial["identifier"], trial["status"], trial["phase"] or "", _title(trial, language)) for trial in trials]
    head: tuple[str, ...] = ("NUMBER", "STATUS", "PHASE", "TITLE")
    if any("nearest" in trial for trial in trials):
        head = ("NUMBER", "STATUS", "PHASE", "NEAREST", "TITLE")
        rows = [(*row[:3], _nearest(trial), row[3]) for row, trial in zip(rows, trials, strict=True)]
    if not sys.stdout.isatty():
        print_table(head, rows)
        return
    table = Table(box=None, pad_edge=False)
    for name in head:
        table.add_column(name, no_wrap=name != "TITLE")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def _nearest(trial: Mapping[str, Any]) -> str:
    site = trial["nearest"]
    return f"{site['city']} {site['distance_km']:.0f} km" if site else ""


def print_trial(document: Mapping[str, Any], language: str) -> None:
    """Print the main fields of a trial and its sites."""
    trial, words = document["trial"], WORDS[language]
    product, sponsor, enrolment = trial["product"] or {}, trial["sponsor"] or {}, trial["enrolment"] or {}
    print_fields(
        {
            "number": trial["identifier"],
            "other numbers": [
                trial["id"],
                *(one["value"] for one in trial["identifiers"] if one["value"] != trial["identifier"]),
            ],
            "title": _title(trial, language),
            "fictitious": "yes, for demonstration" if trial["illustrative"] else None,
            "status": trial["status"],
            "phase": trial["phase"],
            "sponsor": sponsor.get("name"),
            "product": product.get("name"),
            "class": product.get("atmp_class"),
            "conditions": [
                f"{one['text']} ({one['code']})" if one["code"] else one["text"] for one in trial["conditions"]
            ]
            or None,
            "countries": trial["countries"] or None,
            "enrolment": enrolment.get("count"),
            **_taking_part(trial.get("participation") or {}),
            "criteria": _criteria(trial["criteria"]) if trial["criteria"] else None,
            "updated": trial["updated_at"],
            "version": trial["version"],
        }
    )
    if document["sites"]:
        print_table(
            ("SITE", "STATUS", "CONFIRMED"),
            [
                (
                    site["centre"],
                    site["status"],
                    (site["confirmed_at"] or "")[:10] + (f" ({words['unconfirmed']})" if site["stale"] else ""),
                )
                for site in document["sites"]
            ],
        )


def _taking_part(said: Mapping[str, Any]) -> dict[str, Any]:
    # A registry of an earlier version does not say what taking part involves.
    paid = {name.removesuffix("_paid"): said[name] for name in _PAID if said.get(name) is not None}
    return {
        "visits year 1": said.get("visits_first_year"),
        "nights": said.get("hospital_nights"),
        "remote visits": _YES_NO.get(str(said.get("remote_visits"))),
        "duration": said.get("duration"),
        "follow-up": said.get("follow_up"),
        "paid": [name for name, is_paid in paid.items() if is_paid] or None,
        "not paid": [name for name, is_paid in paid.items() if not is_paid] or None,
    }


def _criteria(head: Mapping[str, Any]) -> str:
    # A registry of an earlier version does not say who signed.
    return f"version {head['version']}, {head['grade']}" + (", illustrative" if head.get("illustrative") else "")


def _title(trial: Mapping[str, Any], language: str) -> str:
    titles = trial["titles"]
    return titles[language] or titles["fr"] or titles["en"] or trial["acronym"] or ""
