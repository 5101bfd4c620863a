"""Runs a match so that other calls do not wait: a short one at once, a long one in the thread for heavy work."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request

from services.matching.evaluations.costs import match_units
from services.matching.evaluations.service import candidates
from services.matching.patients.index import IndexedPatient
from services.matching.snapshots.model import Snapshot
from shared.http.charges import charge
from shared.http.heavy_work import HeavyWork

T = TypeVar("T")
# Of 10 ms each. What takes longer leaves the event loop; what takes much longer lets others go first.
SHORT_UNITS = 5
LONG_UNITS = 15
# With more facts even selecting the trials takes up to 40 ms.
FEW_FACTS = 100


async def run_match(
    request: Request, snapshot: Snapshot, patient: IndexedPatient, function: Callable[..., T], *more: Any
) -> T:
    """Charge a match to its caller, then return ``function(snapshot, patient, *more)``.

    :raises OverloadedError: 503, too many long computations are waiting.
    """
    heavy: HeavyWork = request.app.state.heavy_work
    if len(patient.index.facts) > FEW_FACTS:
        await heavy.run(candidates, snapshot, patient)
    units = match_units(len(patient.index.facts), len(candidates(snapshot, patient).trials))
    charge(request, units)
    if units < SHORT_UNITS:
        return function(snapshot, patient, *more)
    return await heavy.run(function, snapshot, patient, *more, long=units > LONG_UNITS)
