"""What a visitor searches for: read from the address of the page, written for the API and for other addresses."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from starlette.datastructures import QueryParams

from services.portal.find.departements import DEPARTEMENTS
from services.portal.pages.codes import WORDS

# Where a trial recruits: to choose a place is to ask for open trials.
PLACES = ("region", "departement")
GROUPS = ("status", *PLACES, "condition", "atmp_class", "phase", "centre")
_CODED = ("status", "atmp_class", "phase")
RADII = ("50", "100", "200", "500")
SORTS = ("relevance", "distance", "start")
UNITS = {"years": "Y", "months": "M"}
PAGE = 20
MAX_TEXT = 200
MAX_PLACE = 100


@dataclass(frozen=True, slots=True)
class Search:
    """A search. ``choices``: the chosen values of each group of filters. Empty: not asked for."""

    text: str = ""
    choices: Mapping[str, tuple[str, ...]] | None = None
    is_open: bool = False
    age: str = ""
    unit: str = "years"
    near: str = ""
    radius: str = ""
    sort: str = ""
    cursor: str = ""

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """Read the query of an address. Values that no filter has are left out."""
        return cls(
            text=query.get("q", "").strip()[:MAX_TEXT],
            choices={group: _chosen(group, query.getlist(group)) for group in GROUPS},
            is_open=query.get("open") == "true",
            age=query.get("age", "").strip()[:5],
            unit=_one_of(query.get("unit"), tuple(UNITS), "years"),
            near=query.get("near", "").strip()[:MAX_PLACE],
            radius=_one_of(query.get("radius"), RADII),
            sort=_one_of(query.get("sort"), SORTS),
            cursor=query.get("cursor", "")[:1024],
        )

    @property
    def has_wrong_age(self) -> bool:
        """Return whether the age is no whole number of years or months that a person can have."""
        most = 120 if self.unit == "years" else 1440
        return bool(self.age) and not (self.age.isascii() and self.age.isdecimal() and int(self.age) <= most)

    @property
    def has_filters(self) -> bool:
        """Return whether trials are left out for anything but the text: a place alone leaves none out."""
        return self.is_open or bool(self.age or (self.near and self.radius) or any((self.choices or {}).values()))

    def chosen(self, group: str) -> tuple[str, ...]:
        """Return the chosen values of a group of filters."""
        return (self.choices or {}).get(group, ())

    def without(self, *groups: str) -> Self:
        """Return the search without the choices of some groups, from its first page on."""
        kept = {group: values for group, values in (self.choices or {}).items() if group not in groups}
        return replace(self, choices=kept, cursor="")

    def parameters(self, near: str | None) -> dict[str, Any]:
        """Return the parameters for the API. ``near``: the place as the API reads it; None: no place."""
        age = f"P{self.age}{UNITS[self.unit]}" if self.age and not self.has_wrong_age else ""
        return {
            "q": self.text,
            **{group: ",".join(self.chosen(group)) for group in GROUPS},
            "open": "true" if self.is_open or any(map(self.chosen, PLACES)) else "",
            "age": age,
            "near": near,
            "radius": self.radius if near else "",
            "sort": self.sort if near or self.sort != "distance" else "",
        }

    def query(self) -> dict[str, Any]:
        """Return the parameters of the page with this search."""
        return {
            "q": self.text,
            **{group: list(self.chosen(group)) for group in GROUPS},
            "open": "true" if self.is_open else "",
            "age": self.age,
            "unit": self.unit if self.age and self.unit != "years" else "",
            "near": self.near,
            "radius": self.radius,
            "sort": self.sort,
        }


def _one_of(value: str | None, known: tuple[str, ...], otherwise: str = "") -> str:
    return value if value in known else otherwise


def _chosen(group: str, values: list[str]) -> tuple[str, ...]:
    given = [one.strip()[:64] for value in values for one in value.split(",")]
    known = DEPARTEMENTS if group == "departement" else WORDS[group] if group in _CODED else given
    kept = [one for one in given if one and one in known]
    return tuple(dict.fromkeys(kept))[:20]
