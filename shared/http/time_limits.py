"""Time limits inside a request."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from shared.values.problems import Problem, TimedOutError

T = TypeVar("T")


async def within(
    seconds: float | None, work: Coroutine[Any, Any, T], problem: Callable[[], Problem] = TimedOutError
) -> T:
    """Await ``work`` for at most ``seconds`` (None: as long as it takes).

    :raises Problem: the time is over: 503, or what ``problem`` makes.
    """
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise problem() from None
