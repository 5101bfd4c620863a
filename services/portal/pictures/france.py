"""France in a plane: where a place is on the map, and the outlines of its départements (``outlines.json``).

The unit of the picture is about a kilometre of the mainland. Overseas départements and the surroundings of Paris have
frames of their own, each in its scale. `deploy/geography/outlines.py` makes the outlines with the frames from here.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from math import cos, log, pi, radians, sin, tan
from pathlib import Path

WIDTH, HEIGHT = 1140, 1310
# The small départements around Paris, drawn a second time.
PARIS = ("75", "92", "93", "94")


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of the picture. ``x``, ``y``, ``width``, ``height``: its box. Bounds in degrees; none: the mainland."""

    x: float
    y: float
    width: float
    height: float
    west: float = 0
    south: float = 0
    east: float = 0
    north: float = 0

    def place(self, lat: float, lon: float) -> tuple[float, float]:
        """Return where a place is, in units of the picture from its upper left corner."""
        if not self.north:
            return _conic(lat, lon)
        narrower = cos(radians((self.south + self.north) / 2))
        wide, high = (self.east - self.west) * narrower, self.north - self.south
        scale = min(self.width / wide, self.height / high) * 0.86
        return (
            self.x + self.width / 2 + (lon - (self.west + self.east) / 2) * narrower * scale,
            self.y + self.height / 2 - (lat - (self.south + self.north) / 2) * scale,
        )


MAINLAND = Frame(0, 0, 1140, 1100)
FRAMES = {
    "971": Frame(0, 1115, 212, 150, -61.81, 15.83, -61.0, 16.52),
    "972": Frame(232, 1115, 212, 150, -61.23, 14.39, -60.81, 14.88),
    "973": Frame(464, 1115, 212, 150, -54.6, 2.11, -51.62, 5.75),
    "974": Frame(696, 1115, 212, 150, 55.21, -21.39, 55.84, -20.87),
    "976": Frame(928, 1115, 212, 150, 45.02, -13.0, 45.3, -12.64),
}
AROUND_PARIS = Frame(890, 40, 240, 160, 2.145, 48.687, 2.668, 49.013)


def frame_of(departement: str) -> Frame | None:
    """Return the frame in which a département is drawn; None: it has none, as the islands of the Pacific."""
    if departement.startswith(("97", "98")):
        return FRAMES.get(departement)
    return MAINLAND


def place(departement: str, lat: float, lon: float) -> tuple[int, int] | None:
    """Return where a place is in the picture; None: its département is not drawn."""
    frame = frame_of(departement)
    if frame is None:
        return None
    x, y = frame.place(lat, lon)
    return round(x), round(y)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a place is in the outline of the mainland or of its département overseas. ``view_box``: what is shown."""

    outline: str
    view_box: str
    x: int
    y: int


def position(departement: str, lat: float, lon: float) -> Position | None:
    """Return the position of a place, for a small picture; None: its département is not drawn."""
    frame, at = frame_of(departement), place(departement, lat, lon)
    if frame is None or at is None:
        return None
    outline = outlines().mainland if frame is MAINLAND else outlines().departements[departement]
    return Position(outline, f"{frame.x:g} {frame.y:g} {frame.width:g} {frame.height:g}", *at)


@dataclass(frozen=True, slots=True)
class Outlines:
    """Paths of SVG: of the mainland as one, of each département, and of those around Paris in their own frame."""

    mainland: str
    departements: dict[str, str]
    around_paris: dict[str, str]


@lru_cache(1)
def outlines() -> Outlines:
    """Return the outlines."""
    return Outlines(**json.loads(Path(__file__).with_name("outlines.json").read_text(encoding="utf-8")))


def _conic(lat: float, lon: float) -> tuple[float, float]:
    """Project with the parameters of Lambert-93, on a sphere."""
    south, north, origin = radians(44), radians(49), radians(46.5)
    n = log(cos(south) / cos(north)) / log(_stretched(north) / _stretched(south))
    factor = _RADIUS * cos(south) * _stretched(south) ** n / n
    rho, centre = factor / _stretched(radians(lat)) ** n, factor / _stretched(origin) ** n
    angle = n * radians(lon - 3)
    return _WEST + rho * sin(angle), _NORTH - (centre - rho * cos(angle))


def _stretched(latitude: float) -> float:
    return tan(pi / 4 + latitude / 2)


# Kilometres; and the origin of the projection in the picture.
_RADIUS = 6371
_WEST, _NORTH = 580, 522
