"""Whether a service can write where it has to: checked for `/readyz`."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from shared.values.problems import DatabaseDamagedError, Problem, storage_problem

CACHE_SECONDS = 5.0
PROBE_BYTES = 64 * 1024


class StorageProbe:
    """Writes and removes a small file in each folder, at most once every `CACHE_SECONDS`."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(dict.fromkeys(folders))
        self._probing = asyncio.Lock()
        self._probed = float("-inf")
        self._problem: Problem | None = None
        self._is_damaged = False

    def report(self, problem: Problem) -> None:
        """Remember a damaged database that a request has met: it stays damaged until the service starts again."""
        self._is_damaged |= isinstance(problem, DatabaseDamagedError)

    async def problem(self) -> Problem | None:
        """Return what prevents writing; None: nothing."""
        if self._is_damaged:
            return DatabaseDamagedError()
        async with self._probing:
            if monotonic() - self._probed >= CACHE_SECONDS:
                self._problem = await asyncio.to_thread(self._probe)
                self._probed = monotonic()
        return self._problem

    def _probe(self) -> Problem | None:
        try:
            for folder in self._folders:
                folder.mkdir(parents=True, exist_ok=True)
                _write_and_remove(folder / f".probe-{os.getpid()}")
        except OSError as error:
            return storage_problem(error)
        return None


def _write_and_remove(path: Path) -> None:
    try:
        with path.open("wb") as file:
            file.write(b"\0" * PROBE_BYTES)
            file.flush()
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)
