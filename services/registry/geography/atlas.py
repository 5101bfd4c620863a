"""The geography in use: where départements, communes and postal codes are, and how many people live there. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from services.registry.geography.model import Commune, Departement, FoundPlace, NamedArea
from shared.vocabulary.text import fold

# The capitals of territories whose communes have no coordinates in the files (degrees).
_CAPITALS: Final = {
    "975": (46.78, -56.17),
    "977": (17.90, -62.85),
    "978": (18.07, -63.08),
    "986": (-13.28, -176.17),
    "987": (-17.54, -149.57),
    "988": (-22.27, 166.45),
}


class Atlas:
    """``version`` changes with the content. ``inhabited``: communes with inhabitants and their place in degrees."""

    def __init__(
        self, version: str, communes: Sequence[Commune], departements: Iterable[NamedArea], regions: Iterable[NamedArea]
    ) -> None:
        self.version = version
        names = {one.code: one for one in departements}
        self._regions = {one.code: one.name for one in regions}
        self.departements = self._of_departements(communes, names)
        self.inhabited = [
            (one.departement, one.population, one.place or self.departements[one.departement].place)
            for one in communes
            if one.population and not one.is_part and one.departement in self.departements
        ]
        self._by_postal_code: dict[str, list[Commune]] = defaultdict(list)
        self._by_name: dict[str, list[Commune]] = defaultdict(list)
        for one in communes:
            self._by_name[fold(one.name)].append(one)
            for code in one.postal_codes:
                self._by_postal_code[code].append(one)
        self._by_departement_name = {fold(one.name): one for one in self.departements.values()}

    def find(self, text: str) -> FoundPlace | None:
        """Return the place that a text names; None: there is none.

        A number of a département (its inhabitants' mean place), a postal code, a commune, also with its département
        (``Saint-Denis, 974``), or the name of a département. Of communes with one name, the one with most inhabitants.
        """
        typed = text.strip()
        if (area := self.departements.get(typed.upper())) is not None:
            return FoundPlace(f"{area.name} ({area.code})", *area.place)
        name, _, within = typed.rpartition(",") if "," in typed else (typed, "", "")
        found = self._by_postal_code.get(typed) or self._by_name.get(fold(name)) or []
        placed = [one for one in found if one.place and (not within or one.departement == within.strip().upper())]
        if placed:
            # A municipal arrondissement before its city, which has its postal code too.
            best = max(placed, key=lambda one: (one.is_part and typed in one.postal_codes, one.population))
            assert best.place is not None  # `placed`
            return FoundPlace(f"{best.name} ({best.departement})", *best.place)
        area = self._by_departement_name.get(fold(typed))
        return FoundPlace(f"{area.name} ({area.code})", *area.place) if area else None

    def _of_departements(self, communes: Iterable[Commune], names: Mapping[str, NamedArea]) -> dict[str, Departement]:
        """Return the départements and territories with inhabitants and a place, by code."""
        of_departement: dict[str, list[Commune]] = defaultdict(list)
        for one in communes:
            if not one.is_part:
                of_departement[one.departement].append(one)
        found = {}
        for code, members in sorted(of_departement.items()):
            place = _mean_place(members) or _CAPITALS.get(code)
            population = sum(one.population for one in members)
            if place and population:
                area = names.get(code)
                region = self._regions.get(area.region, "") if area else ""
                found[code] = Departement(code, area.name if area else code, region, population, place)
        return found


def _mean_place(communes: Iterable[Commune]) -> tuple[float, float] | None:
    """Return the mean of the places of communes, by inhabitants. (No French territory crosses the 180th meridian.)"""
    placed = [(one.population, one.place) for one in communes if one.place and one.population]
    total = sum(population for population, _ in placed)
    if not total:
        return None
    lat, lon = (sum(population * place[axis] for population, place in placed) / total for axis in (0, 1))
    return round(lat, 5), round(lon, 5)
