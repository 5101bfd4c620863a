"""The rows of a coverage as CSV."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from services.registry.coverage.schemas import CoverageRow
from shared.values.csv_text import csv_text
from shared.values.wire import write_instant

_COLUMNS: Final[dict[str, Callable[[CoverageRow], Any]]] = {
    "condition": lambda row: row.condition and row.condition.code,
    "condition_fr": lambda row: row.condition and row.condition.label.fr,
    "condition_en": lambda row: row.condition and row.condition.label.en,
    "departement": lambda row: row.departement and row.departement.code,
    "departement_name": lambda row: row.departement and row.departement.label.fr,
    "trials": lambda row: row.trials,
    "sites": lambda row: row.sites,
    "nearest_centre": lambda row: row.nearest and row.nearest.centre,
    "nearest_name": lambda row: row.nearest and row.nearest.name,
    "nearest_city": lambda row: row.nearest and row.nearest.city,
    "nearest_trial": lambda row: row.nearest and row.nearest.identifier,
    "confirmation": lambda row: row.nearest and row.nearest.confirmation,
    "confirmed_at": lambda row: (
        write_instant(row.nearest.confirmed_at) if row.nearest and row.nearest.confirmed_at else None
    ),
    "distance_km": lambda row: row.nearest and row.nearest.distance_km,
    "travel_mode": lambda row: row.nearest and row.nearest.travel.mode,
    "estimated_minutes": lambda row: row.nearest and row.nearest.travel.minutes,
    "population": lambda row: row.population,
    "within_two_hours": lambda row: row.within_two_hours,
    "within_hours": lambda row: row.within_hours,
}


def coverage_csv(rows: Iterable[CoverageRow]) -> str:
    """Return the rows as CSV: the whole of France first, then those that were asked for."""
    return csv_text(_COLUMNS, ([read(row) for read in _COLUMNS.values()] for row in rows))
