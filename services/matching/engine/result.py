"""The result of matching one trial with one patient."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from services.matching.engine.kleene import Reason
from shared.criteria.model import CriterionKind

Verdict = Literal["compatible", "possible", "not_yet", "not_now", "excluded"]
Listing = Literal["listed", "undetermined", "not_indicated"]
RANK: dict[Verdict, int] = {"compatible": 0, "possible": 1, "not_yet": 2, "not_now": 3, "excluded": 4}


@dataclass(frozen=True, slots=True)
class Interval:
    """A verdict from ``start`` until the day before ``until``, which is None where it lasts 20 years or longer."""

    start: date
    until: date | None
    verdict: Verdict


class Dates(NamedTuple):
    """The first open interval, until when to refer for it, and the verdict of each day up to the horizon.

    ``ended_by``: the ids of the criteria that end the interval.
    """

    start: date | None = None
    until: date | None = None
    refer_before: date | None = None
    timeline: tuple[Interval, ...] = ()
    ended_by: tuple[str, ...] = ()


NO_DATES = Dates()


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """A criterion on the day of the match.

    ``state``: of an exclusion, that of the negated expression, so ``met`` always speaks for the patient. ``reasons``:
    those of its unknown leaves. ``evidence``: ids of facts, or ``#birth``, ``#sex``, ``#complete:<domain>``.
    ``clears_on``: the day on which a failure ends by the passing of time alone. ``investigator``: left to the
    investigator.
    """

    id: str
    kind: CriterionKind
    state: Literal["met", "not_met", "unknown"]
    reasons: tuple[Reason, ...]
    evidence: tuple[str, ...]
    clears_on: date | None
    investigator: bool


@dataclass(frozen=True, slots=True)
class CohortResult:
    """The verdict of one cohort.

    ``start`` and ``until``: its first open interval. ``criteria``: the ids of those that count for it.
    """

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
    """One trial for one patient.

    ``best``: the cohort that decides the verdict; None where the trial is not listed. ``dates``: of the cohorts that
    recruit together, or of all where none does.
    """

    trial: str
    version: int | None
    listing: Listing
    best: CohortResult | None = None
    cohorts: tuple[CohortResult, ...] = ()
    criteria: tuple[CriterionResult, ...] = ()
    dates: Dates = NO_DATES

    @property
    def verdict(self) -> Verdict | None:
        return self.best.verdict if self.best else None
