"""Ages: bands (ICH E11) to a lowest and a highest age, and ages in words."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from services.registry.sources.reading import Section, escape


class Band(NamedTuple):
    """An age band: its lowest and highest age as ISO 8601 durations. None: no limit on that side."""

    order: int
    lowest: str | None
    highest: str | None


IN_UTERO: Final = Band(0, None, "P0D")
# By the age after birth. The end of a preterm birth is that of the newborn.
PRETERM: Final = Band(1, None, "P27D")
NEWBORN: Final = Band(2, None, "P27D")
INFANT: Final = Band(3, "P28D", "P23M")
CHILD: Final = Band(4, "P2Y", "P11Y")
ADOLESCENT: Final = Band(5, "P12Y", "P17Y")
MINOR: Final = Band(5, None, "P17Y")
ADULT: Final = Band(6, "P18Y", "P64Y")
ELDERLY: Final = Band(8, "P65Y", None)
UNTIL_84: Final = Band(7, "P65Y", "P84Y")
FROM_85: Final = Band(8, "P85Y", None)

_UNITS: Final = {
    "year": "Y",
    "an": "Y",
    "month": "M",
    "mois": "M",
    "week": "W",
    "semaine": "W",
    "day": "D",
    "jour": "D",
}
_AGE: Final = re.compile(r"([0-9]{1,3})\s*(year|month|week|day|an|mois|semaine|jour)s?", re.IGNORECASE)


def age_limits(bands: Iterable[Band]) -> tuple[str | None, str | None]:
    """Return the lowest and the highest age of some bands; (None, None) for none."""
    given = list(bands)
    if not given:
        return None, None
    # The minors as one band begin at birth.
    lowest = min(given, key=lambda band: -1 if band is MINOR else band.order)
    return lowest.lowest, max(given, key=lambda band: band.order).highest


def age_in_words(section: Section, key: str) -> str | None:
    """Return an age ("2 Days") as an ISO 8601 duration; None if it is absent or, with a warning, malformed."""
    written = section.line(key, 200)
    if written is None:
        return None
    found = _AGE.fullmatch(written)
    if found is None:
        section.reader.warn(
            f"{section.pointer}/{escape(key)}",
            "age_form",
            "un âge est un nombre suivi d'une unité",
            "an age is a number and a unit",
        )
        return None
    return f"P{int(found[1])}{_UNITS[found[2].lower()]}"
