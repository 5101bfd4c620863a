"""Long computations run one at a time, and a bounded number of them waits."""

import asyncio
import threading

import pytest

from shared.http.heavy_work import HeavyWork
from shared.values.problems import OverloadedError

pytestmark = pytest.mark.anyio


async def test_one_computation_runs_at_a_time_and_not_on_the_event_loop() -> None:
    work, running, most = HeavyWork(), 0, 0

    def compute(number: int) -> tuple[int, int]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        running -= 1
        return number, threading.get_ident()

    found = await asyncio.gather(*(work.run(compute, number) for number in range(10)))
    assert [number for number, _ in found] == list(range(10))
    assert threading.get_ident() not in {thread for _, thread in found}
    assert most == 1


async def test_beyond_the_waiting_ones_more_are_refused_and_errors_are_passed_on() -> None:
    work, go_on = HeavyWork(max_waiting=2), threading.Event()
    tasks = [asyncio.create_task(work.run(go_on.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await work.run(int)
    go_on.set()
    await asyncio.gather(*tasks)
    with pytest.raises(ZeroDivisionError):
        await work.run(divmod, 1, 0)
    assert await work.run(int, "7") == 7


async def test_long_computations_let_the_others_go_first() -> None:
    work, ended = HeavyWork(), list[str]()
    names = ["long 1", "long 2", "long 3", "short 1", "short 2"]
    await asyncio.gather(*(work.run(ended.append, name, long=name.startswith("long")) for name in names))
    assert ended == ["long 1", "short 1", "short 2", "long 2", "long 3"]
