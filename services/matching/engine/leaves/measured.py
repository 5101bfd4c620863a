"""Leaves decided by dated results in a window: the latest, any or all of them (`docs/eligibility.md` §2 and §5)."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import date
from typing import Literal, NamedTuple

from services.matching.engine.facts import DateBounds, Fact
from services.matching.engine.kleene import (
    ALL_UNKNOWN,
    MET,
    NOT_MET,
    UNKNOWN,
    Evaluation,
    Reason,
    State,
    TruthValues,
    decided,
    unknown,
)
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import DateRange, Window
from shared.criteria.durations import parse

_FEW = 16
"""As many results of one leaf cost about as much as none."""


class Result(NamedTuple):
    """A measurement and the state of its comparison; ``reason``: why that is unknown.

    A measurement is of the day of its date or of its start.
    """

    fact: Fact
    state: State
    reason: Reason | None = None

    @property
    def days(self) -> DateBounds:
        return self.fact.first


class Results(NamedTuple):
    """The results that may decide a leaf, and the pending ones (ordered or unconfirmed)."""

    given: Sequence[Result]
    pending: Sequence[Fact]

    @staticmethod
    def of(
        patient: PatientIndex, facts: Sequence[Fact], result_of: "Callable[[Fact], Result | None]", *, latest: bool
    ) -> "Results":
        """Split facts into results and pending ones.

        ``result_of`` returns None for a fact that is no result or was invalidated. ``latest``: only results that may be
        of the latest day are needed.
        """
        given: list[Result] = []
        newest = date.min
        for fact in sorted(
            (fact for fact in facts if fact.status == "present"), key=lambda fact: fact.first.latest, reverse=True
        ):
            if latest and fact.first.latest < newest:
                break
            patient.count_work(6)
            if (result := result_of(fact)) is not None:
                given.append(result)
                newest = max(newest, fact.first.earliest)
        return Results(given, [fact for fact in facts if fact.status != "present"])


class Measured(ABC):
    """A leaf over the results in a window: the latest, any or all of them."""

    reason_without_result: Reason = "missing"
    _at_most = False
    """Whether a lower number is met as well as this one."""

    def __init__(
        self, within: str | None, pick: Literal["latest", "any", "all"] = "latest", domain: str | None = None
    ) -> None:
        self._window = Window(parse(within) if within else None)
        self._pick = pick
        self._domain = domain

    @abstractmethod
    def _facts(self, patient: PatientIndex) -> Sequence[Fact]:
        """Return the facts that may be results."""

    @abstractmethod
    def _result(self, patient: PatientIndex, fact: Fact) -> Result | None:
        """Compare one fact; return None for a fact that is no result or was invalidated."""

    def _counted(self, patient: PatientIndex, fact: Fact) -> Result | None:
        """Compare one fact; a falsified one does not count, or is unknown, unless it can only be lower and is met."""
        falsified = fact.falsified
        if falsified is not None and falsified.only_raised and self._at_most:
            result = self._result(patient, fact._replace(number=falsified.number))
            if result is not None and result.state == MET:
                return result
        result = self._result(patient, fact)
        return result if result is None or not fact.doubtful else Result(fact, UNKNOWN, "partial_detail")

    def _could_be(self, _patient: PatientIndex) -> Sequence[Fact]:
        """Return the facts that could be a result as far as their codes say."""
        return ()

    def results(self, patient: PatientIndex) -> Results:
        return patient.cached(
            ("results", self),
            lambda: Results.of(
                patient, self._facts(patient), lambda fact: self._counted(patient, fact), latest=self._pick == "latest"
            ),
        )

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        known = self.results(patient)
        if not known.given and not known.pending:
            return unknown(self.reason_without_result)
        return self._evaluate(patient, known, day)

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        known = self.results(patient)
        if not known.given and not known.pending:
            return Timeline((patient.as_of,), (ALL_UNKNOWN,))
        results = _deciding(known)
        if self._pick != "latest":
            reaching = _reaching(known.given, self._window.dates_on(patient.as_of))
            results = Results(list({id(one): one for one in (*results.given, *reaching)}.values()), results.pending)
        facts = [*(result.fact for result in results.given), *results.pending]
        if self._pick == "any":
            facts += self._could_be(patient)
        patient.count_work(8 * len(facts) * len(results.given) if len(results.given) > _FEW else 0)
        days = {*self._window.change_days(facts), *patient.completeness_change_days(self._domain, self._window)}
        return Timeline.sample(
            patient.as_of, patient.end, days, lambda day: TruthValues.of(self._evaluate(patient, results, day))
        )

    def _evaluate(self, patient: PatientIndex, results: Results, day: date) -> Evaluation:
        dates = self._window.dates_on(day)
        inside = [result for result in results.given if _may_be_in(result.fact, dates)]
        pending = [fact for fact in results.pending if _may_be_in(fact, dates)]
        if not inside:
            older = _latest(results.given)
            if older is not None:
                return unknown("stale", older.evidence, last_known=older.now)
            return unknown("partial_detail" if pending else self.reason_without_result, [fact.id for fact in pending])
        certain = [result for result in inside if result.days.earliest >= dates.first]
        if self._pick == "latest":
            return self._latest_of(results, inside, certain, pending)
        return self._over_all(patient, results, inside, certain, pending, day)

    def _latest_of(
        self, results: Results, inside: list[Result], certain: list[Result], pending: list[Fact]
    ) -> Evaluation:
        newest = max((result.days.earliest for result in certain), default=date.min)
        # A newer unconfirmed result may be the true one: it does not count, and older ones no longer do.
        unconfirmed = [fact.id for fact in pending if fact.status == "unconfirmed" and fact.first.latest >= newest]
        if unconfirmed:
            return unknown("partial_detail", unconfirmed)
        if certain:
            return agreed([result for result in inside if result.days.latest >= newest])
        # In the window or not, the last result is the last one that is known.
        older = _latest(results.given)
        last_known = UNKNOWN if older is None else older.now
        return unknown("partial_detail", [result.fact.id for result in inside], last_known=last_known)

    def _over_all(
        self,
        patient: PatientIndex,
        results: Results,
        inside: list[Result],
        certain: list[Result],
        pending: list[Fact],
        day: date,
    ) -> Evaluation:
        """Evaluate any or all of the results in the window. One that is only possibly in it is unknown."""
        dates = self._window.dates_on(day)
        counted = [result if result.days.earliest >= dates.first else _undated(result) for result in inside]
        ids = [fact.id for fact in pending]
        complete = patient.completeness(self._domain, self._window, day)
        if complete.carried and self._pick == "any":
            ids += [fact.id for fact in self._could_be(patient) if dates.may_contain(fact)]

        def over(some: list[Result], *, complete: bool) -> Evaluation:
            return _all(some) if self._pick == "all" else self._any(some, ids, complete=complete)

        now, all_in = over(counted, complete=complete.now), over(inside, complete=complete.carried)
        # With and without those that may have left the window; known only where both agree.
        without = over(certain, complete=complete.carried) if certain else _latest(results.given)
        agree = without is not None and without.now == all_in.now
        return now._replace(last_known=all_in.now if agree else UNKNOWN, best_case=UNKNOWN)

    def _any(self, inside: list[Result], pending: list[str], *, complete: bool) -> Evaluation:
        met = [result.fact.id for result in inside if result.state == MET]
        if met:
            return decided(MET, met)
        undecided = [result for result in inside if result.state != NOT_MET]
        if undecided:
            return unknown(first_reason(undecided), [*(result.fact.id for result in undecided), *pending])
        if pending:
            return unknown("partial_detail", pending)
        evidence = [result.fact.id for result in inside]
        return decided(NOT_MET, [*evidence, f"#complete:{self._domain}"]) if complete else unknown("missing", evidence)


def _deciding(results: Results) -> Results:
    """Drop results that cannot change any state from ``as_of`` on because another one stays in the window longer."""
    newest = max((result.days.earliest for result in results.given), default=date.min)
    last_of_state: dict[tuple[str, State], Result] = {}
    for result in results.given:
        keys = [("certain", result.days.earliest), ("possible", result.days.latest)]
        if result.days.latest >= newest:
            keys += [("newest", result.days.latest), ("candidate", result.days.earliest)]
        for key, day in keys:
            before = last_of_state.get((key, result.state))
            side = 0 if key in ("certain", "candidate") else 1
            if before is None or before.days[side] < day:
                last_of_state[key, result.state] = result
    unconfirmed = [fact for fact in results.pending if fact.status == "unconfirmed"]
    pending = [
        *_last(results.pending),
        *_last(unconfirmed),
        *_last([fact for fact in unconfirmed if fact.first.latest >= newest]),
    ]
    return Results(list({id(result): result for result in last_of_state.values()}.values()), pending)


def _reaching(results: Sequence[Result], dates: DateRange) -> list[Result]:
    """Return few results that are only possibly in a window, as it moves on from ``dates``, whenever any is."""
    kept: list[Result] = []
    partly = [one for one in results if one.days.earliest != one.days.latest >= dates.first]
    for result in sorted(partly, key=lambda one: (one.days.latest, -one.days.earliest.toordinal()), reverse=True):
        if not kept or result.days.earliest < kept[-1].days.earliest:
            kept.append(result)
    return kept


def _last(candidates: Sequence[Fact]) -> list[Fact]:
    """Return the fact that stays in a window longest, as a list of at most one."""
    return [max(candidates, key=lambda fact: fact.first.latest)] if candidates else []


def _may_be_in(fact: Fact, dates: DateRange) -> bool:
    return fact.first.earliest <= dates.last and fact.first.latest >= dates.first


def _undated(result: Result) -> Result:
    return Result(result.fact, UNKNOWN, "partial_detail")


def _latest(results: Sequence[Result]) -> Evaluation | None:
    """Return the comparison of the results that may be of the last day."""
    newest = max((result.days.earliest for result in results), default=date.min)
    candidates = [result for result in results if result.days.latest >= newest]
    return agreed(candidates) if candidates else None


def agreed(results: list[Result]) -> Evaluation:
    """Return what all results say; unknown where they differ."""
    evidence = [result.fact.id for result in results]
    states = {result.state for result in results}
    if len(states) > 1:
        one_day = len({result.days for result in results}) == 1 and results[0].days.earliest == results[0].days.latest
        return unknown("conflict" if one_day else "partial_detail", evidence)
    state = states.pop()
    return unknown(first_reason(results), evidence) if state == UNKNOWN else decided(state, evidence, best_case=UNKNOWN)


def _all(results: list[Result]) -> Evaluation:
    failed = [result.fact.id for result in results if result.state == NOT_MET]
    if failed:
        return decided(NOT_MET, failed)
    undecided = [result for result in results if result.state != MET]
    if undecided:
        return unknown(first_reason(undecided), [result.fact.id for result in undecided])
    return decided(MET, [result.fact.id for result in results])


def first_reason(undecided: Sequence[Result]) -> Reason:
    """Return the first reason by name."""
    return min((result.reason for result in undecided if result.reason is not None), default="partial_detail")
