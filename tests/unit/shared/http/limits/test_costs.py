"""The table of costs: it names routes that exist, and counts what a request shows."""

import importlib

import pytest
from fastapi.routing import APIRoute

from services.matching.evaluations.costs import match_units
from shared.http.limits.costs import COSTS, Cost, cost_of


def routes() -> set[str]:
    return {
        f"{method} {route.path}"
        for service in ("registry", "matching", "notifications")
        for route in importlib.import_module(f"services.{service}.app").create_app().routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


def test_every_row_of_the_table_is_a_route() -> None:
    # Not every service has a feed.
    assert set(COSTS) - routes() <= {"GET /notifications/v1/feed"}


@pytest.mark.parametrize(
    ("query", "units"),
    [
        ("", 1),
        ("limit=20", 1),
        ("limit=200", 3),
        ("q=", 1),
        ("q=x", 2),
        ("%71=x", 2),
        ("q=x&condition=ORPHA%3A98896&count=exact", 5),
        ("limit=99999999999999999999", 1),
        ("limit=%C2%B2", 1),
        ("unknown=1", 1),
    ],
)
def test_a_list_costs_more_with_filters_and_long_pages(query: str, units: int) -> None:
    assert cost_of({"GET", "HEAD"}, "/registry/v1/trials").of_query(query.encode()) == units


def test_bodies_cost_by_size_or_by_lines() -> None:
    check = cost_of({"POST"}, "/matching/v1/criteria/check")
    assert [check.of_body(b"x" * size) for size in (100, 125 * 1024)] == [0, 15]
    lines = cost_of({"PUT"}, "/registry/v1/sources/{source}/trials")
    assert lines.of_body(b"{}\n" * 200) == 40


def test_a_route_without_a_row_costs_one() -> None:
    assert cost_of({"GET"}, "/registry/livez") == Cost()


def test_a_match_costs_by_facts_and_by_the_trials_listed() -> None:
    assert match_units(20, 18) == 0
    assert match_units(20, 300) == 10
    assert match_units(600, 300) == 22
    assert match_units(0, 9_500) == 50
