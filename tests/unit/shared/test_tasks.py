"""Background steps: repeated, retried after a failure, and ended with their application."""

import asyncio
import logging

import pytest

from shared.tasks import BackgroundTasks
from shared.values.problems import DatabaseBusyError

pytestmark = pytest.mark.anyio


async def test_a_step_is_repeated_until_it_is_stopped() -> None:
    turns = 0
    third = asyncio.Event()

    async def step() -> None:
        nonlocal turns
        turns += 1
        if turns == 3:
            third.set()
        await asyncio.sleep(0)

    async with BackgroundTasks() as tasks:
        task = tasks.repeat(step, "count")
        await asyncio.wait_for(third.wait(), 5)
        await task.stop()
        seen = turns
        await asyncio.sleep(0.01)
        assert turns == seen


async def test_every_step_has_ended_when_the_block_ends() -> None:
    ended = []

    async def step() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    async with BackgroundTasks() as tasks:
        tasks.repeat(step, "first")
        tasks.repeat(step, "second")
        await asyncio.sleep(0)
    assert ended == [True, True]


@pytest.mark.parametrize("error", [ConnectionRefusedError, TimeoutError, DatabaseBusyError])
@pytest.mark.parametrize(("start_seconds", "level"), [(30.0, logging.DEBUG), (0.0, logging.WARNING)])
async def test_an_expected_failure_is_retried_and_is_no_warning_at_the_start(
    caplog: pytest.LogCaptureFixture, error: type[Exception], start_seconds: float, level: int
) -> None:
    caplog.set_level(logging.DEBUG, "shared.tasks")
    recovered = asyncio.Event()
    results = iter([error(), None])

    async def step() -> None:
        if (failure := next(results, None)) is not None:
            raise failure
        recovered.set()
        await asyncio.sleep(1)

    async with BackgroundTasks(start_seconds) as tasks:
        tasks.repeat(step, "flaky")
        await asyncio.wait_for(recovered.wait(), 5)
    (record,) = caplog.records
    assert (record.levelno, record.message, record.step, record.failures) == (level, "step_failed", "flaky", 1)
    assert record.error_class == error.__name__


async def test_an_unexpected_failure_is_an_error_at_any_time_and_is_retried(caplog: pytest.LogCaptureFixture) -> None:
    recovered = asyncio.Event()
    results = iter([KeyError("x"), None])

    async def step() -> None:
        if (failure := next(results, None)) is not None:
            raise failure
        recovered.set()
        await asyncio.sleep(1)

    async with BackgroundTasks() as tasks:
        tasks.repeat(step, "broken")
        await asyncio.wait_for(recovered.wait(), 5)
    (record,) = caplog.records
    assert (record.levelno, record.message) == (logging.ERROR, "step_broken")


async def test_a_step_that_reports_its_cancellation_as_another_failure_stops() -> None:
    begun = asyncio.Event()

    async def step() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise OSError("the connection was cut off") from None

    async with asyncio.timeout(5), BackgroundTasks() as tasks:
        tasks.repeat(step, "cut_off")
        await begun.wait()
