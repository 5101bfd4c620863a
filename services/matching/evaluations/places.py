"""How far a site is: in a straight line from where the people of the patient's département live on average. Pure."""

import json
from functools import cache
from importlib import resources
from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0


@cache
def _middles() -> dict[str, tuple[float, float]]:
    """Population-weighted middle (latitude, longitude, WGS 84) of each département, from the communes of IGN and INSEE."""
    text = (resources.files("services.matching.evaluations") / "departements.json").read_text(encoding="utf-8")
    return {code: (lat, lon) for code, (lat, lon) in json.loads(text).items()}


def distance_km(departement: str | None, lat: float, lon: float) -> int | None:
    """Great-circle kilometres, rounded; None where the département is not given or has no known middle."""
    middle = _middles().get(departement or "")
    if middle is None:
        return None
    first, second = radians(middle[0]), radians(lat)
    half_chord = sin((second - first) / 2) ** 2 + cos(first) * cos(second) * sin(radians(lon - middle[1]) / 2) ** 2
    return round(2 * EARTH_RADIUS_KM * asin(sqrt(half_chord)))
