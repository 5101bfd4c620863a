"""Compiled expressions: leaves and the combinators over them, each judged on one day or read for every day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeAlias

from services.matching.engine.kleene import (
    MET,
    UNKNOWN,
    Join,
    Judgement,
    Reading,
    all_of,
    any_of,
    at_least,
    conditional,
    negation,
    settled,
)
from services.matching.engine.leaves.count import Count
from services.matching.engine.leaves.has import Has
from services.matching.engine.leaves.measured import Human, Ordinal, Titre, Value
from services.matching.engine.leaves.person import Age, Sex
from services.matching.engine.leaves.stable import Stable
from services.matching.engine.leaves.variant import Variant
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from shared.criteria import expressions
from shared.criteria.durations import Span


class Asked(Protocol):
    """What every leaf can say of a patient: the judgement of a day, and the readings of every day."""

    def judge(self, chart: PatientIndex, day: date) -> Judgement: ...

    def course(self, chart: PatientIndex) -> Timeline[Reading]: ...


@dataclass(frozen=True, slots=True)
class LeafExpression:
    """A leaf with the text that it was compiled from; ``key`` is the same for leaves that ask the same."""

    source: expressions.Leaf
    leaf: Asked
    key: str

    def judge(self, chart: PatientIndex, day: date) -> Judgement:
        return (
            self.leaf.judge(chart, day)
            if day != chart.as_of
            else chart.once(("judge", self.key), lambda: self.leaf.judge(chart, day))
        )

    def course(self, chart: PatientIndex) -> Timeline[Reading]:
        return chart.once(("course", self.key), lambda: self.leaf.course(chart))

    def unknown_leaves(self, chart: PatientIndex, day: date) -> Iterator[expressions.Leaf]:
        if self.judge(chart, day).now == UNKNOWN:
            yield self.source


@dataclass(frozen=True, slots=True)
class Always:
    """The branch that an `if` without `else` takes."""

    def judge(self, _chart: PatientIndex, _day: date) -> Judgement:
        return settled(MET)

    def course(self, chart: PatientIndex) -> Timeline[Reading]:
        return Timeline((chart.as_of,), (Reading(MET, MET, MET),))

    def unknown_leaves(self, _chart: PatientIndex, _day: date) -> Iterator[expressions.Leaf]:
        return iter(())


@dataclass(frozen=True, slots=True)
class Combination:
    """A truth table over the operands."""

    join: Join
    operands: "Sequence[Expression]"

    def judge(self, chart: PatientIndex, day: date) -> Judgement:
        parts = [operand.judge(chart, day) for operand in self.operands]
        if len(parts) > 1:
            chart.spend(sum(len(part.evidence) for part in parts))
        return self.join.judge(parts)

    def course(self, chart: PatientIndex) -> Timeline[Reading]:
        parts = [operand.course(chart) for operand in self.operands]
        if len(parts) > 1:
            chart.spend(sum(len(part.days) for part in parts))
        return self.join.course(parts)

    def unknown_leaves(self, chart: PatientIndex, day: date) -> Iterator[expressions.Leaf]:
        """The unknown leaves that may decide this; none where it is known already."""
        if self.judge(chart, day).now == UNKNOWN:
            for operand in self.operands:
                yield from operand.unknown_leaves(chart, day)


Expression: TypeAlias = LeafExpression | Combination | Always


def compile_expression(node: expressions.Node, terminology: Terminology, lead_time: Span | None) -> Expression:
    """An expression ready to be judged; ``lead_time`` is what lies between screening and dosing."""

    def inner(operand: expressions.Node) -> Expression:
        return compile_expression(operand, terminology, lead_time)

    match node:
        case expressions.AllOf():
            return Combination(all_of, [inner(operand) for operand in node.all_])
        case expressions.AnyOf():
            return Combination(any_of, [inner(operand) for operand in node.any_])
        case expressions.AtLeast():
            return Combination(at_least(node.at_least), [inner(operand) for operand in node.of])
        case expressions.Not():
            return Combination(negation, [inner(node.not_)])
        case expressions.If():
            return Combination(
                conditional, [inner(node.if_), inner(node.then), inner(node.else_) if node.else_ else Always()]
            )
        case expressions.Leaf():
            return LeafExpression(
                node, _compile_leaf(node, terminology, lead_time), f"{lead_time}{node.model_dump_json()}"
            )
    raise AssertionError(node)


def _compile_leaf(leaf: expressions.Leaf, terminology: Terminology, lead_time: Span | None) -> Asked:
    match leaf:
        case expressions.Age():
            return Age(leaf, lead_time)
        case expressions.Sex():
            return Sex(leaf)
        case expressions.Has():
            return Has(leaf, terminology)
        case expressions.Variant():
            return Variant(leaf)
        case expressions.Value():
            return Value(leaf, terminology)
        case expressions.Titre():
            return Titre(leaf, terminology)
        case expressions.Ordinal():
            return Ordinal(leaf, terminology)
        case expressions.Count():
            return Count(leaf, terminology)
        case expressions.Stable():
            return Stable(leaf, terminology)
        case expressions.Human():
            return Human(leaf)
    raise AssertionError(leaf)
