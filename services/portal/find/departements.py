"""The départements and territories of France, and what people type to name a place.

``departements.json``: number, name, and the mean place of the inhabitants, computed from the communes of INSEE and IGN
(Licence Ouverte 2.0), so that a distance is known where no geography is loaded.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

_CORSICA = {"0": "2A", "1": "2A", "2": "2B"}


@dataclass(frozen=True, slots=True)
class Departement:
    """A département or territory and the mean place of its inhabitants, in degrees."""

    code: str
    name: str
    lat: float
    lon: float

    @property
    def place(self) -> str:
        """Return the place as the API reads it."""
        return f"{self.lat},{self.lon}"


DEPARTEMENTS: dict[str, Departement] = {
    row["code"]: Departement(**row)
    for row in json.loads(Path(__file__).with_name("departements.json").read_text(encoding="utf-8"))
}


def departement_of(text: str) -> Departement | None:
    """Find the département that a number, a name, ``59 Nord`` or a postal code stands for."""
    words = _plain(text)
    number = words.split(" ")[0].upper()
    if re.fullmatch(r"\d{5}", number):
        number = _of_postal_code(number)
    found = DEPARTEMENTS.get(number.zfill(2))
    return found or _BY_NAME.get(words)


def places_of(text: str) -> list[str]:
    """Return how the API may be asked for a place, the most precise first: the next where it knows no communes."""
    found = departement_of(text)
    if found is None:
        return [text]
    return [text, found.place] if re.fullmatch(r"\d{5}", text) else [found.place]


def _of_postal_code(code: str) -> str:
    if code.startswith("20"):
        return _CORSICA.get(code[2], "2B")
    if code.startswith("97133"):
        return "977"
    if code.startswith("97150"):
        return "978"
    return code[:3] if code.startswith(("97", "98")) else code[:2]


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[^a-z0-9]+", " ", "".join(one for one in letters if not unicodedata.combining(one))).strip()


_BY_NAME = {_plain(one.name): one for one in DEPARTEMENTS.values()}
