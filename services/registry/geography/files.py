"""Reads the files of a geography: communes (CSV), départements and regions (JSON). Pure."""

import csv
import json
import re
from collections.abc import Container, Sequence
from typing import Any, Final

from services.registry.geography.model import Commune, Kind, NamedArea
from shared.vocabulary.geography import DEPARTEMENT_PATTERN

Rows = Sequence[Commune] | Sequence[NamedArea]
COLUMNS: Final = (
    "code_insee", "nom", "type", "departement", "region", "population", "codes_postaux", "lat", "lon",
)  # fmt: skip
MOST_ROWS: Final = 100_000
# The Austral lands and Clipperton have no permanent inhabitants.
_EMPTY: Final = frozenset({"984", "989"})
_DEPARTEMENT: Final = re.compile(DEPARTEMENT_PATTERN)


class UnreadableGeographyError(ValueError):
    """A file is none of the known ones, or a line of it is wrong. The text says which."""


def read_geography(text: str) -> tuple[Kind, Rows]:
    """Return what a file describes, and its places.

    :raises UnreadableGeographyError: it is none of the known files, or a line of it is wrong.
    """
    head = text[:400].lstrip("\ufeff \r\n\t")
    if head.startswith("["):
        return _read_areas(text)
    if set(COLUMNS) <= set(head.partition("\n")[0].strip().split(",")):
        return "communes", _read_communes(text)
    raise UnreadableGeographyError(
        f"neither a CSV of communes with the columns {','.join(COLUMNS)} nor a JSON list of départements or regions"
    )


def _read_communes(text: str) -> list[Commune]:
    found: dict[str, Commune] = {}
    lines = text.lstrip("\ufeff").splitlines()
    if len(lines) > MOST_ROWS:
        raise UnreadableGeographyError(f"more than {MOST_ROWS} lines")
    reader = csv.DictReader(lines, strict=True)
    try:
        for row in reader:
            one = _commune(row, found)
            found[one.code] = one
    except (ValueError, TypeError, AttributeError, csv.Error) as error:
        raise UnreadableGeographyError(f"line {reader.line_num}: {error}") from None
    if not any(one.population and one.place for one in found.values()):
        raise UnreadableGeographyError("no commune with a population and coordinates")
    return list(found.values())


def _commune(row: dict[str, str], before: Container[str]) -> Commune:
    """:raises ValueError: a value is wrong, or a row ``before`` has the same code."""
    if row["code_insee"] in before:
        raise ValueError(f"code_insee {row['code_insee']} is there twice")
    if not row["code_insee"] or not row["nom"]:
        raise ValueError("code_insee and nom are required")
    if row["departement"] not in _EMPTY and not _DEPARTEMENT.fullmatch(row["departement"]):
        raise ValueError("departement: a number such as 59, 2A or 971 is required")
    population = int(row["population"] or 0)
    if not 0 <= population < 10**8:
        raise ValueError("population: a number of inhabitants is required")
    place = (float(row["lat"]), float(row["lon"])) if row["lat"] and row["lon"] else None
    if place and not (-90 <= place[0] <= 90 and -180 <= place[1] <= 180):
        raise ValueError("lat, lon: degrees are required")
    return Commune(
        row["code_insee"],
        row["nom"],
        row["departement"],
        population,
        tuple(code for code in row["codes_postaux"].split("|") if code),
        place,
        is_part=row["type"] == "arrondissement-municipal",
    )


def _read_areas(text: str) -> tuple[Kind, list[NamedArea]]:
    """Return départements, which name their region, or regions, which do not."""
    try:
        rows: list[dict[str, Any]] = json.loads(text)
        is_departements = any("region" in row for row in rows)
        found = [NamedArea(_text(row, "code"), _text(row, "nom"), row.get("region", row["code"])) for row in rows]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableGeographyError(f"a list of objects with code and nom is required ({error})") from None
    if not found or len(found) > MOST_ROWS:
        raise UnreadableGeographyError("the list is empty or too long")
    return "departements" if is_departements else "regions", found


def _text(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name}: a text is required")
    return value
