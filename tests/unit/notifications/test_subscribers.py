"""Which events a subscriber receives: by filter, audience and time of subscription."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.notifications.events.model import read_event
from services.notifications.subscriptions.model import Subscriber
from shared.feed import Reader, Visibility
from shared.feed.changes import NOT_VISIBLE, Routing

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def side(*audience: str, **facets: str) -> Routing:
    return Routing(frozenset(audience), {name: frozenset(value.split()) for name, value in facets.items()})


def subscriber(*types: str, **wanted: str) -> Subscriber:
    reader = Reader(
        frozenset({"public", "coordination"}),
        {name: frozenset(value.split()) for name, value in wanted.items()},
        frozenset(types),
    )
    return Subscriber("one", SINCE, reader)


@pytest.mark.parametrize(
    ("who", "facets", "seen"),
    [
        (subscriber(condition="ORPHA:232"), {"condition": "ORPHA:232 ORPHA:68364"}, True),
        (subscriber(condition="ORPHA:232"), {"condition": "ORPHA:68364"}, False),
        (subscriber(condition="ORPHA:232"), {}, False),
        (
            subscriber(age_band="child", atmp_class="gene_therapy"),
            {"age_band": "child adult", "atmp_class": "gene_therapy"},
            True,
        ),
        (
            subscriber(age_band="child", atmp_class="gene_therapy"),
            {"age_band": "adult", "atmp_class": "gene_therapy"},
            False,
        ),
        (subscriber(centre="fr-necker fr-lyon"), {"centre": "fr-lyon"}, True),
        (subscriber("trial.updated"), {}, True),
        (subscriber("trial.published"), {}, False),
        (subscriber(trial="NCT1"), {"trial": "CL00000001 NCT1"}, True),
        (subscriber(trial="NCT1"), {"trial": "CL00000011 NCT11"}, False),
        (subscriber(trial="NCT1"), {}, False),
    ],
)
def test_filters_select(who: Subscriber, facets: dict[str, str], seen: bool) -> None:
    after = side("public", **facets)
    assert who.sees("trial.updated", after, after, SINCE) is (Visibility.EVENT if seen else Visibility.NOTHING)


def test_a_subject_that_leaves_the_filter_causes_a_tombstone() -> None:
    child, adult = side("public", age_band="child"), side("public", age_band="adult")
    assert subscriber(age_band="child").sees("trial.updated", child, adult, SINCE) is Visibility.TOMBSTONE
    assert subscriber("trial.published").sees("trial.withdrawn", child, NOT_VISIBLE, SINCE) is Visibility.TOMBSTONE
    assert subscriber(trial="NCT2").sees("trial.withdrawn", child, NOT_VISIBLE, SINCE) is Visibility.NOTHING


def test_events_before_subscribing_are_not_sent_except_for_a_clock_difference() -> None:
    open_to_all = side("public")
    assert (
        subscriber().sees("trial.updated", NOT_VISIBLE, open_to_all, SINCE - timedelta(minutes=4)) is Visibility.EVENT
    )
    assert (
        subscriber().sees("trial.updated", NOT_VISIBLE, open_to_all, SINCE - timedelta(minutes=6)) is Visibility.NOTHING
    )


def cloudevent(**data: Any) -> dict[str, Any]:
    routing = {
        "before": {"audience": [], "facets": {}},
        "after": {"audience": ["public"], "facets": {"centre": ["fr-necker"]}},
    }
    base = {
        "specversion": "1.0",
        "id": "e1",
        "source": "/registry",
        "type": "trial.updated",
        "subject": "trial/NCT1",
        "time": "2026-01-01T00:00:00.000Z",
    }
    return {**base, "data": {"op": "upsert", "id": "NCT1", "version": 2, **data}, "routing": routing}


def test_routing_is_read_and_never_sent() -> None:
    event = read_event(cloudevent())
    assert event.routing == (NOT_VISIBLE, side("public", centre="fr-necker"))
    assert "routing" not in event.body
    assert "fr-necker" not in event.body
    assert json.loads(event.tombstone)["data"] == {"op": "delete", "id": "NCT1"}


def test_an_event_that_is_too_long_is_reduced_to_its_identity() -> None:
    event = read_event(cloudevent(changed=["é" * 9_800]))
    assert json.loads(event.body)["data"]["changed"]
    event = read_event(cloudevent(changed=["é" * 10_000]))
    assert json.loads(event.body)["data"] == {"op": "upsert", "id": "NCT1", "version": 2}
    assert len(event.body.encode()) < 20_000
