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


def test_a_small_run_has_every_comparison_and_every_query() -> None:
    only = ("hits", "misses", "search", "pages", "matching")
    figures = bench(*(word for group in only for word in ("--only", group)), "--calls", "50", "--trials", "300")
    compared = {one["name"] for one in figures if one["unit"] == "×" and "cache" in one["group"]}
    assert compared == {"list of 20 trials", "trial by id", "trial by id, 304", "livez"}
    kinds = {one["group"].rpartition(", ")[2] for one in figures if one["name"].startswith("p99, ")}
    assert kinds == {"sqlite", "postgresql"}
    assert sum(one["name"].startswith("p99, ") for one in figures) > 20
    assert {"p95, trials found by words", "p95, a trial", "p95, map"} <= {one["name"] for one in figures}
    matches = {one["name"] for one in figures if one["group"].startswith("Matching")}
    assert {"opening a record of 300 facts", "10 trials, few listed", "100 trials, many listed"} <= matches
    assert {"livez p99", "another caller's match p99"} <= {one["name"] for one in figures}


@pytest.mark.full
@pytest.mark.alone
def test_all_figures_at_their_real_size(figure: Callable[[str, object], None]) -> None:
    for one in bench(seconds=1800):
        target = "" if one["target"] is None else f" (target {one['target']:g})"
        figure(f"bench: {one['group']}: {one['name']}", f"{one['value']:.2f} {one['unit']}{target}")
