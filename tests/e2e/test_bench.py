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
    assert all(one["value"] > 0 for one in figures)
    assert all((one["met"] is None) == (one["target"] is None) for one in figures)
    return figures


def test_cached_reads_are_compared_with_an_empty_route() -> None:
    figures = bench("--only", "hits", "--calls", "250")
    compared = {one["name"] for one in figures if one["unit"] == "×"}
    assert compared == {"list of 20 trials", "trial by id", "trial by id, 304", "livez"}


def test_uncached_reads_and_searches_are_measured_over_many_trials() -> None:
    figures = bench("--only", "misses", "--only", "search", "--calls", "250", "--trials", "300")
    groups = {one["group"] for one in figures}
    assert {group.rpartition(", ")[2] for group in groups} == {"sqlite", "postgresql"}
    assert sum(one["name"].startswith("p99, ") for one in figures) > 10


@pytest.mark.full
@pytest.mark.alone
def test_all_figures_at_their_real_size(figure: Callable[[str, object], None]) -> None:
    for one in bench(seconds=1800):
        target = "" if one["target"] is None else f" (target {one['target']:g})"
        figure(f"bench: {one['group']}: {one['name']}", f"{one['value']:.2f} {one['unit']}{target}")
