"""Reads the records of large imports in processes of their own, so that the event loop stays free for other callers.

A process builds the same terminology and rules; it is used only while its rules are those of the caller. What it cannot
read it leaves to the caller, which finds the reason.
"""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final, TypeVar

from services.registry.scope import judge, rules_version
from services.registry.sources.places import CentreRule, by_name
from services.registry.sources.preparing import Draft, Line, LinePreparer
from services.registry.sources.readers import reader_of
from services.registry.sources.registry_criteria import registry_criteria
from services.registry.sources.seen import Seen
from services.registry.terminology.service import terminology_of
from services.registry.terminology.terminology import Terminology
from services.registry.trials.rules import TrialRules

# Fewer lines are not worth the start of a process.
FEWEST: Final = 100
# Lines that a process parses at once.
TOGETHER: Final = 25
IDLE_SECONDS: Final = 60.0
NICENESS: Final = 5

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Rules:
    """What the records of a source are read by. ``version``: `LinePreparer.version`."""

    source: str
    centres: tuple[CentreRule, ...]
    version: str


class Processes:
    """Processes with the terminology of an import."""

    def __init__(self, pool: ProcessPoolExecutor, count: int) -> None:
        self.pool = pool
        # So many slices of lines wait for them, or are read.
        self.at_once = 2 * count
        self.is_broken = False
        self.used = time.monotonic()

    async def parse(self, preparer: LinePreparer, lines: Sequence[bytes], most: int) -> list[Seen | None]:
        """Return the id and hash of the record in each line; None: not found here. ``most``: the bytes of a line."""
        parts = [lines[start : start + TOGETHER] for start in range(0, len(lines), TOGETHER)]
        found = await asyncio.gather(*(self._run(_parse, preparer, part, most) for part in parts))
        return [one for part in found for one in part]

    async def read(self, preparer: LinePreparer, lines: Sequence[bytes]) -> list[Draft | None]:
        """Read the record in each line; None: not read here."""
        return await self._run(_read, preparer, lines)

    async def _run(
        self, work: Callable[..., list[Result | None]], preparer: LinePreparer, lines: Sequence[bytes], *given: int
    ) -> list[Result | None]:
        self.used = time.monotonic()
        rules = _Rules(preparer.reader.source, preparer.centres, preparer.version)
        try:
            return await asyncio.get_running_loop().run_in_executor(self.pool, work, rules, lines, *given)
        except (BrokenProcessPool, RuntimeError):
            # A process ended, for lack of memory for example: the caller reads these lines itself.
            self.is_broken = True
            return [None] * len(lines)


class ReadingProcesses:
    """At most ``count`` processes (0: none). They start with a large import and end when none comes."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._terminology = ""
        self._processes: Processes | None = None

    def of(self, terminology: str, contents: Sequence[bytes]) -> Processes | None:
        """Return processes with this terminology, by its version and the loaded releases."""
        if not self._count:
            return None
        if self._processes is None or self._terminology != terminology or self._processes.is_broken:
            self.close()
            given = (os.getpid(), tuple(contents))
            pool = ProcessPoolExecutor(self._count, get_context("spawn"), initializer=_start, initargs=given)
            self._terminology, self._processes = terminology, Processes(pool, self._count)
        return self._processes

    def close(self) -> None:
        """End the processes."""
        if self._processes is not None:
            self._processes.pool.shutdown(wait=False, cancel_futures=True)
            self._processes = None

    async def watch(self) -> None:
        """Wait, then end the processes if they were not used lately."""
        await asyncio.sleep(IDLE_SECONDS / 4)
        if self._processes is not None and time.monotonic() - self._processes.used > IDLE_SECONDS:
            self.close()


# The terminology of this process, if it is one of these.
_HERE: dict[str, Terminology] = {}


def _start(parent: int, contents: Sequence[bytes]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the service, which ends its processes
    os.nice(NICENESS)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _HERE["terminology"] = terminology_of(contents)


def _end_with(parent: int) -> None:
    """End this process when the service has ended, however it did."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _preparer(rules: _Rules) -> LinePreparer | None:
    """Return the rules by which this process reads; None if they are not those of the caller."""
    here = TrialRules(_HERE["terminology"], judge, registry_criteria, by_name)
    reader = reader_of(rules.source)
    if reader is None:
        return None
    made = LinePreparer(reader, here, rules_version, rules.centres)
    return made if made.version == rules.version else None


def _parse(rules: _Rules, lines: Sequence[bytes], most: int) -> list[Seen | None]:
    preparer = _preparer(rules)
    if preparer is None:
        return [None] * len(lines)
    return [line.seen for line in preparer.parse(list(enumerate(lines)), most)]


def _read(rules: _Rules, lines: Sequence[bytes]) -> list[Draft | None]:
    preparer = _preparer(rules)
    if preparer is None:
        return [None] * len(lines)
    read = preparer.read([Line(number, line) for number, line in enumerate(lines)])
    return [one if isinstance(one, Draft) else None for _, one in sorted(read.items())]
