"""Every day of a cohort and of a trial: verdicts, dates, the best cohort and the timeline of all of them."""

from datetime import timedelta
from math import ceil

from tests.oracle.days import ONE_DAY, add, day_of, is_full, possible_days, subtract
from tests.oracle.expressions import NOT_MET
from tests.oracle.oracle import (
    Case,
    cohort_compatible,
    cohort_listing,
    cohort_open,
    cohort_open_in_best_case,
    cohorts,
    criteria_of,
    criterion_state,
    listing,
    refers_to_dosing,
)
from tests.oracle.vocabulary import HALF_LIVES

RANK = ("compatible", "possible", "not_yet", "not_now", "excluded")
OPEN = ("compatible", "possible")
DURATION_KEYS = (
    "min",
    "max",
    "max_unclear_until",
    "within",
    "evidence_within",
    "for",
    "duration",
    "each",
    "lead_time",
    "value",
    "over",
)


def durations_in(thing):
    """Return every duration of a document."""
    if isinstance(thing, dict):
        if thing.get("half_lives"):
            yield f"P{ceil(thing['half_lives'] * max(HALF_LIVES.values()))}D"
        for name, inner in thing.items():
            if isinstance(inner, str) and inner.startswith("P") and name in DURATION_KEYS:
                yield inner
            else:
                yield from durations_in(inner)
    elif isinstance(thing, list):
        for inner in thing:
            yield from durations_in(inner)


def settled(case):
    """Return a day after which nothing can change: after every date of the patient plus the longest passing state,
    every duration of the document, and a tail.
    """
    dates = [case.as_of, *(birth + timedelta(weeks=18) for birth in case.record.births()[-1:])]
    longest = {case.record.state(fact)[1] for fact in case.record.facts} - {None}
    for fact in case.record.facts:
        last_days = [possible_days(fact[name])[1] for name in ("date", "start", "end") if fact.get(name)]
        dates += [add(day, duration) for day in last_days for duration in ["P0D", *longest]]
    dates += [day_of(declared["to"]) for declared in case.patient.get("domains_complete", [])]
    durations = ["P0D", *durations_in(case.document)]
    return min(case.last, max(add(day, duration) for day in dates for duration in durations) + timedelta(days=40))


class Span:
    """One cohort on every day from `as_of` on. The last day stands for all later ones."""

    def __init__(self, case, cohort, last=None):
        self.case, self.cohort = case, cohort
        last = last or settled(case)
        self.days = [case.as_of + timedelta(days=number) for number in range((last - case.as_of).days + 1)]
        self.open = [cohort_open(case, cohort, day) for day in self.days]
        self.open_in_best_case = (
            None if all(self.open) else [cohort_open_in_best_case(case, cohort, day) for day in self.days]
        )

    def verdicts(self, number):
        """Return the verdict of each of the first `number` days."""
        answers = []
        for index in range(number):
            place = min(index, len(self.days) - 1)
            if self.open[place]:
                answers.append(
                    "compatible" if cohort_compatible(self.case, self.cohort, self.days[place]) else "possible"
                )
            elif any(self.open[place:]):
                answers.append("not_yet")
            else:
                answers.append("not_now" if any(self.open_in_best_case[place:]) else "excluded")
        return answers

    def opening(self):
        """Return `from`, `until` and `refer_before` of the first open interval."""
        if not any(self.open):
            return None, None, None
        first = self.open.index(True)
        until, refer_before = self.end_of(first)
        return self.days[first], until, refer_before

    def end_of(self, first):
        """Return `until` and `refer_before` of the open interval in which the day with that index lies."""
        if all(self.open[first:]):
            return None, None
        until = self.days[self.open.index(False, first)]
        while first > 0 and self.open[first - 1]:
            first -= 1
        ends = [until]
        without_dosing = [one for one in criteria_of(self.case.document, self.cohort) if not refers_to_dosing(one)]
        for day in self.days[first:]:
            if any(criterion_state(criterion, self.case, day)[1] == NOT_MET for criterion in without_dosing):
                ends.append(subtract(day, self.case.lead_time))
                break
        return until, max(self.case.as_of, min(ends))

    def retest(self):
        """Return the first day open in the best case, not before any failing measurement plus its `retest`."""
        if any(self.open) or not any(self.open_in_best_case):
            return None
        earliest = max([self.case.as_of, *failing_days_and_retest(self.case, self.cohort)])
        for day, open_in_best_case in zip(self.days, self.open_in_best_case, strict=True):
            if open_in_best_case and day >= earliest:
                return day
        return earliest if self.open_in_best_case[-1] and earliest > self.days[-1] else None


def failing_days_and_retest(case, cohort):
    """Return, for each failing criterion with a `retest`, every full-dated fact of its evidence plus that duration."""
    for criterion in criteria_of(case.document, cohort):
        _now, last_known, _best_case, _reasons, facts = criterion_state(criterion, case, case.as_of)
        if criterion.get("retest") and last_known == NOT_MET:
            dates = [fact.get("start") or fact.get("date") for fact in facts]
            yield from (add(day_of(date), criterion["retest"]) for date in dates if is_full(date))


def clears_on(criterion, span):
    """Return the first day on which a criterion that is `not_met` on `as_of` no longer is so in `last_known`."""
    if criterion_state(criterion, span.case, span.case.as_of)[0] != NOT_MET:
        return None
    return next((day for day in span.days if criterion_state(criterion, span.case, day)[1] != NOT_MET), None)


# --- the trial --------------------------------------------------------------------------------------------------------


def of_cohort(case, cohort, last):
    span = Span(case, cohort, last)
    verdict = span.verdicts(1)[0]
    opens, until, refer_before = span.opening()
    return {
        "cohort": cohort,
        "span": span,
        "listing": cohort_listing(case, cohort),
        "verdict": verdict,
        "from": opens,
        "until": until,
        "refer_before": refer_before,
        "retest": span.retest() if verdict == "not_now" else None,
    }


def opening_of_all(case, counted, verdicts):
    """Return `from`, `until` and `refer_before` of the first open interval of the trial's timeline."""
    are_open = [verdict in OPEN for verdict in verdicts]
    if not any(are_open):
        return None, None, None
    first = are_open.index(True)
    end = are_open.index(False, first) if not all(are_open[first:]) else len(are_open)
    last = min(end, len(counted[0]["span"].open)) - 1
    limits = [one["span"].end_of(last)[1] for one in counted if one["span"].open[last]]
    until = case.as_of + timedelta(days=end) if end < len(are_open) else None
    return case.as_of + timedelta(days=first), until, None if None in limits else max(limits)


def trial(case, days, recruiting=None, last=None):
    """Return all results of a trial: its cohorts, each day's verdict, the dates, the best cohort, the listing.

    `recruiting`: the ids of the cohorts that are open to recruitment, or None if all are.
    """
    order = cohorts(case.document)
    results = [of_cohort(case, cohort, last) for cohort in order]
    closed = {cohort for cohort in order if recruiting is not None and cohort not in recruiting}

    def better(one):
        return (
            one["cohort"] in closed,
            RANK.index(one["verdict"]),
            one["from"] or case.last + ONE_DAY,
            order.index(one["cohort"]),
        )

    listed = [one for one in results if one["listing"] == listing(case)]
    counted = [one for one in listed if one["cohort"] not in closed] or listed
    number = max(days, len(results[0]["span"].days))
    each = [one["span"].verdicts(number) for one in counted]
    verdicts = [min(of_day, key=RANK.index) for of_day in zip(*each, strict=True)]
    opens, until, refer_before = opening_of_all(case, counted, verdicts)
    return {
        "cohorts": results,
        "best": min(listed, key=better),
        "verdicts": verdicts[:days],
        "timeline": verdicts,
        "from": opens,
        "until": until,
        "refer_before": refer_before,
        "listing": listing(case),
    }


def timeline(document, patient, knowledge, as_of, days, **case):
    """Return the trial's verdict on each day from `as_of` on."""
    return trial(Case(document, patient, knowledge, as_of, **case), days)["verdicts"]
