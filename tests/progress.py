"""Print what pytest does not: the expected duration, the start of the workers, and the slowest tests."""

import time
from collections import defaultdict

import pytest

SLOWEST = 10
# Measured on two processors without other load; for the reader, asserted nowhere.
USUAL_MINUTES = 13


class Progress:
    """Collects how long each test took."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._started = time.monotonic()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._workers = 0

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, specs: list[object]) -> None:
        self._say(
            f"{len(specs)} workers are starting and collect the tests, which takes up to half a minute;"
            f" the whole run takes about {USUAL_MINUTES} minutes on two slow processors."
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._workers += 1
        self._say(f"worker {self._workers} has collected {len(ids)} tests after {self._elapsed()} s")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if len(self._seconds) <= SLOWEST:
            return
        slowest = sorted(self._seconds.items(), key=lambda one: -one[1])[:SLOWEST]
        terminalreporter.section(f"the {SLOWEST} slowest tests, in seconds with their set-up and teardown")
        for name, seconds in slowest:
            terminalreporter.line(f"{seconds:7.1f}  {name if len(name) <= 150 else name[:149] + '…'}")

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._started:.0f}"

    def _say(self, text: str) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(text, flush=True)
