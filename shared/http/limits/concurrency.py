"""Limits concurrent requests per process. Excess requests get 503 at once: refusing costs little, queues delay all.

Part of the capacity is reserved: anonymous callers together, and each address, get a share of it, so that identified
callers and the installation's own services are still answered when the public asks for more than the process can do.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal

from shared.values.problems import OverloadedError

# `arriving`: the body is being read; `working`: the handler runs; `waiting`: a long poll or a stream, mostly idle.
Stage = Literal["arriving", "working", "waiting"]
CallerGroup = Literal["service", "identified", "anonymous"]


@dataclass(frozen=True, slots=True)
class Shares:
    """Greatest shares of a stage. ``callers``: of all callers but the installation's own services."""

    callers: float
    anonymous: float
    address: float


SHARES: Mapping[Stage, Shares] = {
    "arriving": Shares(callers=0.9, anonymous=0.6, address=0.25),
    "working": Shares(callers=0.9, anonymous=0.6, address=0.25),
    # With the default of 2,000: 1,200 long polls of anonymous callers, 50 of one address.
    "waiting": Shares(callers=0.9, anonymous=0.6, address=0.025),
}


@dataclass(frozen=True, slots=True)
class Occupant:
    """The caller of a request. ``address``: counted for anonymous callers; None: no limit by address."""

    group: CallerGroup
    address: str | None = None


SERVICE = Occupant("service")
IDENTIFIED = Occupant("identified")
ANONYMOUS = Occupant("anonymous")


class ConcurrencyLimiter:
    """Counts requests by stage, by group of callers and by address."""

    def __init__(self, max_working: int, max_waiting: int) -> None:
        self._max: dict[Stage, int] = {"arriving": max_working, "working": max_working, "waiting": max_waiting}
        self._count: Counter[Stage] = Counter()
        self._callers: Counter[Stage] = Counter()
        self._anonymous: Counter[Stage] = Counter()
        # Only addresses with requests in progress.
        self._addresses: Counter[tuple[Stage, str]] = Counter()
        self._most_callers = {stage: self._part(stage, shares.callers) for stage, shares in SHARES.items()}
        self._most_anonymous = {stage: self._part(stage, shares.anonymous) for stage, shares in SHARES.items()}
        self._most_of_address = {stage: self._part(stage, shares.address) for stage, shares in SHARES.items()}

    def _part(self, stage: Stage, share: float) -> int:
        return ceil(self._max[stage] * share)

    def permit(self, occupant: Occupant = SERVICE) -> "Permit":
        return Permit(self, occupant)

    def enter(self, stage: Stage, occupant: Occupant = SERVICE) -> None:
        """:raises OverloadedError: 503."""
        if self.is_full(stage, occupant):
            raise OverloadedError
        self._add(stage, occupant, 1)

    def is_full(self, stage: Stage, occupant: Occupant = SERVICE) -> bool:
        """Return whether a request of this caller that enters this stage now is refused."""
        if self._count[stage] >= self._max[stage]:
            return True
        if occupant.group == "service":
            return False
        if self._callers[stage] >= self._most_callers[stage]:
            return True
        if occupant.group == "identified":
            return False
        if self._anonymous[stage] >= self._most_anonymous[stage]:
            return True
        address = occupant.address
        return address is not None and self._addresses[stage, address] >= self._most_of_address[stage]

    def leave(self, stage: Stage, occupant: Occupant = SERVICE) -> None:
        self._add(stage, occupant, -1)

    def _add(self, stage: Stage, occupant: Occupant, number: int) -> None:
        self._count[stage] += number
        if occupant.group == "service":
            return
        self._callers[stage] += number
        if occupant.group == "identified":
            return
        self._anonymous[stage] += number
        if occupant.address is not None:
            key = (stage, occupant.address)
            self._addresses[key] += number
            if not self._addresses[key]:
                del self._addresses[key]


class Permit:
    """The permit of one request: for one stage at a time."""

    def __init__(self, limiter: ConcurrencyLimiter, occupant: Occupant = SERVICE) -> None:
        self._limiter = limiter
        self._occupant = occupant
        self._stage: Stage | None = None

    def take(self, stage: Stage) -> None:
        """Leave the present stage and enter another.

        :raises OverloadedError: 503, the stage is full, or the part of it for callers like this one.
        """
        self.leave()
        self._limiter.enter(stage, self._occupant)
        self._stage = stage

    def leave(self) -> None:
        if self._stage is not None:
            self._limiter.leave(self._stage, self._occupant)
            self._stage = None
