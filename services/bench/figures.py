"""What a bench prints: named figures with their targets, and the comparison of two servers in turns."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from services.bench.client import Call, Connection, cost, cpu_seconds

ROUNDS = 3
IN_A_ROW = 250


@dataclass(frozen=True)
class Figure:
    """One line. ``target`` is the greatest value that is good; None: no target is set."""

    group: str
    name: str
    value: float
    unit: str
    target: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the value is within its target."""
        return None if self.target is None else self.value <= self.target


@dataclass(frozen=True)
class Compared:
    """Processor time of one call in microseconds: of the product, and of the baseline that returns the same bytes."""

    product: float
    baseline: float

    @property
    def ratio(self) -> float:
        """How many times the baseline's cost."""
        return self.product / self.baseline


@dataclass(frozen=True)
class Side:
    """A server's port, process and calls."""

    port: int
    pid: int
    calls: Sequence[Call]


def compare(product: Side, empty: Side, count: int) -> Compared:
    """Call both in turns of 250 calls, ``count`` calls each in every of 3 rounds; the best round of each counts."""
    turn = min(IN_A_ROW, count)
    best = [float("inf"), float("inf")]
    with Connection(product.port) as first, Connection(empty.port) as second:
        sides = ((first, product, cycle(product.calls)), (second, empty, cycle(empty.calls)))
        for connection, side, calls in sides:  # connections, caches and branches are warm before anything counts
            cost(connection, side.pid, list(islice(calls, turn)))
        for _ in range(ROUNDS):
            spent = [0.0, 0.0]
            for _ in range(count // turn):
                for index, (connection, side, calls) in enumerate(sides):
                    spent[index] += cost(connection, side.pid, list(islice(calls, turn))) * turn
            best = [min(known, one / (count // turn * turn)) for known, one in zip(best, spent, strict=True)]
    return Compared(*best)


def spent_while(pid: int, work: Callable[[], object]) -> float:
    """Processor time in seconds that a process spent while ``work`` ran."""
    before = cpu_seconds(pid)
    work()
    return cpu_seconds(pid) - before


def lines(figures: Iterable[Figure]) -> Iterator[str]:
    """The figures as a table, one line each, under the name of their group."""
    group = ""
    for one in figures:
        if one.group != group:
            group = one.group
            yield f"\n{group}"
        target = "" if one.target is None else f"target {one.target:g}"
        verdict = {None: "", True: "met", False: "NOT MET"}[one.met]
        yield f"  {one.name:<52}{one.value:>10.2f} {one.unit:<8}{target:<14}{verdict:<8} {one.note}".rstrip()


__all__ = ["Compared", "Figure", "Side", "compare", "lines", "spent_while"]
