"""`cleio bench` prints its measurements and what they are compared with. No figure is asserted here."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, System

MAIN_CALLS = {"list 20 trials", "read one trial", "read one trial, unchanged", "search by word", "match one patient"}
FEED_CALLS = {"follow changes, a batch", "follow changes, one by one"}


def bench(*arguments: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "services.cli", "bench", "--json", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    measured: dict[str, Any] = json.loads(ended.stdout)
    assert all(call["failed"] == 0 for call in measured["calls"])
    assert all(0 < call["p50"] <= call["p99"] and call["per_second"] > 0 for call in measured["calls"])
    assert all(ratio["ratio"] > 0 for ratio in measured["ratios"])
    return measured


def test_a_running_system_is_measured_through_its_gateway(system: System) -> None:
    measured = bench("--url", system.url, "--seconds", "0.5", "--connections", "2")
    assert {call["call"] for call in measured["calls"]} == MAIN_CALLS | FEED_CALLS
    assert {ratio["what"] for ratio in measured["ratios"]} == {"read one trial, unchanged", "follow changes, a batch"}


@pytest.mark.full
@pytest.mark.alone
def test_a_system_of_its_own_is_measured_with_its_processor_time_and_directly_too(
    figure: Callable[[str, object], None],
) -> None:
    measured = bench()
    direct = {f"{name} (direct)" for name in ("list 20 trials", "read one trial", "match one patient")}
    assert {call["call"] for call in measured["calls"]} == MAIN_CALLS | FEED_CALLS | direct
    assert all(call["cpu"] > 0 and call["gateway_cpu"] >= 0 for call in measured["calls"])
    assert {ratio["what"] for ratio in measured["ratios"]} == {
        *direct,
        "read one trial, unchanged",
        "follow changes, a batch",
        "match, snapshot compiled",
    }
    for call in measured["calls"]:
        figure(
            f"bench: {call['call']}",
            f"{call['per_second']}/s, p50 {call['p50']} ms, p99 {call['p99']} ms, {call['cpu']} µs CPU",
        )
    for ratio in measured["ratios"]:
        figure(
            f"bench, compared: {ratio['what']}", f"{ratio['ratio']:.1f} × {ratio['unit']} of {ratio['compared_with']}"
        )
