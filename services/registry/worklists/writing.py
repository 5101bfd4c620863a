"""Worklists as CSV and as a calendar (RFC 5545). Pure."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from services.registry.worklists.schemas import Worklist, WorklistItem
from shared.values.csv_text import csv_text
from shared.values.language import Language

JSON: Final = "application/json"
CSV: Final = "text/csv"
CALENDAR: Final = "text/calendar"
_HEAD: Final[dict[Language, tuple[str, ...]]] = {
    "fr": ("nature", "libellé", "échéance", "en retard", "depuis", "objet", "essai", "centre", "nombre", "lien"),
    "en": ("kind", "label", "due", "overdue", "since", "subject", "trial", "centre", "count", "link"),
}
# Octets of a line without its end.
_LINE: Final = 75
_ESCAPED: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def as_csv(worklist: Worklist, language: Language) -> str:
    """Return a worklist as CSV (RFC 4180)."""
    return csv_text(
        _HEAD[language],
        (
            (
                one.kind, getattr(one.label, language), one.due, int(one.overdue), one.since, one.subject, one.trial,
                one.centre, one.count, one.links[0],
            )
            for one in worklist.items
        ),
    )  # fmt: skip


def as_calendar(worklist: Worklist, language: Language, base: str) -> str:
    """Return what has a day as all-day events. ``base``: the address before the paths.

    The id of an event follows from kind and subject: a calendar that reads again moves it and makes no second one.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//CLEIO//worklist//EN", "CALSCALE:GREGORIAN"]
    for item in worklist.items:
        if item.due is not None:
            lines += _event(item, language, base)
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in _folded(line))


def _event(item: WorklistItem, language: Language, base: str) -> list[str]:
    assert item.due is not None
    name = " ".join(filter(None, (getattr(item.label, language), item.subject.partition("/")[2], item.trial)))
    return [
        "BEGIN:VEVENT",
        f"UID:{item.kind}-{item.subject.replace('/', '-')}@cleio",
        f"DTSTAMP:{item.since:%Y%m%d}T000000Z",
        f"DTSTART;VALUE=DATE:{item.due:%Y%m%d}",
        f"DTEND;VALUE=DATE:{item.due + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{name.translate(_ESCAPED)}",
        f"URL:{base}{item.links[0]}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _folded(line: str) -> Iterator[str]:
    """Yield a line in parts of at most 75 octets; those after the first begin with a space. No letter is cut."""
    part, size = "", 0
    for letter in line:
        octets = len(letter.encode())
        if size + octets > _LINE:
            yield part
            part, size = " ", 1
        part, size = part + letter, size + octets
    yield part
