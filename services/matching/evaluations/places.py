"""The distance from a département to a site, as the crow flies. Pure."""

import json
from functools import cache
from importlib import resources
from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0


@cache
def _centres() -> dict[str, tuple[float, float]]:
    """Return the population-weighted centre (latitude, longitude, WGS 84) of each département.

    Computed from the communes of IGN and INSEE.
    """
    text = (resources.files("services.matching.evaluations") / "departements.json").read_text(encoding="utf-8")
    return {code: (lat, lon) for code, (lat, lon) in json.loads(text).items()}


def distance_km(departement: str | None, lat: float, lon: float) -> int | None:
    """Return the great-circle distance in kilometres, rounded; None where the département is not given or not known."""
    centre = _centres().get(departement or "")
    if centre is None:
        return None
    first, second = radians(centre[0]), radians(lat)
    half_chord = sin((second - first) / 2) ** 2 + cos(first) * cos(second) * sin(radians(lon - centre[1]) / 2) ** 2
    return round(2 * EARTH_RADIUS_KM * asin(sqrt(half_chord)))
