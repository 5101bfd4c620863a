"""`value`, `titre`, `ordinal` and `human`: leaves that the latest dated result in a window decides (`docs/eligibility.md` §5)."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from typing import Literal, NamedTuple, TypeVar

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Judgement, Reading, Reason, State, settled, unknown
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
from shared.criteria.units import conversion, is_bare, molar_mass

T = TypeVar("T")


class Result(NamedTuple):
    """A measurement and how it compares; ``reason`` says why when that is unknown."""

    fact: Fact
    state: State
    reason: Reason | None = None


class Results(NamedTuple):
    """All results that a leaf may rest on, and the facts (ordered, unconfirmed) that only announce one."""

    given: Sequence[Result]
    announced: Sequence[Fact]

    @staticmethod
    def of(
        chart: PatientIndex, facts: Sequence[Fact], result_of: "Callable[[Fact], Result | None]", *, latest: bool
    ) -> "Results":
        """Splits facts by their status; ``result_of`` is None for a fact that is no result, or a spoilt one. ``latest``: nothing older decides."""
        given: list[Result] = []
        newest = date.min
        for fact in sorted(
            (fact for fact in facts if fact.status == "present"), key=lambda fact: fact.day or date.max, reverse=True
        ):
            if latest and fact.day is not None and fact.day < newest:
                break
            chart.spend(6)
            if (result := result_of(fact)) is not None:
                given.append(result)
                newest = fact.day or newest
        return Results(given, [fact for fact in facts if fact.status != "present"])


class Measured(ABC):
    """Reads the results of a window: the latest, any or all of them."""

    nothing: Reason = "missing"

    def __init__(
        self, within: str | None, pick: Literal["latest", "any", "all"] = "latest", domain: str | None = None
    ) -> None:
        self._window = Window(parse(within) if within else None)
        self._pick = pick
        self._domain = domain

    @abstractmethod
    def _facts(self, chart: PatientIndex) -> Sequence[Fact]:
        """The facts that may be results."""

    @abstractmethod
    def _result(self, chart: PatientIndex, fact: Fact) -> Result | None:
        """None for a fact that is no result, or a spoilt one."""

    def results(self, chart: PatientIndex) -> Results:
        return chart.once(
            ("results", self),
            lambda: Results.of(
                chart, self._facts(chart), lambda fact: self._result(chart, fact), latest=self._pick == "latest"
            ),
        )

    def judge(self, chart: PatientIndex, day: date) -> Judgement:
        return self._judge(chart, self.results(chart), day)

    def course(self, chart: PatientIndex) -> Timeline[Reading]:
        results = _deciding(self.results(chart))
        facts = [*(result.fact for result in results.given), *results.announced]
        days = {*self._window.flips(facts), *chart.completeness_flips(self._domain, self._window)}
        return Timeline.sample(chart.as_of, chart.end, days, lambda day: Reading.of(self._judge(chart, results, day)))

    def _judge(self, chart: PatientIndex, results: Results, day: date) -> Judgement:
        stretch = self._window.on(day)
        inside = [result for result in results.given if _is_inside(result.fact, stretch)]
        announced = [fact.id for fact in results.announced if stretch.may_hold(fact)]
        if not inside:
            older = _latest([result for result in results.given if result.fact.first.earliest <= day])
            if older is not None:
                return unknown("stale", older.evidence, carried=older.now)
            return unknown("partial_detail" if announced else self.nothing, announced)
        if self._pick == "latest":
            newest = max((result.fact.day for result in inside if result.fact.day is not None), default=date.min)
            unconfirmed = [
                fact.id
                for fact in results.announced
                if fact.status == "unconfirmed" and stretch.may_hold(fact) and fact.first.latest >= newest
            ]
            # A newer result that nobody has confirmed may be the true one: it neither counts nor lets an older one count.
            return unknown("partial_detail", unconfirmed) if unconfirmed else _open(_latest(inside))
        inside = [
            result if result.fact.day is not None else Result(result.fact, UNKNOWN, "partial_detail")
            for result in inside
        ]
        if self._pick == "all":
            return _open(_all(inside))
        return _open(self._any(inside, announced, complete=chart.is_complete(self._domain, stretch)))

    def _any(self, inside: list[Result], announced: list[str], *, complete: bool) -> Judgement:
        met = [result.fact.id for result in inside if result.state == MET]
        if met:
            return settled(MET, met)
        doubtful = [result for result in inside if result.state != NOT_MET]
        if doubtful or announced:
            return unknown(_reason(doubtful), [*(result.fact.id for result in doubtful), *announced])
        evidence = [result.fact.id for result in inside]
        return settled(NOT_MET, [*evidence, f"#complete:{self._domain}"]) if complete else unknown("missing", evidence)


def _deciding(results: Results) -> Results:
    """The results that no other one outlasts in every respect: those that leave a window earlier change no state from the day of the match on."""
    dated = [result for result in results.given if result.fact.day is not None]
    undated = [result for result in results.given if result.fact.day is None]
    newest = max((result.fact.day for result in dated if result.fact.day is not None), default=date.min)
    last_of_state = {result.state: result for result in sorted(dated, key=lambda result: result.fact.day or date.min)}
    of_newest = {result.state: result for result in dated if result.fact.day == newest}
    unconfirmed = [fact for fact in results.announced if fact.status == "unconfirmed"]
    given = [
        *last_of_state.values(),
        *of_newest.values(),
        *_last([result for result in undated if result.fact.first.latest >= newest], lambda result: result.fact),
        *_last(undated, lambda result: result.fact),
    ]
    announced = [
        *_last(results.announced, lambda fact: fact),
        *_last(unconfirmed, lambda fact: fact),
        *_last([fact for fact in unconfirmed if fact.first.latest >= newest], lambda fact: fact),
    ]
    return Results(given, announced)


def _last(candidates: Sequence[T], fact_of: Callable[[T], Fact]) -> list[T]:
    """The one that stays in a window the longest."""
    return [max(candidates, key=lambda one: fact_of(one).last.latest)] if candidates else []


def _is_inside(fact: Fact, stretch: DateRange) -> bool:
    day = fact.day
    return stretch.may_hold(fact) if day is None else stretch.first <= day <= stretch.last


def _latest(results: list[Result]) -> Judgement | None:
    """The comparison of the latest day; unknown where a result without a full date could be later."""
    newest = max((result.fact.day for result in results if result.fact.day is not None), default=date.min)
    undated = [result.fact.id for result in results if result.fact.day is None and result.fact.first.latest >= newest]
    if undated:
        return unknown("partial_detail", undated)
    return _agreed([result for result in results if result.fact.day == newest])


def _agreed(results: list[Result]) -> Judgement | None:
    if not results:
        return None
    evidence = [result.fact.id for result in results]
    states = {result.state for result in results}
    if len(states) > 1:
        return unknown("conflict", evidence)
    state = states.pop()
    return unknown(_reason(results), evidence) if state == UNKNOWN else settled(state, evidence)


def _all(results: list[Result]) -> Judgement:
    failed = [result.fact.id for result in results if result.state == NOT_MET]
    if failed:
        return settled(NOT_MET, failed)
    doubtful = [result for result in results if result.state != MET]
    if doubtful:
        return unknown(_reason(doubtful), [result.fact.id for result in doubtful])
    return settled(MET, [result.fact.id for result in results])


def _reason(doubtful: Sequence[Result]) -> Reason:
    """That of a result without a full date before all, then the first by name."""
    reasons = [result.reason for result in doubtful if result.reason is not None and result.fact.day is not None]
    return min(reasons) if len(reasons) == len(doubtful) and reasons else "partial_detail"


def _open(judgement: Judgement | None) -> Judgement:
    """Any result may change with the next test."""
    return unknown("missing") if judgement is None else judgement._replace(hope=UNKNOWN)


class Value(Measured):
    def __init__(self, leaf: expressions.Value, terminology: Terminology) -> None:
        super().__init__(leaf.within, leaf.pick, leaf.domain)
        self._concepts = Concepts(leaf.codes, terminology)
        self._op, self._bound, self._basis = leaf.op, Fraction(str(leaf.value)), leaf.basis
        self._unit = "%" if leaf.basis == "pct_predicted" else leaf.unit
        self._molar_mass = molar_mass(leaf.codes)
        self._spoilers = [
            Has(expressions.Has(type="has", codes=event.codes, within=event.for_, domain=event.domain), terminology)
            for event in leaf.not_after
        ]

    def _facts(self, chart: PatientIndex) -> Sequence[Fact]:
        return self._concepts.carriers(chart)

    def _result(self, chart: PatientIndex, fact: Fact) -> Result | None:
        """None for a fact without a number, and for a measurement that an event spoilt."""
        if fact.number is None:
            return None
        if fact.day is None:
            return Result(fact, UNKNOWN, "partial_detail")  # whatever it measures: nobody knows which one is the latest
        doubtful = False
        for spoiler in self._spoilers:
            if spoiler.happened(chart, fact.day):
                return None
            doubtful = doubtful or spoiler.judge(chart, fact.day).now == UNKNOWN
        return Result(fact, UNKNOWN, "partial_detail") if doubtful else self._compared(fact, fact.number)

    def _compared(self, fact: Fact, number: Fraction) -> Result:
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
            factor = conversion(fact.unit, self._unit, self._molar_mass) if fact.unit is not None else None
            if factor is None:
                return Result(fact, UNKNOWN, "unit")
            number *= factor
        return _compared(fact, compare(number, fact.comparator, self._op, bound))


class Titre(Measured):
    def __init__(self, leaf: expressions.Titre, terminology: Terminology) -> None:
        super().__init__(leaf.within)
        self._concepts = Concepts(leaf.codes, terminology)
        self._assay, self._op, self._reciprocal = leaf.assay, leaf.op, Fraction(str(leaf.reciprocal))

    def _facts(self, chart: PatientIndex) -> Sequence[Fact]:
        return self._concepts.carriers(chart)

    def _result(self, _chart: PatientIndex, fact: Fact) -> Result | None:
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

    def _facts(self, chart: PatientIndex) -> Sequence[Fact]:
        return self._concepts.carriers(chart)

    def _result(self, _chart: PatientIndex, fact: Fact) -> Result | None:
        return None if fact.text is None else self._compared(fact, fact.text)

    def _compared(self, fact: Fact, text: str) -> Result:
        levels = self._scale.expand(text)
        if not levels or (levels & self._accepted and not levels <= self._accepted):
            return Result(fact, UNKNOWN, "partial_detail")
        return Result(fact, MET if levels <= self._accepted else NOT_MET)


class Human(Measured):
    nothing: Reason = "needs_human"

    def __init__(self, leaf: expressions.Human) -> None:
        super().__init__(leaf.within)
        self._question = leaf.question

    def _facts(self, chart: PatientIndex) -> Sequence[Fact]:
        answers = chart.by_question.get(self._question, ())
        chart.spend(len(answers))
        return answers

    def _result(self, _chart: PatientIndex, fact: Fact) -> Result | None:
        return Result(fact, MET if fact.answer == "yes" else NOT_MET)


def _compared(fact: Fact, state: State) -> Result:
    return Result(fact, state, "partial_detail" if state == UNKNOWN else None)
