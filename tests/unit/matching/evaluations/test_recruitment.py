"""Which cohorts recruit in a country, which site comes first, and how far away it is."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.matching.clients.documents import Centre, TrialRecord
from services.matching.evaluations.places import distance_km
from services.matching.evaluations.sites import site_answers
from services.matching.snapshots.model import SnapshotTrial, Vocabulary
from services.matching.snapshots.recruitment import recruitment_in
from shared.terminology.document import write_document
from shared.terminology.graph import Terminology

VOCABULARY = Vocabulary(write_document(Terminology(), (), "t"))
CENTRES = {
    name: Centre(name, 1, name.title(), "Ville", lat, lon)
    for name, lat, lon in (
        ("lille", 50.61, 3.03),
        ("necker", 48.85, 2.32),
        ("toulouse", 43.61, 1.40),
        ("nantes", 47.21, -1.55),
    )
}


def trial_with(*, status: str = "recruiting", sites: list[dict[str, Any]] | None = None, **trial: Any) -> SnapshotTrial:
    label = {"fr": "c", "en": "c"}
    criteria = {
        "trial": "T",
        "grade": "registry",
        "cohorts": [{"id": "1", "label": label}, {"id": "2", "label": label}],
        "criteria": [{"id": "I", "kind": "include", "expr": {"type": "sex", "value": "male"}}],
    }
    document = {"id": "T", "version": 1, "status": status, **trial}
    return SnapshotTrial.prepare(
        TrialRecord.read({"trial": document, "criteria": criteria, "sites": sites or []}), VOCABULARY, "FR"
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
        (trial_with(sites=[site("lille")]), {"1", "2"}),
        (trial_with(sites=[site("lille", "suspended"), site("necker")]), {"1", "2"}),
        (trial_with(sites=[site("lille", "suspended")], countries=["FR"]), set()),
        (trial_with(status="suspended", sites=[site("lille")]), set()),
        (trial_with(status="completed", countries=["FR"]), set()),
        (trial_with(countries=["FR"]), {"1", "2"}),
        (trial_with(countries=["US"]), set()),
        (trial_with(), set()),
        (trial_with(locations=[{"country": "FR", "status": None}]), {"1", "2"}),
        (trial_with(locations=[{"country": "FR", "status": "completed"}], countries=["FR"]), set()),
        (trial_with(locations=[{"country": "US", "status": "recruiting"}]), set()),
        (trial_with(status="unknown", countries=["FR"]), set()),
        (trial_with(status="not_yet_recruiting", locations=[{"country": "FR", "status": "recruiting"}]), {"1", "2"}),
        (
            trial_with(
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
def test_the_cohorts_open_in_the_country(trial: SnapshotTrial, open_ones: set[str]) -> None:
    assert trial.recruiting == open_ones


@pytest.mark.parametrize(
    ("trial", "recruitment"),
    [
        (trial_with(sites=[site("lille")]), "open"),
        (trial_with(countries=["FR"]), "open"),
        (trial_with(status="not_yet_recruiting", locations=[{"country": "FR", "status": "recruiting"}]), "open"),
        (trial_with(status="not_yet_recruiting", countries=["FR"]), "not_yet_open"),
        (trial_with(status="in_review", sites=[site("lille")]), "not_yet_open"),
        (trial_with(sites=[site("lille", "not_yet_recruiting"), site("necker", "completed")]), "not_yet_open"),
        (trial_with(countries=["US", "GB"]), "not_in_country"),
        (trial_with(locations=[{"country": "US", "status": "recruiting"}]), "not_in_country"),
        (trial_with(locations=[{"country": "FR", "status": "completed"}], countries=["FR", "US"]), "not_in_country"),
        (trial_with(status="not_yet_recruiting", countries=["US"]), "not_in_country"),
        (trial_with(sites=[site("lille", "suspended")], countries=["FR"]), "not_in_country"),
        (trial_with(status="completed", countries=["FR"]), "closed"),
        (trial_with(status="suspended", sites=[site("lille")]), "closed"),
        (trial_with(status="withdrawn", countries=["US"]), "closed"),
        (trial_with(status="unknown", countries=["FR"]), "unknown"),
        (trial_with(status="unknown", countries=["US"]), "unknown"),
        (trial_with(locations=[{"country": "FR", "status": "unknown"}]), "unknown"),
        (trial_with(), "unknown"),
    ],
)
def test_the_recruitment_of_a_trial_in_the_country(trial: SnapshotTrial, recruitment: str) -> None:
    assert recruitment_in(trial.record, "FR") == recruitment
    assert dict(trial.recruitment) == {"1": recruitment, "2": recruitment}


@pytest.mark.parametrize(
    ("status", "recruitment"),
    [
        (None, "open"),
        ("recruiting", "open"),
        ("not_yet_recruiting", "not_yet_open"),
        ("completed", "closed"),
        ("unknown", "unknown"),
    ],
)
def test_a_cohort_may_recruit_less_than_its_trial(status: str | None, recruitment: str) -> None:
    cohorts = [{"id": "1", "label": {}, "status": status}, {"id": "2", "label": {}, "status": "recruiting"}]
    trial = trial_with(sites=[site("lille")], cohorts=cohorts)
    assert dict(trial.recruitment) == {"1": recruitment, "2": "open"}
    elsewhere = trial_with(countries=["US"], cohorts=cohorts)
    assert elsewhere.recruitment["1"] == ("closed" if recruitment == "closed" else "not_in_country")


def test_another_country_gives_another_recruitment() -> None:
    trial = trial_with(countries=["BE"])
    assert [recruitment_in(trial.record, country) for country in ("FR", "BE")] == ["not_in_country", "open"]


def test_open_confirmed_sites_with_a_place_come_first_nearest_first() -> None:
    trial = trial_with(
        sites=[
            site("toulouse"),
            site("lille", places=0),
            site("necker", confirmed="2025-10-01T00:00:00.000Z"),
            site("nantes"),
            site("unheard-of", "completed"),
        ]
    )
    sites = site_answers(trial, CENTRES, "1", "62", date(2025, 11, 22))
    assert [one["centre"] for one in sites] == ["nantes", "toulouse", "lille", "necker", "unheard-of"]
    assert [one["stale"] for one in sites] == [False, False, False, True, False]
    assert (sites[-1]["name"], sites[-1]["distance_km"]) == ("unheard-of", None)
    assert [one["centre"] for one in site_answers(trial, CENTRES, "2", "62", date(2025, 11, 22))][:2] == [
        "lille",
        "necker",
    ]


def test_a_site_is_stale_after_thirty_days_without_confirmation() -> None:
    trial = trial_with(sites=[site("lille", confirmed=datetime(2025, 11, 1, tzinfo=UTC).isoformat())])
    assert [
        site_answers(trial, CENTRES, "1", None, day)[0]["stale"] for day in (date(2025, 12, 1), date(2025, 12, 2))
    ] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("departement", "low", "high"),
    [("62", 30, 70), ("75", 195, 220), ("2A", 1000, 1100), ("974", 9000, 9600), ("976", 7600, 8300)],
)
def test_the_distance_from_a_departement_to_lille(departement: str, low: int, high: int) -> None:
    distance = distance_km(departement, CENTRES["lille"].lat, CENTRES["lille"].lon)
    assert distance is not None
    assert low < distance < high


def test_without_a_place_there_is_no_distance() -> None:
    assert distance_km(None, 48.8, 2.3) is None
    assert distance_km("988", 48.8, 2.3) is None
