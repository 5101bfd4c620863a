"""How dates, numbers, distances and codes are written in a language."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.portal.pages.codes import WORDS
from services.portal.pages.days import in_paris
from shared.values.language import Language
from shared.values.wire import Label

_MONTHS = {
    "fr": [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
# Narrow no-break space of French thousands.
_THIN = "\u202f"


@dataclass(frozen=True, slots=True)
class Formats:
    """The formats of one language."""

    language: Language

    def day(self, value: str | date | None) -> str:
        """Write a day, a month or a year: ``2026-04-01``, ``2026-04`` or ``2026``; an instant by its day in Paris."""
        if value is None or value == "":
            return ""
        text = value if isinstance(value, str) else value.isoformat()
        if "T" in text:
            text = in_paris(text).date().isoformat()
        year, month, day = [*text.split("-"), "", ""][:3]
        if not month:
            return year
        name = _MONTHS[self.language][int(month) - 1]
        if not day:
            return f"{name} {year}"
        number = "1er" if self.language == "fr" and int(day) == 1 else str(int(day))
        return f"{number} {name} {year}"

    def moment(self, instant: str) -> str:
        """Write an instant by its day and time in Paris."""
        return f"{self.day(instant)}, {in_paris(instant):%H:%M} (Paris)"

    def number(self, value: float) -> str:
        """Write a number with separators of thousands, with at most one decimal."""
        text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
        if self.language == "fr":
            return text.replace(",", _THIN).replace(".", ",")
        return text

    def word(self, group: str, code: str | None) -> str:
        """Write a code in words; a code without words as it is."""
        if not code:
            return ""
        pair = WORDS.get(group, {}).get(code)
        return pair[0 if self.language == "fr" else 1] if pair else code.replace("_", " ")

    def label(self, texts: Label | Mapping[str, Any] | str | None) -> str:
        """Choose from ``{"fr": …, "en": …}``; the other language where this one is missing."""
        if texts is None:
            return ""
        if isinstance(texts, str):
            return texts
        if isinstance(texts, Label):
            return str(getattr(texts, self.language))
        return str(texts.get(self.language) or texts.get("fr") or texts.get("en") or "")

    def listed(self, items: Iterable[str]) -> str:
        """Write a list: ``a, b et c``."""
        *first, last = [*items] or [""]
        conjunction = "et" if self.language == "fr" else "and"
        return f"{', '.join(first)} {conjunction} {last}" if first else last

    @staticmethod
    def sorting(text: str) -> str:
        """Return a key that sorts names without regard to accents and capital letters."""
        letters = unicodedata.normalize("NFKD", text.casefold())
        return "".join(one for one in letters if not unicodedata.combining(one))

    @property
    def colon(self) -> str:
        """What stands between a name and what is said of it."""
        return " : " if self.language == "fr" else ": "

    def quoted(self, text: str) -> str:
        """Put a text into quotation marks."""
        return f"« {text} »" if self.language == "fr" else f"“{text}”"

    def plural(self, count: int, one: str, many: str) -> str:
        """Choose the singular or plural: French has the singular for 0 and 1."""
        return one if count == 1 or (self.language == "fr" and count == 0) else many
