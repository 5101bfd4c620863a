"""Kleene's strong three-valued logic over judgements that carry three readings, evidence and reasons (`docs/eligibility.md` §1)."""

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Literal, NamedTuple

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


Join = Callable[[Sequence[Judgement]], Judgement]


def settled(state: State, evidence: Iterable[str] = (), *, hope: State | None = None) -> Judgement:
    """A leaf that is known; its ``hope`` differs where a new test, a treatment or a stop could change it."""
    return Judgement(state, state, state if hope is None else hope, _NO_REASON, frozenset(evidence))


def unknown(reason: Reason, evidence: Iterable[str] = (), *, carried: State = UNKNOWN, hope: State = UNKNOWN) -> Judgement:
    """A leaf that is not known now."""
    return Judgement(UNKNOWN, carried, hope, frozenset((reason,)), frozenset(evidence))


def all_of(parts: Sequence[Judgement]) -> Judgement:
    return _judged(parts, min(p.now for p in parts), min(p.carried for p in parts), min(p.hope for p in parts))


def any_of(parts: Sequence[Judgement]) -> Judgement:
    return _judged(parts, max(p.now for p in parts), max(p.carried for p in parts), max(p.hope for p in parts))


def at_least(count: int) -> Join:
    """``met`` when ``count`` parts are, ``not_met`` when that many no longer can be."""

    def reading(states: list[State]) -> State:
        return sorted(states, reverse=True)[count - 1]

    def join(parts: Sequence[Judgement]) -> Judgement:
        return _judged(parts, reading([p.now for p in parts]), reading([p.carried for p in parts]), reading([p.hope for p in parts]))

    return join


def negation(parts: Sequence[Judgement]) -> Judgement:
    """The opposite of the one part."""
    (part,) = parts
    return part._replace(now=_NEGATION[part.now], carried=_NEGATION[part.carried], hope=_NEGATION[part.hope])


def conditional(parts: Sequence[Judgement]) -> Judgement:
    """Condition, then, else: an unknown condition concludes only where both branches agree."""
    condition, then, otherwise = parts
    taken = (condition, then) if condition.now == MET else (condition, otherwise) if condition.now == NOT_MET else (condition, then, otherwise)
    now = _chosen(condition.now, then.now, otherwise.now)
    return Judgement(
        now,
        _chosen(condition.carried, then.carried, otherwise.carried),
        _chosen(condition.hope, then.hope, otherwise.hope),
        frozenset().union(*(part.reasons for part in taken)) if now == UNKNOWN else _NO_REASON,
        frozenset().union(*(part.evidence for part in taken)),
    )


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
