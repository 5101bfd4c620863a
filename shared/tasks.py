"""Background work of one application: named steps that are repeated until the application stops."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from time import monotonic
from types import TracebackType
from typing import Self

from shared.values.problems import Problem

logger = logging.getLogger(__name__)

# Services start together and reach each other only after a while: failures of the first seconds are normal.
START_SECONDS = 30.0
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0


class RepeatedTask:
    """One step that is being repeated."""

    def __init__(self, task: asyncio.Task[None]) -> None:
        self._task = task

    async def stop(self) -> None:
        """Cancel the step and wait until it has ended."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class BackgroundTasks:
    """The repeated steps of one application, all stopped at the end of the ``async with`` block at the latest."""

    def __init__(self, start_seconds: float = START_SECONDS) -> None:
        self._tasks: list[RepeatedTask] = []
        self._started_until = monotonic() + start_seconds

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def repeat(self, step: Callable[[], Awaitable[None]], name: str) -> RepeatedTask:
        """Repeat ``step`` in the background. After a failure it waits 0.2 s, doubling to 5 s, and tries again.

        :param name: names the step in the log.
        """
        task = RepeatedTask(asyncio.create_task(self._repeat(step, name), name=name))
        self._tasks.append(task)
        return task

    async def stop(self) -> None:
        """Stop every step, the last one first."""
        while self._tasks:
            await self._tasks.pop().stop()

    async def _repeat(self, step: Callable[[], Awaitable[None]], name: str) -> None:
        failures = 0
        while True:
            try:
                await step()
                failures = 0
                # A step that never waits must not keep the event loop from all other work.
                await asyncio.sleep(0)
            except (OSError, Problem) as error:
                failures += 1
                level = logging.DEBUG if monotonic() < self._started_until else logging.WARNING
                cause = type(error.__cause__ or error).__name__
                logger.log(level, "step_failed", extra={"step": name, "error_class": cause, "failures": failures})
                await _wait(failures)
            except Exception:
                failures += 1
                logger.exception("step_broken", extra={"step": name, "failures": failures})
                await _wait(failures)


async def _wait(failures: int) -> None:
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        # A database connection that is cut off in the middle of a savepoint reports its loss instead.
        raise asyncio.CancelledError
    longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(failures - 1, 10))
    # Not a secret: spreads the retries of several replicas.
    await asyncio.sleep(longest * random.uniform(0.8, 1.2))  # noqa: S311
