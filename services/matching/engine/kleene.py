"""Kleene's strong three-valued logic, applied to the three scenarios of an expression (`docs/eligibility.md` §1)."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Literal, NamedTuple

from services.matching.engine.timeline import Timeline

Reason = Literal["missing", "stale", "unit", "no_reference_range", "partial_detail", "conflict", "needs_human"]


class State(IntEnum):
    """A truth value. The order makes conjunction the minimum and disjunction the maximum."""

    NOT_MET = 0
    UNKNOWN = 1
    MET = 2

    @property
    def code(self) -> Literal["met", "not_met", "unknown"]:
        return _CODES[self]

    @property
    def negated(self) -> "State":
        return _NEGATION[self]


NOT_MET, UNKNOWN, MET = State.NOT_MET, State.UNKNOWN, State.MET
_CODES: dict[State, Literal["met", "not_met", "unknown"]] = {NOT_MET: "not_met", UNKNOWN: "unknown", MET: "met"}
_NEGATION = (MET, UNKNOWN, NOT_MET)
_NO_EVIDENCE: frozenset[str] = frozenset()
_NO_REASON: frozenset[Reason] = frozenset()
_MISSING: frozenset[Reason] = frozenset(("missing",))


class TruthValues(NamedTuple):
    """The state of an expression on one day in the three scenarios.

    ``now``: with what is known on that day. ``last_known``: a measurement that is out of date keeps its last value.
    ``best_case``: also, whatever a new test, a treatment or a stop could change is unknown.
    """

    now: State
    last_known: State
    best_case: State

    @classmethod
    def of(cls, evaluation: "Evaluation") -> "TruthValues":
        return cls(evaluation.now, evaluation.last_known, evaluation.best_case)


class Evaluation(NamedTuple):
    """The truth values of an expression on one day, and what ``now`` rests on.

    ``reasons``: why ``now`` is unknown; empty where it is not. ``evidence``: ids of facts, ``#birth``, ``#sex`` or
    ``#complete:<domain>``. ``reasons_on_record``: the reasons where a fact that could be anything counts as nothing, so
    that they are only ``missing`` where nothing related is recorded; None: the same.
    """

    now: State
    last_known: State
    best_case: State
    reasons: frozenset[Reason] = _NO_REASON
    evidence: frozenset[str] = _NO_EVIDENCE
    reasons_on_record: frozenset[Reason] | None = None

    @property
    def recorded(self) -> frozenset[Reason]:
        return self.reasons if self.reasons_on_record is None else self.reasons_on_record

    def or_else(self, reason: Reason, evidence: Iterable[str]) -> "Evaluation":
        """Return the same, with a reason and evidence that are more exact where nothing is recorded."""
        if self.reasons != _MISSING:
            return self
        return self._replace(reasons=frozenset((reason,)), evidence=frozenset(evidence))


ALL_UNKNOWN = TruthValues(UNKNOWN, UNKNOWN, UNKNOWN)


class Combinator(NamedTuple):
    """A truth table, applied to the evaluations of one day or to the truth values of every day."""

    evaluate: Callable[[Sequence[Evaluation]], Evaluation]
    evaluate_over_time: Callable[[Sequence[Timeline[TruthValues]]], Timeline[TruthValues]]


def decided(state: State, evidence: Iterable[str] = (), *, best_case: State | None = None) -> Evaluation:
    """Return the evaluation of a leaf that is known now. Give ``best_case`` where it differs from ``state``."""
    return Evaluation(state, state, state if best_case is None else best_case, _NO_REASON, frozenset(evidence))


def unknown(
    reason: Reason, evidence: Iterable[str] = (), *, last_known: State = UNKNOWN, best_case: State = UNKNOWN
) -> Evaluation:
    """Return the evaluation of a leaf that is not known now."""
    return Evaluation(UNKNOWN, last_known, best_case, frozenset((reason,)), frozenset(evidence))


def at_least(count: int) -> Combinator:
    """Return the combinator that is met when ``count`` parts are, and not met when that many no longer can be."""

    def reached(states: Counter[State]) -> State:
        if states[MET] >= count:
            return MET
        return UNKNOWN if states[MET] + states[UNKNOWN] >= count else NOT_MET

    return _counting(reached)


def _counting(reached: Callable[[Counter[State]], State]) -> Combinator:
    """Return a combinator for which only the number of parts in each state matters."""

    def evaluate(parts: Sequence[Evaluation]) -> Evaluation:
        return parts[0] if len(parts) == 1 else _combined(parts, *combine(Counter(map(TruthValues.of, parts))))

    def combine(counts: Counter[TruthValues]) -> TruthValues:
        states = [Counter[State](), Counter[State](), Counter[State]()]
        for values, number in counts.items():
            for counted, state in zip(states, values, strict=True):
                counted[state] += number
        return TruthValues(*map(reached, states))

    def evaluate_over_time(parts: Sequence[Timeline[TruthValues]]) -> Timeline[TruthValues]:
        return parts[0] if len(parts) == 1 else Timeline.combine_counts(parts, combine)

    return Combinator(evaluate, evaluate_over_time)


def _all(states: Counter[State]) -> State:
    return NOT_MET if states[NOT_MET] else UNKNOWN if states[UNKNOWN] else MET


def _any(states: Counter[State]) -> State:
    return MET if states[MET] else UNKNOWN if states[UNKNOWN] else NOT_MET


def _negate(parts: Sequence[Evaluation]) -> Evaluation:
    (part,) = parts
    return part._replace(
        now=_NEGATION[part.now], last_known=_NEGATION[part.last_known], best_case=_NEGATION[part.best_case]
    )


def _negate_values(values: TruthValues) -> TruthValues:
    return TruthValues(_NEGATION[values.now], _NEGATION[values.last_known], _NEGATION[values.best_case])


def _if_then_else(parts: Sequence[Evaluation]) -> Evaluation:
    """Combine condition, then and else. An unknown condition concludes only where both branches agree."""
    condition, then, otherwise = parts
    taken = (
        (condition, then)
        if condition.now == MET
        else (condition, otherwise)
        if condition.now == NOT_MET
        else (condition, then, otherwise)
    )
    now = _choose(condition.now, then.now, otherwise.now)
    last_known = _choose(condition.last_known, then.last_known, otherwise.last_known)
    return _resting_on(taken, now, last_known, _choose(condition.best_case, then.best_case, otherwise.best_case))


def _if_then_else_values(parts: Sequence[TruthValues]) -> TruthValues:
    condition, then, otherwise = parts
    return TruthValues(*map(_choose, condition, then, otherwise))


def _choose(condition: State, then: State, otherwise: State) -> State:
    if condition == UNKNOWN:
        return then if then == otherwise else UNKNOWN
    return then if condition == MET else otherwise


def _combined(parts: Sequence[Evaluation], now: State, last_known: State, best_case: State) -> Evaluation:
    """Return an evaluation with the reasons and evidence of the parts that are in its own state ``now``."""
    deciding = [part for part in parts if part.now == now]
    if len(deciding) == 1:
        return deciding[0]._replace(last_known=last_known, best_case=best_case)
    return _resting_on(deciding, now, last_known, best_case)


def _resting_on(parts: Sequence[Evaluation], now: State, last_known: State, best_case: State) -> Evaluation:
    """Return an evaluation with the evidence of all parts, and their reasons where it is unknown."""
    evidence = _NO_EVIDENCE.union(*(part.evidence for part in parts))
    if now != UNKNOWN:
        return Evaluation(now, last_known, best_case, _NO_REASON, evidence)
    differs = any(part.reasons_on_record is not None for part in parts)
    return Evaluation(
        now,
        last_known,
        best_case,
        _NO_REASON.union(*(part.reasons for part in parts)),
        evidence,
        _NO_REASON.union(*(part.recorded for part in parts)) if differs else None,
    )


all_of = _counting(_all)
any_of = _counting(_any)
negation = Combinator(_negate, lambda parts: parts[0].map(_negate_values))
conditional = Combinator(_if_then_else, lambda parts: Timeline.combine(parts, _if_then_else_values))
