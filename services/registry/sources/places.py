"""Recognises countries and member centres by name.

The names are data: ``countries.json``, ``french_hospitals.json``.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

from services.registry.terminology.phrases import normalise
from services.registry.trials.places.model import CentreOf
from shared.vocabulary.geography import country_of

_PACKAGE: Final = "services.registry.sources"
# Words that may follow the name of a French city.
_CITY_NOISE: Final = frozenset(("cedex",))


def _packaged(name: str) -> Any:
    return json.loads((resources.files(_PACKAGE) / name).read_text(encoding="utf-8"))


@cache
def _countries() -> dict[str, str]:
    return {normalise(name): code for code, names in _packaged("countries.json")["countries"].items() for name in names}


def country_code(name: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code for a country's name or code; None if it is unknown."""
    known = _countries()
    code = known.get(normalise(name))
    if code is None and len(name) == 2 and name.upper() in set(known.values()):
        return name.upper()
    return code


@dataclass(frozen=True, slots=True)
class CentreRule:
    """Recognises a member centre by a phrase in the facility's name and by the city (normalised)."""

    centre: str
    cities: tuple[str, ...]
    phrases: tuple[str, ...]

    def matches(self, facility: str, city: str) -> bool:
        """Return whether the location is that centre's hospital."""
        place = " ".join(part for part in normalise(city).split() if part not in _CITY_NOISE and not part.isdigit())
        padded = f" {normalise(facility)} "
        return place in self.cities and any(f" {phrase} " in padded for phrase in self.phrases)


def centre_rules(centres: Iterable[tuple[str, str, str]]) -> tuple[CentreRule, ...]:
    """Return the rules for member centres given as (id, name, city).

    A centre whose name or city has the words of a known hospital gets that hospital's phrases and cities too.
    """
    hospitals = _packaged("french_hospitals.json")["hospitals"]
    rules = []
    for centre, name, city in centres:
        cities, phrases = {normalise(city)}, {normalise(name)}
        padded = f" {normalise(name)} {normalise(city)} "
        for hospital in hospitals:
            if any(f" {normalise(word)} " in padded for word in hospital["name_words"]):
                cities.update(normalise(place) for place in hospital["cities"])
                phrases.update(normalise(phrase) for phrase in hospital["phrases"])
        rules.append(CentreRule(centre, tuple(sorted(cities)), tuple(sorted(phrases))))
    return tuple(rules)


@lru_cache(maxsize=4)
def by_name(members: tuple[tuple[str, str, str], ...]) -> CentreOf:
    """Return which of these centres (id, name, city) a facility is by its name, as the readers find it."""
    rules = centre_rules(members)

    @lru_cache(maxsize=20_000)
    def centre_of(facility: str | None, city: str | None, country: str | None) -> str | None:
        return member_centre(facility, city, rules) if country_of(country or "") == "FR" else None

    return centre_of


def member_centre(facility: str | None, city: str | None, rules: Sequence[CentreRule]) -> str | None:
    """Return the member centre that a French location clearly is; None if it is none, or could be two."""
    if facility is None or city is None:
        return None
    found = {rule.centre for rule in rules if rule.matches(facility, city)}
    return found.pop() if len(found) == 1 else None
