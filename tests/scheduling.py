"""Decide which tests `make test` runs, on which worker, and in which order: all workers shall end together."""

import os
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from zlib import crc32

import pytest
from xdist.scheduler import LoadScopeScheduling

# Each case of these files is independent of the next and long enough to go to a worker by itself.
SPREAD = frozenset({"tests/oracle/test_engine_agrees.py"})
# Files that share an installation, which takes seconds to start (a fixture of tests/e2e/conftest.py): one worker each.
TOGETHER = {
    "tests/e2e/test_cli.py": "system",
    "tests/e2e/test_gateway.py": "system",
    "tests/e2e/test_generated_clients.py": "system",
    "tests/e2e/test_hostile.py": "system",
    "tests/e2e/test_pages.py": "system",
    "tests/e2e/test_supervisor.py": "system",
    "tests/e2e/test_guides.py": "inhabited",
    "tests/e2e/test_identity.py": "inhabited",
    "tests/e2e/test_openid_provider.py": "inhabited",
    "tests/e2e/test_quickstart.py": "inhabited",
    "tests/e2e/test_sign_in.py": "inhabited",
    "tests/e2e/test_terminology.py": "inhabited",
    "tests/e2e/test_canaries.py": "traced",
    "tests/e2e/test_traces.py": "traced",
}
# The same for all files of a folder.
FOLDERS = {"tests/browser/": "site"}
# The longest files first, the many short ones last. Installations that are shared go on until the end: they start late.
ORDER = (
    "tests/contract/test_rights.py",
    "tests/contract/test_sources.py",
    "tests/contract/test_kill.py",
    "tests/contract/test_fuzz.py",
    "tests/contract/test_notifications_crash.py",
    "tests/contract/",
    "tests/browser/",
    "tests/e2e/",
    "tests/oracle/",
    "tests/architecture/",
    "",
)
DATABASES = ("postgresql", "sqlite")
# What these files test is how a database behaves. `make test` runs them on both kinds, all others on one.
ON_BOTH = frozenset(
    f"tests/contract/test_{name}.py"
    for name in ("db_copy", "feed", "migrations", "near", "search", "sequencing", "time_limits")
)


def workers() -> int:
    """Return how many workers `-n auto` starts: one more than processors, because tests wait a fourth of their time."""
    return len(os.sched_getaffinity(0)) + 1


def unit_of_work(nodeid: str) -> str:
    """Return the name of the unit that this test belongs to: all tests of a unit run on one worker."""
    file = nodeid.partition("::")[0]
    folder = next((unit for start, unit in FOLDERS.items() if file.startswith(start)), file)
    return nodeid if file in SPREAD else TOGETHER.get(file, folder)


def in_order(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Return the tests in the order in which the workers begin them; within a file nothing changes."""
    return sorted(items, key=lambda item: next(at for at, start in enumerate(ORDER) if item.nodeid.startswith(start)))


def on_the_second_database(items: Iterable[pytest.Item]) -> Iterable[pytest.Item]:
    """Yield the tests that `make test` leaves to `make test-full`: the same test runs on the other database.

    Which one is drawn from the test's name, so that it does not change when other tests are added.
    """
    kinds: dict[str, dict[str, list[pytest.Item]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        file, test = item.nodeid.partition("[")[0].split("::", 1)
        values = (
            item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
        )
        if file not in ON_BOTH and (kind := next((one for one in DATABASES if one in values), None)):
            kinds[f"{file}::{test}"][kind].append(item)
    for name, found in kinds.items():
        if len(found) == len(DATABASES):
            yield from found[DATABASES[crc32(name.encode()) % len(DATABASES)]]


class Scheduler(LoadScopeScheduling):
    """Distribute units of work in the order of collection."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # it would begin with the files that have the most, and shortest, tests

    def _split_scope(self, nodeid: str) -> str:
        return unit_of_work(nodeid)
