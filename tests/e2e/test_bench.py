"""`cleio bench` prints each figure with its target. The tests check no figure."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import ROOT


def bench(*arguments: str, seconds: int = 300) -> list[dict[str, Any]]:
    ended = subprocess.run(
        [sys.executable, "-m", "services.cli", "bench", "--json", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    figures: list[dict[str, Any]] = json.loads(ended.stdout)
    assert [one for one in figures if one["value"] <= 0] == []
    assert all((one["met"] is None) == (one["target"] is None) for one in figures)
    return figures


def check_names(figures: list[dict[str, Any]], groups: set[str]) -> None:
    """Check that these groups have all their figures."""
    names = {one["name"] for one in figures}
    if "hits" in groups:
        compared = {one["name"] for one in figures if one["unit"] == "×" and "cache" in one["group"]}
        assert compared == {"list of 20 trials", "trial by id", "trial by id, 304", "livez"}
    if "search" in groups:
        kinds = {one["group"].rpartition(", ")[2] for one in figures if one["name"].startswith("p99, ")}
        assert kinds == {"sqlite", "postgresql"}
        assert sum(one["name"].startswith("p99, ") for one in figures) > 20
    if "pages" in groups:
        assert {"p95, trials found by words", "p95, a trial", "p95, map"} <= names
    if "matching" in groups:
        matches = {one["name"] for one in figures if one["group"].startswith("Matching")}
        assert {"opening a record of 300 facts", "livez p99", "another caller's match p99"} <= names
        assert sum(name.endswith("many listed") for name in matches) == 2


@pytest.mark.full
def test_a_small_run_has_every_comparison_and_every_page() -> None:
    groups = {"hits", "pages"}
    only = (word for group in sorted(groups) for word in ("--only", group))
    check_names(bench(*only, "--calls", "50", "--trials", "300"), groups)


@pytest.mark.full
def test_a_small_run_has_every_query() -> None:
    groups = {"misses", "search", "matching"}
    only = (word for group in sorted(groups) for word in ("--only", group))
    check_names(bench(*only, "--calls", "50", "--trials", "300"), groups)


@pytest.mark.full
@pytest.mark.alone
def test_all_figures_at_their_real_size(figure: Callable[[str, object], None]) -> None:
    for one in bench(seconds=1800):
        target = "" if one["target"] is None else f" (target {one['target']:g})"
        figure(f"bench: {one['group']}: {one['name']}", f"{one['value']:.2f} {one['unit']}{target}")
