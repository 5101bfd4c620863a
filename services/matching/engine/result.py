"""What a match says of one trial."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.matching.engine.kleene import Reason

Verdict = Literal["compatible", "possible", "not_yet", "not_now", "excluded"]
Listing = Literal["listed", "undetermined", "not_indicated"]
RANK: dict[Verdict, int] = {"compatible": 0, "possible": 1, "not_yet": 2, "not_now": 3, "excluded": 4}


@dataclass(frozen=True, slots=True)
class Interval:
    """``[start, until)``; ``until`` is None where nothing ends it within 20 years."""

    start: date
    until: date | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """A criterion on the day of the match.

    ``reasons`` are those of its unknown leaves; ``evidence`` are fact ids, or ``#birth``, ``#sex``, ``#complete:<domain>``.
    ``clears_on`` is the day on which time alone ends its failure; ``investigator`` marks what is left to the investigator.
    """

    id: str
    kind: Literal["include", "exclude"]
    state: Literal["met", "not_met", "unknown"]
    reasons: tuple[Reason, ...]
    evidence: tuple[str, ...]
    clears_on: date | None
    investigator: bool


@dataclass(frozen=True, slots=True)
class CohortResult:
    """A cohort's verdict, its first open interval ``[start, until)``, and the ids of the criteria that count for it."""

    id: str
    verdict: Verdict
    start: date | None
    until: date | None
    refer_before: date | None
    retest: date | None
    timeline: tuple[Interval, ...]
    criteria: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrialResult:
    """A trial's answer for one patient; only ``listing`` is set for a trial that is not listed. ``best`` decides the verdict."""

    trial: str
    version: int | None
    listing: Listing
    best: CohortResult | None = None
    cohorts: tuple[CohortResult, ...] = ()
    criteria: tuple[CriterionResult, ...] = ()

    @property
    def verdict(self) -> Verdict | None:
        return self.best.verdict if self.best else None
