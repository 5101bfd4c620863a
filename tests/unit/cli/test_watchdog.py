"""The watchdog replaces a process that stopped answering, and only such a process."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from services.supervisor import watchdog
from services.supervisor.watchdog import InvalidHangTimeoutError, hang_timeout, replace_when_hung


class Process:
    """A process whose answers the test sets; ``kill`` gives it a new id."""

    def __init__(self) -> None:
        self.pid: int | None = 1
        self.killed: list[str] = []

    def kill(self, reason: str) -> None:
        self.killed.append(reason)


async def run_for(process: Any, answers: list[int | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the watchdog probe as often as there are answers."""
    left = iter(answers)

    async def get_status(*_: object, **__: object) -> int | None:
        try:
            return next(left)
        except StopIteration:
            raise asyncio.CancelledError from None

    monkeypatch.setattr(watchdog, "get_status", get_status)
    with suppress(asyncio.CancelledError):
        await replace_when_hung(process, "127.0.0.1", 1, "/livez", 0.006)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answers", "kills"),
    [
        ([200, *[None] * 6], 1),
        ([404, *[None] * 6], 1),  # any status is an answer
        ([200, *[None] * 5, 200, *[None] * 5], 0),
        ([None] * 20, 0),  # it has not started yet
        ([200, *[None] * 13], 2),
    ],
)
async def test_a_process_that_stops_answering_is_killed(
    answers: list[int | None], kills: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process()
    await run_for(process, answers, monkeypatch)
    assert len(process.killed) == kills


@pytest.mark.anyio
async def test_a_hung_process_is_killed_after_the_time_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    now, answered_at = 0.0, None

    async def get_status(*_: object, seconds: float, **__: object) -> int | None:
        nonlocal now, answered_at
        if answered_at is None:
            answered_at = now
            return 200
        now += seconds  # an unanswered probe lasts as long as it may
        return None

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += max(0.0, seconds)

    def kill(reason: str) -> None:
        raise asyncio.CancelledError(reason)

    process = Process()
    monkeypatch.setattr(process, "kill", kill)
    monkeypatch.setattr(watchdog, "get_status", get_status)
    monkeypatch.setattr(watchdog, "monotonic", lambda: now)
    monkeypatch.setattr(watchdog.asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await replace_when_hung(process, "127.0.0.1", 1, "/livez", 30)  # type: ignore[arg-type]
    assert now == pytest.approx(35)  # the pause after the last answer, and 30 s


@pytest.mark.parametrize(("text", "seconds"), [("", 30.0), ("0", 0.0), ("2.5", 2.5)])
def test_the_time_is_read_from_the_settings(text: str, seconds: float) -> None:
    assert hang_timeout({"CLEIO_HANG_TIMEOUT": text}) == seconds


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "99999"])
def test_an_invalid_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidHangTimeoutError, match="CLEIO_HANG_TIMEOUT"):
        hang_timeout({"CLEIO_HANG_TIMEOUT": text})
