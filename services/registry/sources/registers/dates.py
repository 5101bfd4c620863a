"""Reads the dates that European registries write."""

import re
from datetime import date
from typing import Final

from services.registry.model.trial import ActualOrEstimated, Milestone
from services.registry.sources.reading import Section, escape

_ISO: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?(?:(?<=-[0-9]{2}-[0-9]{2})[T ].*)?")
_EUROPEAN: Final = re.compile(r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})/(?P<year>[0-9]{4})")


def partial_date(section: Section, key: str) -> str | None:
    """Return a date to the year, month or day; None if it is absent or, with a warning, malformed.

    Accepts ISO 8601, also with a time, which is left out, and DD/MM/YYYY.
    """
    written = section.line(key, 200)
    if written is None:
        return None
    if found := _EUROPEAN.fullmatch(written):
        parts = [found["year"], found["month"].zfill(2), found["day"].zfill(2)]
    elif found := _ISO.fullmatch(written):
        parts = [part for part in found.groups() if part is not None]
    else:
        parts = []
    if not parts or not _exists(*(int(part) for part in parts)):
        section.reader.warn(
            f"{section.pointer}/{escape(key)}",
            "date_form",
            "une date réelle s'écrit AAAA-MM-JJ ou JJ/MM/AAAA",
            "an existing date is written YYYY-MM-DD or DD/MM/YYYY",
        )
        return None
    return "-".join(parts)


def milestone(section: Section, key: str, kind: ActualOrEstimated | None = None) -> Milestone | None:
    """Return a date as a milestone. ``kind``: whether it has happened, where the source says so."""
    day = partial_date(section, key)
    return None if day is None else Milestone(date=day, type=kind)


def latest(*days: str | None) -> str | None:
    """Return the latest of some dates; None if there is none."""
    return max((day for day in days if day is not None), default=None)


def _exists(year: int, month: int = 1, day: int = 1) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
