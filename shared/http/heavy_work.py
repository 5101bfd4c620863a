"""Long computations of a service: in a thread, one at a time, so that the event loop goes on answering."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from shared.values.problems import OverloadedError

T = TypeVar("T")

MAX_WAITING = 16


class HeavyWork:
    """Runs computations one after the other. A second thread would only slow the event loop: Python runs one at a time.

    Of the long ones, only one waits for its turn at a time: the others go first. ``max_waiting``: how many may wait.
    """

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self._max_waiting = max_waiting
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._long = asyncio.Lock()

    async def run(self, function: Callable[..., T], *arguments: object, long: bool = False) -> T:
        """Return ``function(*arguments)``.

        :raises OverloadedError: 503, too many computations are waiting.
        """
        if self._waiting >= self._max_waiting:
            raise OverloadedError
        self._waiting += 1
        try:
            async with self._long if long else nullcontext(), self._turn:
                return await asyncio.to_thread(function, *arguments)
        finally:
            self._waiting -= 1
