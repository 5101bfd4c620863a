"""The report in words. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
PLOTS = ("institutions", "access", "access_in_vivo", "access_ex_vivo")
# Whose report each kind of organisation reads; the first is shown at first.
_VIEWS: Mapping[str, Sequence[str]] = {
    "coordination": ("network", "centre", "fcrin"),
    "authority": ("network", "fcrin"),
    "centre": ("centre", "network"),
}


def views_of(kind: str) -> Sequence[str]:
    """Return the views that an organisation of a kind may choose."""
    return _VIEWS.get(kind, ())


def sections_of(measures: Sequence[Row]) -> Sequence[tuple[str, Sequence[Row]]]:
    """Return the measures by section, as the report orders them. Groups without any case are left out."""
    found: dict[str, list[Row]] = {}
    for one in measures:
        if one["group"] == "all" or one["cases"]:
            found.setdefault(one["section"], []).append(one)
    return list(found.items())


def query_of(kind: str, view: str, centre: str, year: str, this_year: int) -> dict[str, str]:
    """Return the parameters of the report for its plots and files. Those that were not chosen are empty.

    A report without small counts is of one year: this year, where none was chosen.
    """
    if kind == "coordination" and centre:
        view = "centre"
    is_suppressed = kind == "authority" or view == "fcrin"
    return {
        "view": view,
        "centre": centre if view == "centre" else "",
        "year": year or (str(this_year) if is_suppressed else ""),
    }
