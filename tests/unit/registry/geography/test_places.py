"""Files of a geography, what a text names in it, and the estimates of travel."""

import pytest

from services.registry.geography.atlas import Atlas
from services.registry.geography.files import UnreadableGeographyError, read_geography
from services.registry.geography.travel import point_of, travel
from tests.geography import COMMUNES, DEPARTEMENTS, HEAD

PARIS, LYON, MENDE, REUNION, PAPEETE, BASTIA = (
    point_of(place, departement)
    for place, departement in (
        ((48.8566, 2.3428), "75"),
        ((45.7579, 4.8351), "69"),
        ((44.5235, 3.4912), "48"),
        ((-20.9329, 55.4463), "974"),
        ((-17.54, -149.57), "987"),
        ((42.6977, 9.45), "2B"),
    )
)


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    kinds = dict(map(read_geography, (COMMUNES, DEPARTEMENTS)))
    return Atlas("1", kinds["communes"], kinds["departements"], ())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("67", "Bas-Rhin (67)"),
        ("2a", "Corse-du-Sud (2A)"),
        ("67100", "Strasbourg (67)"),
        ("75015", "Paris 15e Arrondissement (75)"),
        ("paris", "Paris (75)"),
        ("SAINT DENIS", "Saint-Denis (974)"),  # more inhabitants than the other one
        ("Saint-Denis, 93", "Saint-Denis (93)"),
        ("lozere", "Lozère (48)"),
        ("977", "Saint-Barthélemy (977)"),
        ("Atlantide", None),
        ("99999", None),
        ("", None),
    ],
)
def test_a_text_names_a_place(atlas: Atlas, typed: str, name: str | None) -> None:
    found = atlas.find(typed)
    assert (found.name if found else None) == name


def test_inhabitants_of_an_arrondissement_are_counted_once(atlas: Atlas) -> None:
    assert atlas.departements["75"].population == 2103778


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "neither"),
        ("a,b,c\n1,2,3\n", "neither"),
        ("[]", "empty"),
        ('[{"code": "01"}]', "nom"),
        ('[{"code": 1, "nom": "Ain"}]', "code"),
        (f"{HEAD}\n", "no commune"),
        (f"{HEAD}\n01001,A,commune-actuelle,01,84,many,01400,46,5\n", "line 2"),
        (f"{HEAD}\n01001,A,commune-actuelle,1,84,5,01400,46,5\n", "departement"),
        (f"{HEAD}\n01001,A,commune-actuelle,01,84,5,01400,460,5\n", "degrees"),
        (f"{HEAD}\n01001,A,commune-actuelle,01,84,5,01400,nan,5\n", "degrees"),
        (f"{HEAD}\n01001,A\n", "line 2"),
        (f"{HEAD}\n" + "01001,A,commune-actuelle,01,84,5,01400,46,5\n" * 2, "twice"),
    ],
)
def test_a_wrong_file_is_refused_with_the_line(text: str, reason: str) -> None:
    with pytest.raises(UnreadableGeographyError, match=reason):
        read_geography(text)


def test_estimates_are_plausible_and_the_same_both_ways() -> None:
    hours = {
        (PARIS, LYON): (4.0, 6.0),
        (MENDE, LYON): (1.5, 3.0),
        (REUNION, PARIS): (14.0, 17.0),
        (REUNION, LYON): (18.0, 22.0),  # to Paris first
        (PAPEETE, PARIS): (24.0, 30.0),  # with a stop
        (BASTIA, PARIS): (5.0, 7.0),
    }
    for (one, other), (least, most) in hours.items():
        way = travel(one, other)
        assert least <= way.minutes / 60 <= most, way
        assert way == travel(other, one)
    assert (travel(PARIS, PARIS).km, travel(PARIS, PARIS).minutes) == (0, 0)
