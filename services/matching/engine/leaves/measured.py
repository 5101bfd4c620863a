"""`value`, `titre`, `ordinal` and `human`: leaves decided by dated results in a window (`docs/eligibility.md` §5)."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from typing import Literal, NamedTuple, TypeVar

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import (
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
from services.matching.engine.leaves.comparison import compare
from services.matching.engine.leaves.concepts import Concepts
from services.matching.engine.leaves.has import Has
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import DateRange, Window
from shared.criteria import expressions
from shared.criteria.durations import parse
from shared.criteria.scales import SCALES
from shared.criteria.units import analyte_of, is_bare

T = TypeVar("T")


class Result(NamedTuple):
    """A measurement and the state of its comparison; ``reason``: why that is unknown."""

    fact: Fact
    state: State
    reason: Reason | None = None


class Results(NamedTuple):
    """The results that may decide a leaf, and the pending ones (ordered or unconfirmed)."""

    given: Sequence[Result]
    pending: Sequence[Fact]

    @staticmethod
    def of(
        patient: PatientIndex, facts: Sequence[Fact], result_of: "Callable[[Fact], Result | None]", *, latest: bool
    ) -> "Results":
        """Split facts into results and pending ones.

        ``result_of`` returns None for a fact that is no result or was invalidated. ``latest``: only results of the
        latest day are needed.
        """
        given: list[Result] = []
        newest = date.min
        for fact in sorted(
            (fact for fact in facts if fact.status == "present"), key=lambda fact: fact.day or date.max, reverse=True
        ):
            if latest and fact.day is not None and fact.day < newest:
                break
            patient.count_work(6)
            if (result := result_of(fact)) is not None:
                given.append(result)
                newest = fact.day or newest
        return Results(given, [fact for fact in facts if fact.status != "present"])


class Measured(ABC):
    """A leaf over the results in a window: the latest, any or all of them."""

    reason_without_result: Reason = "missing"

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

    def results(self, patient: PatientIndex) -> Results:
        return patient.cached(
            ("results", self),
            lambda: Results.of(
                patient, self._facts(patient), lambda fact: self._result(patient, fact), latest=self._pick == "latest"
            ),
        )

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        return self._evaluate(patient, self.results(patient), day)

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        results = _deciding(self.results(patient))
        facts = [*(result.fact for result in results.given), *results.pending]
        days = {*self._window.change_days(facts), *patient.completeness_change_days(self._domain, self._window)}
        return Timeline.sample(
            patient.as_of, patient.end, days, lambda day: TruthValues.of(self._evaluate(patient, results, day))
        )

    def _evaluate(self, patient: PatientIndex, results: Results, day: date) -> Evaluation:
        dates = self._window.dates_on(day)
        inside = [result for result in results.given if _is_inside(result.fact, dates)]
        pending = [fact.id for fact in results.pending if dates.may_contain(fact)]
        if not inside:
            older = _latest([result for result in results.given if result.fact.first.earliest <= day])
            if older is not None:
                return unknown("stale", older.evidence, last_known=older.now)
            return unknown("partial_detail" if pending else self.reason_without_result, pending)
        if self._pick == "latest":
            newest = max((result.fact.day for result in inside if result.fact.day is not None), default=date.min)
            unconfirmed = [
                fact.id
                for fact in results.pending
                if fact.status == "unconfirmed" and dates.may_contain(fact) and fact.first.latest >= newest
            ]
            # A newer unconfirmed result may be the true one: it does not count, and older ones no longer do.
            return unknown("partial_detail", unconfirmed) if unconfirmed else _best_case_unknown(_latest(inside))
        inside = [
            result if result.fact.day is not None else Result(result.fact, UNKNOWN, "partial_detail")
            for result in inside
        ]
        if self._pick == "all":
            return _best_case_unknown(_all(inside))
        return _best_case_unknown(self._any(inside, pending, complete=patient.is_complete(self._domain, dates)))

    def _any(self, inside: list[Result], pending: list[str], *, complete: bool) -> Evaluation:
        met = [result.fact.id for result in inside if result.state == MET]
        if met:
            return decided(MET, met)
        undecided = [result for result in inside if result.state != NOT_MET]
        if undecided or pending:
            return unknown(_reason(undecided), [*(result.fact.id for result in undecided), *pending])
        evidence = [result.fact.id for result in inside]
        return decided(NOT_MET, [*evidence, f"#complete:{self._domain}"]) if complete else unknown("missing", evidence)


def _deciding(results: Results) -> Results:
    """Drop results that cannot change any state from ``as_of`` on because another one stays in the window longer."""
    dated = [result for result in results.given if result.fact.day is not None]
    undated = [result for result in results.given if result.fact.day is None]
    newest = max((result.fact.day for result in dated if result.fact.day is not None), default=date.min)
    last_of_state = {result.state: result for result in sorted(dated, key=lambda result: result.fact.day or date.min)}
    of_newest = {result.state: result for result in dated if result.fact.day == newest}
    unconfirmed = [fact for fact in results.pending if fact.status == "unconfirmed"]
    given = [
        *last_of_state.values(),
        *of_newest.values(),
        *_last([result for result in undated if result.fact.first.latest >= newest], lambda result: result.fact),
        *_last(undated, lambda result: result.fact),
    ]
    pending = [
        *_last(results.pending, lambda fact: fact),
        *_last(unconfirmed, lambda fact: fact),
        *_last([fact for fact in unconfirmed if fact.first.latest >= newest], lambda fact: fact),
    ]
    return Results(given, pending)


def _last(candidates: Sequence[T], fact_of: Callable[[T], Fact]) -> list[T]:
    """Return the candidate that stays in a window longest, as a list of at most one."""
    return [max(candidates, key=lambda one: fact_of(one).last.latest)] if candidates else []


def _is_inside(fact: Fact, dates: DateRange) -> bool:
    day = fact.day
    return dates.may_contain(fact) if day is None else dates.first <= day <= dates.last


def _latest(results: list[Result]) -> Evaluation | None:
    """Return the comparison of the latest day; unknown where a result without a full date could be later."""
    newest = max((result.fact.day for result in results if result.fact.day is not None), default=date.min)
    undated = [result.fact.id for result in results if result.fact.day is None and result.fact.first.latest >= newest]
    if undated:
        return unknown("partial_detail", undated)
    return _agreed([result for result in results if result.fact.day == newest])


def _agreed(results: list[Result]) -> Evaluation | None:
    if not results:
        return None
    evidence = [result.fact.id for result in results]
    states = {result.state for result in results}
    if len(states) > 1:
        return unknown("conflict", evidence)
    state = states.pop()
    return unknown(_reason(results), evidence) if state == UNKNOWN else decided(state, evidence)


def _all(results: list[Result]) -> Evaluation:
    failed = [result.fact.id for result in results if result.state == NOT_MET]
    if failed:
        return decided(NOT_MET, failed)
    undecided = [result for result in results if result.state != MET]
    if undecided:
        return unknown(_reason(undecided), [result.fact.id for result in undecided])
    return decided(MET, [result.fact.id for result in results])


def _reason(undecided: Sequence[Result]) -> Reason:
    """Return ``partial_detail`` where a result has no full date, else the first reason by name."""
    reasons = [result.reason for result in undecided if result.reason is not None and result.fact.day is not None]
    return min(reasons) if len(reasons) == len(undecided) and reasons else "partial_detail"


def _best_case_unknown(evaluation: Evaluation | None) -> Evaluation:
    """Return the same evaluation with an unknown best case: the next test may change any result."""
    return unknown("missing") if evaluation is None else evaluation._replace(best_case=UNKNOWN)


class Value(Measured):
    def __init__(self, leaf: expressions.Value, terminology: Terminology) -> None:
        super().__init__(leaf.within, leaf.pick, leaf.domain)
        self._concepts = Concepts(leaf.codes, terminology)
        self._op, self._bound, self._basis = leaf.op, Fraction(str(leaf.value)), leaf.basis
        self._unit = "%" if leaf.basis == "pct_predicted" else leaf.unit
        self._analyte = analyte_of(leaf.codes)
        self._invalidators = [
            Has(expressions.Has(type="has", codes=event.codes, within=event.for_, domain=event.domain), terminology)
            for event in leaf.not_after
        ]

    def _facts(self, patient: PatientIndex) -> Sequence[Fact]:
        return self._concepts.carriers(patient)

    def _result(self, patient: PatientIndex, fact: Fact) -> Result | None:
        """Compare one fact; return None for one without a number, or invalidated by an event before it."""
        if fact.number is None:
            return None
        if fact.day is None:
            return Result(fact, UNKNOWN, "partial_detail")  # without a full date it may or may not be the latest
        undecided = False
        for invalidator in self._invalidators:
            if invalidator.happened(patient, fact.day):
                return None
            undecided = undecided or invalidator.evaluate(patient, fact.day).now == UNKNOWN
        if undecided:
            return Result(fact, UNKNOWN, "partial_detail")
        return self._compared(patient, fact, fact.number)

    def _compared(self, patient: PatientIndex, fact: Fact, number: Fraction) -> Result:
        bound = self._bound
        if self._basis in ("xULN", "xLLN"):
            limit = fact.ref_high if self._basis == "xULN" else fact.ref_low
            if limit is None or limit <= 0:
                return Result(fact, UNKNOWN, "no_reference_range")
            bound *= limit
        elif self._unit is None:
            if not is_bare(fact.unit):
                return Result(fact, UNKNOWN, "unit")
        else:
            factor = None if fact.unit is None else patient.conversion(fact.unit, self._unit, self._analyte)
            if factor is None:
                return Result(fact, UNKNOWN, "unit")
            number *= factor
        return _compared(fact, compare(number, fact.comparator, self._op, bound))


class Titre(Measured):
    def __init__(self, leaf: expressions.Titre, terminology: Terminology) -> None:
        super().__init__(leaf.within)
        self._concepts = Concepts(leaf.codes, terminology)
        self._assay, self._op, self._reciprocal = leaf.assay, leaf.op, Fraction(str(leaf.reciprocal))

    def _facts(self, patient: PatientIndex) -> Sequence[Fact]:
        return self._concepts.carriers(patient)

    def _result(self, _patient: PatientIndex, fact: Fact) -> Result | None:
        return None if fact.number is None else self._compared(fact, fact.number)

    def _compared(self, fact: Fact, number: Fraction) -> Result:
        if self._assay is not None and fact.assay != self._assay:
            return Result(fact, UNKNOWN, "partial_detail")
        if not is_bare(fact.unit):
            return Result(fact, UNKNOWN, "unit")
        return _compared(fact, compare(number, fact.comparator, self._op, self._reciprocal))


class Ordinal(Measured):
    def __init__(self, leaf: expressions.Ordinal, terminology: Terminology) -> None:
        super().__init__(leaf.within)
        self._concepts = Concepts([leaf.scale], terminology)
        self._scale = SCALES[leaf.scale]
        listed = [self._scale.expand(level) for level in leaf.in_ or ()]
        self._accepted = frozenset[str]().union(*listed) if listed else self._scale.between(leaf.min, leaf.max)

    def _facts(self, patient: PatientIndex) -> Sequence[Fact]:
        return self._concepts.carriers(patient)

    def _result(self, _patient: PatientIndex, fact: Fact) -> Result | None:
        return None if fact.text is None else self._compared(fact, fact.text)

    def _compared(self, fact: Fact, text: str) -> Result:
        levels = self._scale.expand(text)
        if not levels or (levels & self._accepted and not levels <= self._accepted):
            return Result(fact, UNKNOWN, "partial_detail")
        return Result(fact, MET if levels <= self._accepted else NOT_MET)


class Human(Measured):
    reason_without_result: Reason = "needs_human"

    def __init__(self, leaf: expressions.Human) -> None:
        super().__init__(leaf.within)
        self._question = leaf.question

    def _facts(self, patient: PatientIndex) -> Sequence[Fact]:
        answers = patient.by_question.get(self._question, ())
        patient.count_work(len(answers))
        return answers

    def _result(self, _patient: PatientIndex, fact: Fact) -> Result | None:
        return Result(fact, MET if fact.answer == "yes" else NOT_MET)


def _compared(fact: Fact, state: State) -> Result:
    return Result(fact, state, "partial_detail" if state == UNKNOWN else None)
