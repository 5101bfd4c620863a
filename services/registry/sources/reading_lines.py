"""Reads the lines of an import: in processes, or in a thread."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence

from services.registry.sources.preparing import Draft, Line, LinePreparer
from services.registry.sources.reading_processes import Processes
from shared.values.problems import Problem

Read = tuple[Sequence[Line], Mapping[int, Draft | Problem]]


class LineReading:
    """Reads the lines of one import. What ``processes`` leave is read in a thread."""

    def __init__(self, preparer: LinePreparer, processes: Processes | None = None) -> None:
        self._preparer = preparer
        self._processes = processes

    async def parse(self, lines: Sequence[tuple[int, bytes]], most: int) -> list[Line]:
        """Identify and hash the records of some lines; ``most``: the bytes of a line."""
        found: dict[int, Line] = {}
        if self._processes is not None:
            seen = await self._processes.parse(self._preparer, [content for _, content in lines], most)
            found = {
                number: Line(number, content, one)
                for (number, content), one in zip(lines, seen, strict=True)
                if one is not None
            }
        left = [one for one in lines if one[0] not in found]
        parsed = await asyncio.to_thread(self._preparer.parse, left, most) if left else []
        found |= {line.number: line for line in parsed}
        return [found[number] for number, _ in lines]

    async def read(self, lines: Sequence[Line], size: int) -> AsyncGenerator[Read, None]:
        """Yield slices of the lines with what was read of them. Processes read the next ones meanwhile."""
        ahead = 1 if self._processes is None else self._processes.at_once
        waiting: deque[tuple[Sequence[Line], asyncio.Task[Mapping[int, Draft | Problem]]]] = deque()
        left = deque(lines[start : start + size] for start in range(0, len(lines), size))
        try:
            while left or waiting:
                while left and len(waiting) < ahead:
                    part = left.popleft()
                    waiting.append((part, asyncio.create_task(self._read(part))))
                part, task = waiting.popleft()
                yield part, await task
        finally:
            for _, task in waiting:
                task.cancel()

    async def _read(self, lines: Sequence[Line]) -> Mapping[int, Draft | Problem]:
        found: dict[int, Draft | Problem] = {}
        if self._processes is not None:
            drafts = await self._processes.read(self._preparer, [line.content for line in lines])
            found |= {line.number: one for line, one in zip(lines, drafts, strict=True) if one is not None}
        left = [line for line in lines if line.number not in found]
        if left:
            found |= await asyncio.to_thread(self._preparer.read, left)
        for line in lines:
            if isinstance(draft := found[line.number], Draft):
                self._preparer.remember(line, draft)
        return found
