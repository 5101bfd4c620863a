"""The sites of a trial: the nearest or the most open first. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.vocabulary.recruitment import OPENNESS, RecruitmentStatus


@dataclass(frozen=True, slots=True)
class SiteLine:
    """A centre of the trial. ``distance``: kilometres in a straight line; None: no place was asked for.

    ``contact``: that of the centre; None: not known.
    """

    centre: str
    name: str
    city: str
    status: RecruitmentStatus
    confirmed_at: str | None
    stale: bool
    distance: float | None
    contact: Mapping[str, Any] | None


def site_lines(sites: Sequence[Mapping[str, Any]], centres: Mapping[str, Mapping[str, Any]]) -> list[SiteLine]:
    """Return the sites: those that recruit before the others, then the nearest, then by city."""
    lines = [_line(one, centres.get(one["centre"], {})) for one in sites]
    return sorted(lines, key=lambda one: (OPENNESS.index(one.status), one.distance or 0, one.city, one.name))


def _line(site: Mapping[str, Any], centre: Mapping[str, Any]) -> SiteLine:
    return SiteLine(
        centre=site["centre"],
        name=centre.get("name", site["centre"]),
        city=centre.get("city", ""),
        status=site["status"],
        confirmed_at=site["confirmed_at"],
        stale=site["stale"],
        distance=site.get("distance_km"),
        contact=centre.get("contact"),
    )
