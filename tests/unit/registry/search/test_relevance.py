"""Searches in French and English: what each must find, and what must come first (tests/data/searches.json)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.registry.search.corpus import Corpus, real, small, with_words

SEARCHES = json.loads((Path(__file__).parents[3] / "data" / "searches.json").read_text(encoding="utf-8"))
CASES = [(query, group) for group in SEARCHES["searches"] for query in group["queries"]]
FIRST = 3


def written(number: int, one: dict[str, Any]) -> dict[str, Any]:
    """Return a trial of the file as the registry takes it."""
    name, kind = one.get("sponsor", ["Hôpital de recherche", "academic"])
    low, high = one.get("ages", [None, None])
    countries = one.get("countries", ["FR"])
    return {
        "identifiers": [{"type": "nct", "value": f"NCT99{number:06}"}],
        "titles": {"fr": one.get("fr"), "en": one["en"]},
        "conditions": [{"code": code, "text": text} for code, text in one["conditions"]],
        "product": {
            "name": one.get("name"),
            "atmp_class": one.get("cls", "gene_therapy"),
            "vector": one.get("vector"),
            "serotype": one.get("serotype"),
            "genes": one.get("genes", []),
            "editing_tool": one.get("editing_tool"),
            "cell_origin": one.get("origin"),
        },
        "phase": one["phase"],
        "status": one.get("status", "recruiting"),
        "countries": countries,
        "sponsor": {"name": name, "kind": kind},
        "locations": [{"facility": place, "city": city, "country": "FR"} for place, city in one.get("cities", [])],
        "sites": [{"centre": one["centre"], "status": "recruiting"}] if "centre" in one else [],
        "eligibility": {"minimum_age": low, "maximum_age": high, "sex": one.get("sex", "all")},
    }


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return small([written(number, one) for number, one in enumerate(SEARCHES["trials"])])


@pytest.fixture(scope="module")
def keys() -> dict[str, str]:
    return {f"NCT99{number:06}": one["key"] for number, one in enumerate(SEARCHES["trials"])}


def test_there_are_enough_searches() -> None:
    assert len({query for query, _ in CASES}) >= 150


def test_searches_find_their_trials(corpus: Corpus, keys: dict[str, str]) -> None:
    wrong = []
    sample = {one.identifier for one in corpus.trials} - keys.keys()
    for query, group in CASES:
        here = corpus.of(query)
        expected = set(group["find"])
        hits = {keys.get(one, one) for one in here}
        # The real trials of the sample may rightly come first too: they are compared by the other test.
        first = [keys[one] for one in here if one not in sample][: min(FIRST, len(expected))]
        others = hits & set(keys.values()) - expected if group.get("only") else set()
        if expected - hits or others or (group.get("first", True) and not set(first) <= expected):
            wrong.append((query, sorted(expected - hits), first, others))
    assert wrong == []


def test_a_list_without_a_text_is_by_openness(corpus: Corpus, keys: dict[str, str]) -> None:
    order = [("recruiting", True), ("not_yet_recruiting", True), ("recruiting", False)]
    kinds = {one.identifier: (one.status, "FR" in one.countries) for one in corpus.trials}
    listed = [kinds[one] for one in corpus.of("", sort="relevance") if one in keys]
    places = [order.index(kind) if kind in order else len(order) for kind in listed]
    assert places == sorted(places)
    assert set(places) == {0, 1, 2, 3}


def test_the_list_of_a_centre_begins_with_what_is_open_there(corpus: Corpus) -> None:
    listed = corpus.of("", centre="fr-necker", near="fr-necker", sort="distance")
    open_there = corpus.of("", centre="fr-necker", open="true")
    assert set(listed[: len(open_there)]) == set(open_there)
    assert 0 < len(open_there) < len(listed)


@pytest.mark.real_data
@pytest.mark.full
def test_searches_find_real_trials(real_data: Path, figure: Any) -> None:
    corpus = real(real_data / "ctgov_atmp")
    codes_of = {
        one.identifier: {condition.code for condition in one.conditions if condition.role == "target"} - {None}
        for one in corpus.trials
    }
    recalls, wrong, strangers, shown = [], [], 0, 0
    for query, group in CASES:
        if "real" not in group:
            continue
        expected = with_words(corpus.trials, group["real"])
        here = corpus.of(query)
        if not expected:
            continue
        recalls.append(len(expected & set(here)) / len(expected))
        # A trial may treat the disease without naming it as the pattern does.
        codes = set().union(*(codes_of[one] for one in expected))
        first = [one for one in here[: min(FIRST, len(expected))] if one not in expected and not codes & codes_of[one]]
        shown, strangers = shown + min(FIRST, len(expected)), strangers + len(first)
        if recalls[-1] < 1 or first:
            wrong.append((query, round(recalls[-1], 2), first))
    figure("searches over real trials", f"{len(recalls)}, mean recall {sum(recalls) / len(recalls):.3f}")
    figure("searches over real trials that miss some or begin with others", wrong)
    assert sum(recalls) >= 0.95 * len(recalls), wrong
    assert strangers <= 0.02 * shown, wrong
