"""Kleene's strong three-valued logic over judgements that carry three readings, evidence and reasons (`docs/eligibility.md` §1)."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Literal, NamedTuple

from services.matching.engine.timeline import Timeline

Reason = Literal["missing", "stale", "unit", "no_reference_range", "partial_detail", "conflict", "needs_human"]


class State(IntEnum):
    """Ordered so that conjunction is the minimum and disjunction the maximum."""

    NOT_MET = 0
    UNKNOWN = 1
    MET = 2

    @property
    def code(self) -> Literal["met", "not_met", "unknown"]:
        return _CODES[self]


NOT_MET, UNKNOWN, MET = State.NOT_MET, State.UNKNOWN, State.MET
_CODES: dict[State, Literal["met", "not_met", "unknown"]] = {NOT_MET: "not_met", UNKNOWN: "unknown", MET: "met"}
_NEGATION = (MET, UNKNOWN, NOT_MET)
_NOTHING: frozenset[str] = frozenset()
_NO_REASON: frozenset[Reason] = frozenset()


class Judgement(NamedTuple):
    """What an expression is on one day: its readings, and for ``now`` the reasons of an unknown and the ids of the facts it rests on."""

    now: State
    carried: State
    hope: State
    reasons: frozenset[Reason] = _NO_REASON
    evidence: frozenset[str] = _NOTHING


class Reading(NamedTuple):
    """A judgement without what it rests on."""

    now: State
    carried: State
    hope: State

    @classmethod
    def of(cls, judgement: Judgement) -> "Reading":
        return cls(judgement.now, judgement.carried, judgement.hope)


OPEN = Reading(UNKNOWN, UNKNOWN, UNKNOWN)


class Join(NamedTuple):
    """A truth table: over the judgements of one day, and over the readings of every day."""

    judge: Callable[[Sequence[Judgement]], Judgement]
    course: Callable[[Sequence[Timeline[Reading]]], Timeline[Reading]]


def settled(state: State, evidence: Iterable[str] = (), *, hope: State | None = None) -> Judgement:
    """A leaf that is known; its ``hope`` differs where a new test, a treatment or a stop could change it."""
    return Judgement(state, state, state if hope is None else hope, _NO_REASON, frozenset(evidence))


def unknown(
    reason: Reason, evidence: Iterable[str] = (), *, carried: State = UNKNOWN, hope: State = UNKNOWN
) -> Judgement:
    """A leaf that is not known now."""
    return Judgement(UNKNOWN, carried, hope, frozenset((reason,)), frozenset(evidence))


def at_least(count: int) -> Join:
    """``met`` when ``count`` parts are, ``not_met`` when that many no longer can be."""

    def reached(states: Counter[State]) -> State:
        if states[MET] >= count:
            return MET
        return UNKNOWN if states[MET] + states[UNKNOWN] >= count else NOT_MET

    return _counting(reached)


def _counting(reached: Callable[[Counter[State]], State]) -> Join:
    """Where only the number of parts in each state matters."""

    def judge(parts: Sequence[Judgement]) -> Judgement:
        return parts[0] if len(parts) == 1 else _judged(parts, *read(Counter(map(Reading.of, parts))))

    def read(held: Counter[Reading]) -> Reading:
        states = [Counter[State](), Counter[State](), Counter[State]()]
        for reading, number in held.items():
            for counted, state in zip(states, reading, strict=True):
                counted[state] += number
        return Reading(*map(reached, states))

    def course(parts: Sequence[Timeline[Reading]]) -> Timeline[Reading]:
        return parts[0] if len(parts) == 1 else Timeline.tally(parts, read)

    return Join(judge, course)


def _all(states: Counter[State]) -> State:
    return NOT_MET if states[NOT_MET] else UNKNOWN if states[UNKNOWN] else MET


def _any(states: Counter[State]) -> State:
    return MET if states[MET] else UNKNOWN if states[UNKNOWN] else NOT_MET


def _negated(parts: Sequence[Judgement]) -> Judgement:
    """The opposite of the one part."""
    (part,) = parts
    return part._replace(now=_NEGATION[part.now], carried=_NEGATION[part.carried], hope=_NEGATION[part.hope])


def _opposite(reading: Reading) -> Reading:
    return Reading(_NEGATION[reading.now], _NEGATION[reading.carried], _NEGATION[reading.hope])


def _decided(parts: Sequence[Judgement]) -> Judgement:
    """Condition, then, else: an unknown condition concludes only where both branches agree."""
    condition, then, otherwise = parts
    taken = (
        (condition, then)
        if condition.now == MET
        else (condition, otherwise)
        if condition.now == NOT_MET
        else (condition, then, otherwise)
    )
    now = _chosen(condition.now, then.now, otherwise.now)
    return Judgement(
        now,
        _chosen(condition.carried, then.carried, otherwise.carried),
        _chosen(condition.hope, then.hope, otherwise.hope),
        frozenset().union(*(part.reasons for part in taken)) if now == UNKNOWN else _NO_REASON,
        frozenset().union(*(part.evidence for part in taken)),
    )


def _read(parts: Sequence[Reading]) -> Reading:
    condition, then, otherwise = parts
    return Reading(*map(_chosen, condition, then, otherwise))


def _chosen(condition: State, then: State, otherwise: State) -> State:
    if condition == UNKNOWN:
        return then if then == otherwise else UNKNOWN
    return then if condition == MET else otherwise


def _judged(parts: Sequence[Judgement], now: State, carried: State, hope: State) -> Judgement:
    """Rests on the parts that are in the state of the whole."""
    deciding = [part for part in parts if part.now == now]
    if len(deciding) == 1:
        return Judgement(now, carried, hope, deciding[0].reasons, deciding[0].evidence)
    return Judgement(
        now,
        carried,
        hope,
        frozenset().union(*(part.reasons for part in deciding)),
        frozenset().union(*(part.evidence for part in deciding)),
    )


all_of = _counting(_all)
any_of = _counting(_any)
negation = Join(_negated, lambda parts: parts[0].map(_opposite))
conditional = Join(_decided, lambda parts: Timeline.combine(parts, _read))
