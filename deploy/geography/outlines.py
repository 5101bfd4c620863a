"""Make services/portal/pictures/outlines.json, the outlines of the maps, from GeoJSON files.

    python deploy/geography/outlines.py FOLDER

FOLDER has departements-version-simplifiee.geojson, metropole-version-simplifiee.geojson and
regions-avec-outre-mer.geojson of https://github.com/gregoiredavid/france-geojson (commit 5d34ee6), which are IGN's
Admin Express COG of 2018 and INSEE's codes under the Licence Ouverte / Open Licence. They are projected, simplified so
that neighbours keep a common border, and rounded to whole units of the picture.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from math import hypot
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from services.portal.pictures.france import AROUND_PARIS, FRAMES, MAINLAND, PARIS, Frame

Point = tuple[float, float]
Ring = list[Point]
OUTPUT = Path(__file__).resolve().parents[2] / "services" / "portal" / "pictures" / "outlines.json"
# The codes of the regions that are one département overseas.
OVERSEAS = {"01": "971", "02": "972", "03": "973", "04": "974", "06": "976"}
# Islands that cover less (square units) are left out.
SMALLEST = 12.0


def rings_of(feature: dict[str, Any]) -> list[Ring]:
    """Return the rings of a polygon or of several, longitude first."""
    shape = feature["geometry"]
    polygons = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    return [[(point[0], point[1]) for point in ring] for polygon in polygons for ring in polygon]


def junctions_of(rings: Iterable[Ring]) -> set[Point]:
    """Return the points in which three or more lines meet."""
    neighbours: dict[Point, set[Point]] = defaultdict(set)
    for ring in rings:
        for one, other in pairwise(ring):
            neighbours[one].add(other)
            neighbours[other].add(one)
    return {point for point, near in neighbours.items() if len(near) > 2}


def lines_of(ring: Ring, junctions: set[Point]) -> list[Ring]:
    """Divide a ring at the junctions; without any at the points that are farthest apart in its list."""
    points = ring[:-1]
    start = next((at for at, point in enumerate(points) if point in junctions), points.index(min(points)))
    turned = [*points[start:], *points[:start], points[start]]
    ends = [at for at, point in enumerate(turned) if point in junctions]
    if len(ends) < 3:
        ends = sorted({0, len(turned) // 2, len(turned) - 1, *ends})
    return [turned[one : other + 1] for one, other in pairwise(ends)]


def simplified(line: Sequence[Point], tolerance: float) -> Ring:
    """Leave points out that are nearer than ``tolerance`` to the line of the others (Douglas and Peucker)."""
    (x0, y0), (x1, y1) = line[0], line[-1]
    length = hypot(x1 - x0, y1 - y0)

    def distance(point: Point) -> float:
        if not length:
            return hypot(point[0] - x0, point[1] - y0)
        return abs((x1 - x0) * (y0 - point[1]) - (x0 - point[0]) * (y1 - y0)) / length

    if len(line) < 3:
        return [*line]
    farthest = max(range(1, len(line) - 1), key=lambda at: distance(line[at]))
    if distance(line[farthest]) <= tolerance:
        return [line[0], line[-1]]
    return simplified(line[: farthest + 1], tolerance)[:-1] + simplified(line[farthest:], tolerance)


def path_of(rings: Iterable[Ring], junctions: set[Point], place: Callable[[Point], Point], tolerance: float) -> str:
    """Return the path of a département, with relative steps."""
    drawn = []
    for ring in rings:
        points: list[tuple[int, int]] = []
        for line in lines_of(ring, junctions):
            # In the same direction for both neighbours, so that both leave the same points out.
            is_turned = (line[0], line[1]) > (line[-1], line[-2])
            placed = [place(point) for point in (reversed(line) if is_turned else line)]
            kept = simplified(placed, tolerance)
            points += [(round(x), round(y)) for x, y in (reversed(kept) if is_turned else kept)]
        drawn.append([point for at, point in enumerate(points) if at == 0 or point != points[at - 1]])
    large = [ring for ring in drawn if area(ring) >= SMALLEST] or [max(drawn, key=area)]
    return "".join(written(ring) for ring in large)


def area(ring: Sequence[tuple[float, float]]) -> float:
    """Return the area within a closed ring."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))) / 2


def written(ring: Sequence[tuple[int, int]]) -> str:
    """Write a closed ring as a part of a path."""
    (x, y), *_ = ring
    steps = [f"{b[0] - a[0]} {b[1] - a[1]}" for a, b in pairwise(ring[:-1])]
    return f"M{x} {y}l{' '.join(steps)}z".replace(" -", "-")


def in_frame(frame: Frame) -> Callable[[Point], Point]:
    return lambda point: frame.place(point[1], point[0])


def main(folder: Path) -> None:
    def read(name: str) -> list[dict[str, Any]]:
        found = json.loads((folder / f"{name}.geojson").read_text(encoding="utf-8"))
        return found.get("features", [found])

    departements = {one["properties"]["code"]: rings_of(one) for one in read("departements-version-simplifiee")}
    junctions = junctions_of(ring for rings in departements.values() for ring in rings)
    paths = {code: path_of(rings, junctions, in_frame(MAINLAND), 1.2) for code, rings in sorted(departements.items())}
    for region in read("regions-avec-outre-mer"):
        if code := OVERSEAS.get(region["properties"]["code"]):
            paths[code] = path_of(rings_of(region), set(), in_frame(FRAMES[code]), 0.7)
    around = {code: path_of(departements[code], junctions, in_frame(AROUND_PARIS), 0.5) for code in PARIS}
    whole = [ring for one in read("metropole-version-simplifiee") for ring in rings_of(one)]
    mainland = path_of(whole, set(), in_frame(MAINLAND), 2.0)
    text = json.dumps({"mainland": mainland, "departements": paths, "around_paris": around}, indent=0)
    OUTPUT.write_text(text + "\n", encoding="utf-8")
    print(f"{OUTPUT.name}: {len(paths)} départements, {len(text)} bytes")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
