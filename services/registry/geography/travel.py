"""Distances, and estimates of how long it takes to travel. Pure; docs/coverage.md states what is assumed."""

from dataclasses import dataclass
from math import asin, cos, dist, radians, sin
from typing import Final, Literal

EARTH_KM: Final = 6371.0
# By road: longer than the straight line by this factor; slowly at the two ends, then on main roads.
DETOUR: Final = 1.25
SLOW_KM, SLOW_KMH, FAST_KMH = 20.0, 40.0, 100.0
# By air: to the airport (1 h), before the departure (2 h), from the airport to the hospital (1 h); then the flight.
GROUND_MINUTES, FLIGHT_MINUTES, FLIGHT_KMH = 240.0, 30.0, 850.0
# A flight longer than any direct one from France, or one between Corsica and a territory overseas, has a stop.
LONGEST_FLIGHT_KM, STOP_MINUTES = 10_000.0, 180.0
MAINLAND, CORSICA = "mainland", "corsica"
# Flights from overseas arrive in Paris (Orly).
PARIS: Final = (48.7262, 2.3652)

Vector = tuple[float, float, float]
Mode = Literal["road", "air"]


@dataclass(frozen=True, slots=True)
class Point:
    """A place: its direction from the centre of the earth, and its zone: within a zone people travel by road."""

    vector: Vector
    zone: str


@dataclass(frozen=True, slots=True)
class Travel:
    """``km``: in a straight line; ``minutes``: an estimate."""

    km: float
    mode: Mode
    minutes: float


def vector_of(lat: float, lon: float) -> Vector:
    """Return the direction of a place in degrees."""
    phi, lam = radians(lat), radians(lon)
    return cos(phi) * cos(lam), cos(phi) * sin(lam), sin(phi)


def kilometres(one: Vector, other: Vector) -> float:
    """Return the distance of two places on a sphere, in a straight line."""
    return 2 * EARTH_KM * asin(min(1.0, dist(one, other) / 2))


def point_of(place: tuple[float, float], departement: str) -> Point:
    """Return a place (degrees) in a département."""
    zone = departement if departement.startswith(("97", "98")) else CORSICA if departement in {"2A", "2B"} else MAINLAND
    return Point(vector_of(*place), zone)


def travel(one: Point, other: Point) -> Travel:
    """Return how far two places are from each other, and how long the way takes."""
    km = kilometres(one.vector, other.vector)
    if one.zone == other.zone:
        return Travel(km, "road", _road_minutes(km))
    return Travel(km, "air", GROUND_MINUTES + _air_minutes(one, other, km))


def _road_minutes(km: float) -> float:
    road = km * DETOUR
    return 60 * (min(road, SLOW_KM) / SLOW_KMH + max(0.0, road - SLOW_KM) / FAST_KMH)


def _air_minutes(one: Point, other: Point, km: float) -> float:
    zones = {one.zone, other.zone}
    if MAINLAND in zones and CORSICA not in zones:  # from overseas: to Paris, and on by road
        overseas, mainland = (one, other) if other.zone == MAINLAND else (other, one)
        return _flight_minutes(kilometres(overseas.vector, _PARIS)) + _road_minutes(kilometres(_PARIS, mainland.vector))
    stop = STOP_MINUTES if CORSICA in zones and MAINLAND not in zones else 0.0
    return _flight_minutes(km) + stop


def _flight_minutes(km: float) -> float:
    stop = STOP_MINUTES if km > LONGEST_FLIGHT_KM else 0.0
    return FLIGHT_MINUTES + 60 * km / FLIGHT_KMH + stop


_PARIS: Final = vector_of(*PARIS)
