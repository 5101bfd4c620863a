"""Country names to codes, and locations to member centres. The names are data: ``countries.json``, ``french_hospitals.json``."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from services.registry.terminology.phrases import normalise

_PACKAGE: Final = "services.registry.sources"
# What the fold of a French city name may carry besides the name itself.
_CITY_NOISE: Final = frozenset(("cedex",))


def _packaged(name: str) -> Any:
    return json.loads((resources.files(_PACKAGE) / name).read_text(encoding="utf-8"))


@cache
def _countries() -> dict[str, str]:
    return {normalise(name): code for code, names in _packaged("countries.json")["countries"].items() for name in names}


def country_code(name: str) -> str | None:
    """The ISO 3166-1 alpha-2 code of a country's name or of a code itself; None when it is not known."""
    known = _countries()
    code = known.get(normalise(name))
    if code is None and len(name) == 2 and name.upper() in set(known.values()):
        return name.upper()
    return code


@dataclass(frozen=True, slots=True)
class CentreRule:
    """How a registry's location shows a member centre: one of the phrases in the facility and one of the cities (all folded)."""

    centre: str
    cities: tuple[str, ...]
    phrases: tuple[str, ...]

    def holds(self, facility: str, city: str) -> bool:
        """Whether the location is that centre's hospital."""
        place = " ".join(part for part in normalise(city).split() if part not in _CITY_NOISE and not part.isdigit())
        padded = f" {normalise(facility)} "
        return place in self.cities and any(f" {phrase} " in padded for phrase in self.phrases)


def centre_rules(centres: Iterable[tuple[str, str, str]]) -> tuple[CentreRule, ...]:
    """The rules of member centres given as (id, name, city).

    A centre whose name or city bears the words of a known hospital gets that hospital's phrases and cities; its own full name always counts.
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


def member_centre(facility: str | None, city: str | None, rules: Sequence[CentreRule]) -> str | None:
    """The one member centre that a French location clearly is; None when it is none of them, or could be two."""
    if facility is None or city is None:
        return None
    found = {rule.centre for rule in rules if rule.holds(facility, city)}
    return found.pop() if len(found) == 1 else None
