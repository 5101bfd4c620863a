"""What the map says about the answers of the API."""

from typing import Any

import pytest

from services.portal.map.reading import Found, Network
from services.portal.map.view import duration, level_of, map_view, percent
from services.portal.pages.formats import Formats
from services.portal.pictures.france import FRAMES, HEIGHT, WIDTH, outlines, place, position

PARIS, BREST, MARSEILLE, BASTIA, STRASBOURG = (
    (48.857, 2.343),
    (48.39, -4.486),
    (43.296, 5.37),
    (42.7, 9.45),
    (48.573, 7.752),
)


def test_the_directions_between_cities_are_those_of_a_map() -> None:
    placed = [place("75", *city) for city in (PARIS, BREST, MARSEILLE, BASTIA, STRASBOURG)]
    (px, py), (bx, _), (mx, my), (cx, _), (sx, sy) = [at for at in placed if at]
    assert bx < px < mx < sx < cx < WIDTH
    assert py < my < HEIGHT
    # 661 km from Paris to Marseille, 397 km from Paris to Strasbourg.
    assert 640 < ((px - mx) ** 2 + (py - my) ** 2) ** 0.5 < 680
    assert 385 < ((px - sx) ** 2 + (py - sy) ** 2) ** 0.5 < 410


def test_every_departement_is_drawn_and_the_islands_of_the_pacific_are_not() -> None:
    assert len(outlines().departements) == 101
    reunion = position("974", -20.89, 55.45)
    assert reunion is not None
    assert FRAMES["974"].x < reunion.x < FRAMES["974"].x + FRAMES["974"].width
    assert position("988", -22.27, 166.44) is None


@pytest.mark.parametrize(
    ("minutes", "level", "words"),
    [(0, 1, "10 min"), (60, 1, "1 h"), (61, 2, "1 h"), (121, 3, "2 h"), (253, 4, "4 h 10"), (None, 0, "")],
)
def test_a_travel_time_has_a_class_and_words(minutes: int | None, level: int, words: str) -> None:
    assert (level_of(minutes), duration(minutes)) == (level, words)


def test_a_share_is_never_rounded_to_nobody_or_everybody() -> None:
    assert [percent(share) for share in (0.0, 0.001, 0.4361, 0.999, 1.0)] == [0, 1, 44, 99, 100]


def centre(name: str, city: str, departement: str, lat: float, lon: float) -> dict[str, Any]:
    place = {"city": city, "departement": departement, "lat": lat, "lon": lon}
    return {"id": f"fr-{name}", "name": name, "populations": ["child"], "member": True, **place}


def test_a_city_with_two_centres_is_one_symbol_and_counts_a_trial_once() -> None:
    centres = [centre("necker", "Paris", "75", *PARIS), centre("trousseau", "Paris", "75", *PARIS)]
    slots = [{"cohort": "adults", "open": 2}, {"cohort": "children", "open": 1}]
    sites = [
        {"centre": "fr-necker", "status": "recruiting", "slots": slots},
        {"centre": "fr-trousseau", "status": "recruiting", "slots": []},
    ]
    stated = {"fr-necker": [{"code": "apheresis", "state": "expired"}, {"code": "mri", "state": "valid"}]}
    network = Network(centres, {"fr-trousseau": [], **stated}, {"mri": {"fr": "IRM", "en": "MRI"}}, [])
    view = map_view(Found(network, None, [{"id": "CL1", "sites": sites}], "no_geography"), Formats("fr"))
    (symbol,) = view.symbols
    assert (symbol.centres, symbol.trials) == (("necker", "trousseau"), 1)
    assert [one.able for one in view.centres] == [("IRM",), ()]
    assert [one.places for one in view.centres] == [3, None]
    assert view.rows == []


def test_the_names_of_neighbours_do_not_cover_symbols() -> None:
    cities = (("Toulouse", "31", 43.6, 1.43), ("Montpellier", "34", 43.61, 3.87), ("Marseille", "13", 43.29, 5.42))
    network = Network([centre(one[0], *one) for one in cities], {f"fr-{one[0]}": [] for one in cities}, {}, [])
    view = map_view(Found(network, None, []), Formats("en"))
    assert {one.city: one.side for one in view.symbols} == {
        "Toulouse": "left",
        "Montpellier": "above",
        "Marseille": "right",
    }
