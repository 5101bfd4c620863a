"""Who recruits in France, which site comes first, and how far it is."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.matching.clients.documents import Centre, Concepts, TrialRecord
from services.matching.evaluations.places import distance_km
from services.matching.evaluations.sites import sites_of
from services.matching.snapshots.model import HeldTrial, Vocabulary

VOCABULARY = Vocabulary(Concepts("t", ()))
CENTRES = {
    name: Centre(name, 1, name.title(), "Ville", lat, lon)
    for name, lat, lon in (
        ("lille", 50.61, 3.03),
        ("necker", 48.85, 2.32),
        ("toulouse", 43.61, 1.40),
        ("nantes", 47.21, -1.55),
    )
}


def held(*, status: str = "recruiting", sites: list[dict[str, Any]] | None = None, **trial: Any) -> HeldTrial:
    label = {"fr": "c", "en": "c"}
    criteria = {
        "trial": "T",
        "grade": "registry",
        "cohorts": [{"id": "1", "label": label}, {"id": "2", "label": label}],
        "criteria": [{"id": "I", "kind": "include", "expr": {"type": "sex", "value": "male"}}],
    }
    document = {"id": "T", "version": 1, "status": status, **trial}
    return HeldTrial.prepare(
        TrialRecord.read({"trial": document, "criteria": criteria, "sites": sites or []}), VOCABULARY
    )


def site(
    centre: str, status: str = "recruiting", places: int = 1, confirmed: str | None = "2025-11-20T00:00:00.000Z"
) -> dict[str, Any]:
    return {
        "centre": centre,
        "version": 1,
        "status": status,
        "confirmed_at": confirmed,
        "slots": [{"cohort": "1", "open": places}],
        "stale": False,
    }


@pytest.mark.parametrize(
    ("trial", "open_ones"),
    [
        (held(sites=[site("lille")]), {"1", "2"}),
        (held(sites=[site("lille", "suspended"), site("necker")]), {"1", "2"}),
        (held(sites=[site("lille", "suspended")], countries=["FR"]), set()),
        (held(status="suspended", sites=[site("lille")]), set()),
        (held(status="completed", countries=["FR"]), set()),
        (held(countries=["FR"]), {"1", "2"}),
        (held(countries=["US"]), set()),
        (held(), set()),
        (held(locations=[{"country": "FR", "status": None}]), {"1", "2"}),
        (held(locations=[{"country": "FR", "status": "completed"}], countries=["FR"]), set()),
        (held(locations=[{"country": "US", "status": "recruiting"}]), set()),
        (held(status="unknown", countries=["FR"]), set()),
        (held(status="not_yet_recruiting", locations=[{"country": "FR", "status": "recruiting"}]), {"1", "2"}),
        (
            held(
                sites=[site("lille")],
                cohorts=[
                    {"id": "1", "label": {}, "status": "completed"},
                    {"id": "2", "label": {}, "status": "recruiting"},
                ],
            ),
            {"2"},
        ),
    ],
)
def test_the_cohorts_open_in_france(trial: HeldTrial, open_ones: set[str]) -> None:
    assert trial.recruiting == open_ones


def test_open_confirmed_sites_with_a_place_come_first_nearest_first() -> None:
    trial = held(
        sites=[
            site("toulouse"),
            site("lille", places=0),
            site("necker", confirmed="2025-10-01T00:00:00.000Z"),
            site("nantes"),
            site("unheard-of", "completed"),
        ]
    )
    told = sites_of(trial, CENTRES, "1", "62", date(2025, 11, 22))
    assert [one["centre"] for one in told] == ["nantes", "toulouse", "lille", "necker", "unheard-of"]
    assert [one["stale"] for one in told] == [False, False, False, True, False]
    assert (told[-1]["name"], told[-1]["distance_km"]) == ("unheard-of", None)
    assert [one["centre"] for one in sites_of(trial, CENTRES, "2", "62", date(2025, 11, 22))][:2] == ["lille", "necker"]


def test_a_site_is_stale_after_thirty_days_without_confirmation() -> None:
    trial = held(sites=[site("lille", confirmed=datetime(2025, 11, 1, tzinfo=UTC).isoformat())])
    assert [sites_of(trial, CENTRES, "1", None, day)[0]["stale"] for day in (date(2025, 12, 1), date(2025, 12, 2))] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("departement", "low", "high"),
    [("62", 30, 70), ("75", 195, 220), ("2A", 1000, 1100), ("974", 9000, 9600), ("976", 7600, 8300)],
)
def test_the_distance_from_a_departement_to_lille(departement: str, low: int, high: int) -> None:
    told = distance_km(departement, CENTRES["lille"].lat, CENTRES["lille"].lon)
    assert told is not None
    assert low < told < high


def test_there_is_no_distance_from_nowhere() -> None:
    assert distance_km(None, 48.8, 2.3) is None
    assert distance_km("988", 48.8, 2.3) is None
