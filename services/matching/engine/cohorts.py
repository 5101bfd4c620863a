"""From the criteria of a cohort to a verdict for every day, and to the dates of a trial (`docs/eligibility.md` §6)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple, Self

from services.matching.engine.kleene import NOT_MET, Evaluation
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.result import RANK, CohortResult, Dates, Interval, Verdict
from services.matching.engine.timeline import Timeline
from shared.criteria.durations import Span, add, subtract


class DayStatus(NamedTuple):
    """What decides the verdict of a cohort on one day: its own criteria, or one criterion alone."""

    open: bool
    compatible: bool
    best_case_fails: bool


@dataclass(frozen=True, slots=True)
class CountedCriterion:
    """A criterion that counts for a cohort, evaluated for a patient.

    ``retest``: how long after a failed measurement it may be repeated.
    """

    statuses: Timeline[DayStatus]
    today: Evaluation
    retest: Span
    refers_to_dosing: bool


@dataclass(frozen=True, slots=True)
class CohortDays:
    """The verdict of a cohort on every day.

    ``lasting``: whether no criterion fails that does not refer to dosing; such a failure closes the cohort for a
    patient who would be screened within the lead time before it.
    """

    as_of: date
    verdicts: Timeline[Verdict]
    lasting: Timeline[bool]
    lead_time: Span
    retest: date | None

    @classmethod
    def of(
        cls, counted: Sequence[CountedCriterion], patient: PatientIndex, lead_time: Span, best_possible: Verdict
    ) -> Self:
        """Combine the criteria. ``best_possible``: the verdict of a day on which all of them are met."""
        parts = [criterion.statuses for criterion in counted]
        patient.count_work(4 * sum(len(part.days) for part in parts))
        days = _combined(parts, patient.as_of)
        at_dosing = any(one.refers_to_dosing for one in counted)
        others = (
            _combined([one.statuses for one in counted if not one.refers_to_dosing], patient.as_of)
            if at_dosing
            else days
        )
        verdicts = _verdicts(days, best_possible)
        retest = _retest(counted, days, patient) if verdicts.at(patient.as_of) == "not_now" else None
        return cls(patient.as_of, verdicts, others.map(lambda day: day.open), lead_time, retest)

    def result(self, name: str, criteria: tuple[str, ...], horizon_end: date) -> CohortResult:
        """Return the verdict on ``as_of``, and the dates and intervals up to the horizon."""
        dates = _dates(self.verdicts, horizon_end)
        return CohortResult(
            name,
            self.verdicts.at(self.as_of),
            dates.start,
            dates.until,
            self.refer_before(dates.start, dates.until),
            self.retest,
            dates.timeline,
            criteria,
        )

    def refer_before(self, start: date | None, until: date | None) -> date | None:
        """Return the day before which to refer for an open interval; None where it does not end."""
        if start is None or until is None:
            return None
        fails = self.lasting.first(lambda lasts: not lasts, start)
        earliest = until if fails is None else min(until, subtract(fails, self.lead_time))
        return max(self.as_of, earliest)

    def refer_before_of_interval(self, day: date) -> date | None:
        """Return `refer_before` of the open interval that contains a day."""
        start = self.as_of
        for begin, verdict in self.verdicts:
            if begin > day:
                break
            if not is_open(verdict):
                start = date.max
            elif start == date.max:
                start = begin
        return self.refer_before(start, self.verdicts.first(lambda verdict: not is_open(verdict), day))


def excluded_cohort(patient: PatientIndex) -> CohortDays:
    """Return a cohort that is closed for ever, whatever its criteria."""
    excluded: Verdict = "excluded"
    days = (patient.as_of,)
    return CohortDays(patient.as_of, Timeline(days, (excluded,)), Timeline(days, (False,)), Span(0, 0), None)


def trial_dates(cohorts: Sequence[CohortDays], horizon_end: date) -> Dates:
    """Return the dates of a trial: on each day the best verdict of its cohorts counts.

    The patient may be referred until the latest cohort that is open at the end of the first open interval says.
    """
    if len(cohorts) == 1:
        verdicts = cohorts[0].verdicts
    else:
        verdicts = Timeline.combine([one.verdicts for one in cohorts], lambda days: min(days, key=RANK.__getitem__))
    dates = _dates(verdicts, horizon_end)
    if dates.until is None:
        return dates
    last = dates.until - timedelta(days=1)
    days = [one.refer_before_of_interval(last) for one in cohorts if is_open(one.verdicts.at(last))]
    return dates._replace(refer_before=max((day for day in days if day is not None), default=None))


def is_open(verdict: Verdict) -> bool:
    return verdict in ("compatible", "possible")


def _combined(parts: Sequence[Timeline[DayStatus]], as_of: date) -> Timeline[DayStatus]:
    if not parts:
        return Timeline((as_of,), (DayStatus(open=True, compatible=True, best_case_fails=False),))
    return Timeline.combine_counts(parts, _combined_status)


def _combined_status(counts: Counter[DayStatus]) -> DayStatus:
    days = [day for day, number in counts.items() if number]
    return DayStatus(
        all(day.open for day in days), all(day.compatible for day in days), any(day.best_case_fails for day in days)
    )


def _verdicts(days: Timeline[DayStatus], best_possible: Verdict) -> Timeline[Verdict]:
    """Return the verdict of each day. It depends on the later days, so they are read from the last one back."""
    verdicts: list[Verdict] = []
    opens = clears = False
    for day in reversed(days.values):
        clears = clears or not day.best_case_fails
        opens = opens or day.open
        if day.open:
            verdicts.append(best_possible if day.compatible else "possible")
        else:
            verdicts.append("not_yet" if opens else "not_now" if clears else "excluded")
    return Timeline.of(zip(days.days, reversed(verdicts), strict=True))


def _dates(verdicts: Timeline[Verdict], horizon_end: date) -> Dates:
    start = verdicts.first(is_open)
    until = None if start is None else verdicts.first(lambda verdict: not is_open(verdict), start)
    ends: tuple[date | None, ...] = (*verdicts.days[1:], None)
    timeline = tuple(
        Interval(day, end, verdict) for (day, verdict), end in zip(verdicts, ends, strict=True) if day <= horizon_end
    )
    return Dates(start, until, None, timeline)


def _retest(counted: Sequence[CountedCriterion], days: Timeline[DayStatus], patient: PatientIndex) -> date | None:
    """Return the first day on which no criterion fails in the best case and failing measurements may be repeated."""
    earliest = patient.as_of
    for criterion in counted:
        failing = criterion.today
        if failing.last_known == NOT_MET:
            measured = patient.cached(("measured", failing.evidence), partial(_last_day, failing.evidence, patient))
            earliest = earliest if measured is None else max(earliest, add(measured, criterion.retest))
    return days.first(lambda day: not day.best_case_fails, earliest)


def _last_day(evidence: Iterable[str], patient: PatientIndex) -> date | None:
    return max(
        (fact.day for identifier in evidence if (fact := patient.by_id.get(identifier)) and fact.day is not None),
        default=None,
    )
