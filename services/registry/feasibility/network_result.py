"""The result of a feasibility for the sponsor: numbers of the whole network, never the answer of one centre. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.registry.feasibility.buckets import Bucket, bucket
from services.registry.feasibility.model import SELECTED, AnswerSheet, FeasibilityRequest

# With fewer answers a number of the network would be the answer of a centre, or of the other one.
LEAST_ANSWERS: Final = 3
_ABLE: Final = frozenset({"yes", "with_conditions"})


@dataclass(frozen=True, slots=True)
class Expected:
    """What the able centres expect in total: patients in all and each year, and the range of their months."""

    able: int
    total: int
    per_year: int
    months: tuple[int, int] | None

    @property
    def buckets(self) -> tuple[Bucket, Bucket]:
        """The total and the number per year for readers who may not see small numbers."""
        return bucket(self.total), bucket(self.per_year)


@dataclass(frozen=True, slots=True)
class NetworkResult:
    """Numbers of centres, and what they expect; ``expected``: None with fewer answers than `LEAST_ANSWERS`."""

    asked: int
    answered: int
    declined: int
    selected: int
    expected: Expected | None


def network_result(found: Sequence[tuple[FeasibilityRequest, AnswerSheet | None]]) -> NetworkResult:
    """Return the result over all requests of one dossier, each with its answers."""
    requests = [request for request, _ in found]
    sheets = [sheet for _, sheet in found if sheet is not None and sheet.submitted_on is not None]
    return NetworkResult(
        asked=len(requests),
        answered=len(sheets),
        declined=sum(one.state == "declined" for one in requests),
        selected=sum(one.state in SELECTED for one in requests),
        expected=_expected(sheets) if len(sheets) >= LEAST_ANSWERS else None,
    )


def _expected(sheets: Sequence[AnswerSheet]) -> Expected:
    answers = [{answer.question: answer.value for answer in sheet.submitted} for sheet in sheets]
    able = [one for one in answers if one.get("able") in _ABLE]
    months = [value for one in able if isinstance(value := one.get("recruitment_months"), int)]
    return Expected(
        able=len(able),
        total=sum(int(one.get("recruitment_total", 0)) for one in able),
        per_year=sum(int(one.get("recruitment_per_year", 0)) for one in able),
        months=(min(months), max(months)) if len(months) >= LEAST_ANSWERS else None,
    )
