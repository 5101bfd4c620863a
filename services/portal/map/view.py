"""What the map shows, from the answers of the API. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from services.portal.map.reading import Found, Json, Network
from services.portal.pages.formats import Formats
from services.portal.pictures.france import AROUND_PARIS, FRAMES, HEIGHT, PARIS, WIDTH, Frame, outlines, place

# The last minute of each class of travel time but the last; class 0: there is no open site.
BOUNDS = (60, 120, 240)
LEVELS = (1, 2, 3, 4, 0)
# Width and height of the name of a city, in units of the picture.
_NAME, _LINE = 280, 50
# Estimates are shown in steps of so many minutes.
_STEP = 10
# Per centre, the open site of each trial by the id of the trial.
Recruiting = Mapping[str, Mapping[str, Json]]


@dataclass(frozen=True, slots=True)
class Row:
    """A département or territory. ``level``: class of its travel time, 0 to 4. ``share``: within two hours, in %."""

    code: str
    name: str
    level: int
    time: str
    mode: str
    nearest: str
    city: str
    share: int

    @property
    def text(self) -> str:
        """Return the row in words, for the outline."""
        return ", ".join(word for word in (f"{self.name} ({self.code})", self.time, self.city) if word)


@dataclass(frozen=True, slots=True)
class Area:
    """An outline on the map: its path and what it means."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Symbol:
    """A city with centres. ``target``: id of the first of them. ``trials``: that recruit there for the disease.

    ``side``: where the name is written, so that no other symbol is under it.
    """

    x: int
    y: int
    city: str
    centres: tuple[str, ...]
    target: str
    trials: int
    side: Literal["right", "left", "above"] = "right"


@dataclass(frozen=True, slots=True)
class CentreRow:
    """A centre in the table.

    ``able``: names of its valid capabilities. ``trials``: that recruit there. ``places``: that its sites of them
    declare open; None: no site declares any.
    """

    id: str
    name: str
    city: str
    departement: str
    populations: tuple[str, ...]
    able: tuple[str, ...]
    trials: int
    places: int | None


@dataclass(frozen=True, slots=True)
class MapView:
    """The map, and all that is written beside it. ``disease``: name; empty: none. ``share``: of France, in %."""

    disease: str
    code: str
    share: int
    sites: int
    trials: int
    areas: Mapping[int, list[Area]]
    around_paris: Mapping[int, list[Area]]
    levels: Mapping[int, int]
    rows: list[Row]
    territories: list[Row]
    symbols: list[Symbol]
    centres: list[CentreRow]
    method: str
    diseases: list[tuple[str, str, int]]
    alike: list[tuple[str, str]]
    names: list[str]
    land: list[str]
    frames: Mapping[str, Frame]
    paris: Frame
    size: tuple[int, int]


def map_view(found: Found, formats: Formats) -> MapView:
    """Return what the page shows."""
    coverage = found.coverage
    condition = coverage["france"]["condition"] if coverage else None
    rows = [row_of(one, formats) for one in coverage["items"]] if coverage and condition else []
    drawn = outlines()
    recruiting: dict[str, dict[str, Json]] = defaultdict(dict)
    for trial in found.trials:
        for site in trial["sites"]:
            if site["status"] == "recruiting":
                recruiting[site["centre"]][trial["id"]] = site
    france = coverage["france"] if coverage and condition else {}
    return MapView(
        disease=formats.label(condition["label"]) or condition["code"] if condition else "",
        code=condition["code"] if condition else "",
        share=percent(france.get("within_two_hours", 0)),
        sites=france.get("sites", 0),
        trials=france.get("trials", 0),
        areas=areas_of(rows, drawn.departements),
        around_paris=areas_of((row for row in rows if row.code in PARIS), drawn.around_paris),
        levels=Counter(row.level for row in rows),
        rows=rows,
        territories=[row for row in rows if row.code not in drawn.departements],
        symbols=symbols_of(found.network.centres, recruiting),
        centres=[centre_row(one, found.network, recruiting, formats) for one in found.network.centres],
        method=formats.label(coverage["method"]) if coverage else "",
        diseases=diseases_of(coverage["items"], formats) if coverage and not condition else [],
        alike=[(one["value"], formats.label(one["label"])) for one in found.alike],
        names=sorted({formats.label(one["label"]) for one in found.network.diseases} - {""}),
        land=[drawn.mainland, *(drawn.departements[code] for code in FRAMES)],
        frames=FRAMES,
        paris=AROUND_PARIS,
        size=(WIDTH, HEIGHT),
    )


def row_of(row: Json, formats: Formats) -> Row:
    """Return a row of the coverage as the page shows it."""
    nearest = row["nearest"]
    minutes = nearest["travel"]["minutes"] if nearest else None
    return Row(
        code=row["departement"]["code"],
        name=formats.label(row["departement"]["label"]),
        level=level_of(minutes),
        time=duration(minutes),
        mode=nearest["travel"]["mode"] if nearest else "",
        nearest=nearest["name"] if nearest else "",
        city=nearest["city"] if nearest else "",
        share=percent(row["within_two_hours"]),
    )


def level_of(minutes: int | None) -> int:
    """Return the class of a travel time: 1 the shortest, 4 the longest, 0 where no site is open."""
    return 0 if minutes is None else 1 + sum(minutes > bound for bound in BOUNDS)


def duration(minutes: int | None) -> str:
    """Write an estimated time in hours and tens of minutes: ``40 min``, ``4 h``, ``4 h 10``."""
    if minutes is None:
        return ""
    hours, rest = divmod(max(_STEP, round(minutes / _STEP) * _STEP), 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest:02}" if rest else f"{hours} h"


def percent(share: float) -> int:
    """Return a share in whole percent; more than none is at least 1, less than all at most 99."""
    return min(99, max(1, round(share * 100))) if 0 < share < 1 else round(share * 100)


def areas_of(rows: Iterable[Row], paths: Mapping[str, str]) -> dict[int, list[Area]]:
    """Return the outlines by class of travel time."""
    found: dict[int, list[Area]] = defaultdict(list)
    for row in rows:
        if row.code in paths:
            found[row.level].append(Area(paths[row.code], row.text))
    return dict(found)


def symbols_of(centres: Iterable[Json], recruiting: Recruiting) -> list[Symbol]:
    """Return a symbol for each city, from north to south."""
    cities: dict[tuple[str, str], list[Json]] = defaultdict(list)
    for centre in centres:
        cities[centre["departement"], centre["city"]].append(centre)
    found = []
    for (departement, city), here in cities.items():
        at = place(departement, here[0]["lat"], here[0]["lon"])
        if at is not None:
            names = tuple(one["name"] for one in here)
            trials = len({trial for one in here for trial in recruiting.get(one["id"], ())})
            found.append(Symbol(*at, city, names, here[0]["id"], trials))
    return [replace(one, side=side_of(one, found)) for one in sorted(found, key=lambda one: one.y)]


def side_of(symbol: Symbol, others: Iterable[Symbol]) -> Literal["right", "left", "above"]:
    """Return the first side on which there is room for the name of a city."""
    beside = [one.x - symbol.x for one in others if one is not symbol and abs(one.y - symbol.y) < _LINE]
    if symbol.x > WIDTH - _NAME:
        return "above"
    if not any(0 <= distance < _NAME for distance in beside):
        return "right"
    return "above" if any(-_NAME < distance < 0 for distance in beside) else "left"


def centre_row(centre: Json, network: Network, recruiting: Recruiting, formats: Formats) -> CentreRow:
    """Return a centre as the table shows it."""
    here = recruiting.get(centre["id"], {})
    valid = [one["code"] for one in network.capabilities[centre["id"]] if one["state"] in {"valid", "expiring"}]
    return CentreRow(
        id=centre["id"],
        name=centre["name"],
        city=centre["city"],
        departement=centre["departement"],
        populations=tuple(centre["populations"]),
        able=tuple(dict.fromkeys(formats.label(network.words.get(code, code)) for code in valid)),
        trials=len(here),
        places=places_of(here.values()),
    )


def places_of(sites: Iterable[Json]) -> int | None:
    """Return the places that sites declare open in all; None: none of them declares a number."""
    declared = [slot["open"] for site in sites for slot in site.get("slots") or ()]
    return sum(declared) if declared else None


def diseases_of(rows: Iterable[Json], formats: Formats) -> list[tuple[str, str, int]]:
    """Return code, name and share within two hours in % of the diseases with an open site, by name."""
    named = [
        (row["condition"]["code"], formats.label(row["condition"]["label"]), percent(row["within_two_hours"]))
        for row in rows
        if row["sites"]
    ]
    return sorted(named, key=lambda one: one[1].casefold())


def bounds_in_words(formats: Formats) -> dict[int, str]:
    """Return the classes of travel time in words."""
    is_french = formats.language == "fr"
    first, last = duration(BOUNDS[0]), duration(BOUNDS[-1])
    between = {
        level: f"{'de' if is_french else ''} {duration(low)} {'à' if is_french else 'to'} {duration(high)}".strip()
        for level, (low, high) in enumerate(pairwise(BOUNDS), start=2)
    }
    return {
        1: f"{'au plus' if is_french else 'at most'} {first}",
        **between,
        len(BOUNDS) + 1: f"{'plus de' if is_french else 'more than'} {last}",
        0: "aucun centre ouvert" if is_french else "no open centre",
    }
