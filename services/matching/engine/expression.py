"""Compiled expressions: leaves and combinators, evaluated on one day or for every day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Protocol, TypeAlias

from services.matching.engine.kleene import (
    MET,
    UNKNOWN,
    Combinator,
    Evaluation,
    TruthValues,
    all_of,
    any_of,
    at_least,
    conditional,
    decided,
    negation,
)
from services.matching.engine.leaves.computed import Computed
from services.matching.engine.leaves.count import Count
from services.matching.engine.leaves.delta import Delta
from services.matching.engine.leaves.has import Has
from services.matching.engine.leaves.measurements import Human, Ordinal, Titre, Value
from services.matching.engine.leaves.person import Age, Sex
from services.matching.engine.leaves.ratio import Ratio
from services.matching.engine.leaves.score import Score
from services.matching.engine.leaves.since import Since
from services.matching.engine.leaves.stable import Stable
from services.matching.engine.leaves.variant import Variant
from services.matching.engine.leaves.washout import Washout
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from shared.criteria import expressions
from shared.criteria.durations import Span


class CompiledLeaf(Protocol):
    """A leaf, ready to be evaluated for any patient.

    ``evaluate_over_time`` gives the truth values of every day from ``as_of`` on. On each day they equal those of
    ``evaluate``, but far fewer facts are looked at.
    """

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation: ...

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]: ...


@dataclass(frozen=True, slots=True)
class LeafExpression:
    """A compiled leaf and its source; leaves that ask the same have the same ``key``."""

    source: expressions.Leaf
    leaf: CompiledLeaf
    key: str

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        return (
            self.leaf.evaluate(patient, day)
            if day != patient.as_of
            else patient.cached(("evaluate", self.key), lambda: self.leaf.evaluate(patient, day))
        )

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        return patient.cached(("evaluate_over_time", self.key), lambda: self.leaf.evaluate_over_time(patient))

    def shown(self, patient: PatientIndex, day: date) -> Fraction | None:
        """Return the value that the leaf computed and compared; None where it has none."""
        return self.leaf.shown(patient, day) if isinstance(self.leaf, Computed | Delta | Ratio | Score) else None

    def unknown_leaves(self, patient: PatientIndex, day: date) -> Iterator[expressions.Leaf]:
        if self.evaluate(patient, day).now == UNKNOWN:
            yield self.source


@dataclass(frozen=True, slots=True)
class Always:
    """The branch that an `if` without `else` takes."""

    def evaluate(self, _chart: PatientIndex, _day: date) -> Evaluation:
        return decided(MET)

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        return Timeline((patient.as_of,), (TruthValues(MET, MET, MET),))

    def unknown_leaves(self, _chart: PatientIndex, _day: date) -> Iterator[expressions.Leaf]:
        return iter(())


@dataclass(frozen=True, slots=True)
class Combination:
    """A combinator applied to its operands."""

    combinator: Combinator
    operands: "Sequence[Expression]"

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        parts = [operand.evaluate(patient, day) for operand in self.operands]
        if len(parts) > 1:
            patient.count_work(sum(len(part.evidence) for part in parts))
        return self.combinator.evaluate(parts)

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        parts = [operand.evaluate_over_time(patient) for operand in self.operands]
        if len(parts) > 1:
            patient.count_work(sum(len(part.days) for part in parts))
        return self.combinator.evaluate_over_time(parts)

    def unknown_leaves(self, patient: PatientIndex, day: date) -> Iterator[expressions.Leaf]:
        """Yield the unknown leaves that may decide this expression; none where it is known."""
        if self.evaluate(patient, day).now == UNKNOWN:
            for operand in self.operands:
                yield from operand.unknown_leaves(patient, day)


Expression: TypeAlias = LeafExpression | Combination | Always


def leaves_of(expression: Expression) -> Iterator[LeafExpression]:
    """Yield the leaves of a compiled expression, in the order of the document."""
    match expression:
        case LeafExpression():
            yield expression
        case Combination():
            for operand in expression.operands:
                yield from leaves_of(operand)


def compile_expression(node: expressions.Node, terminology: Terminology, lead_time: Span | None) -> Expression:
    """Compile an expression. ``lead_time``: the time between screening and dosing; None where it is not known."""

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


def _compile_leaf(leaf: expressions.Leaf, terminology: Terminology, lead_time: Span | None) -> CompiledLeaf:
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
        case expressions.Washout():
            return Washout(leaf, terminology)
        case expressions.Since():
            return Since(leaf, terminology)
        case expressions.Delta():
            return Delta(leaf, terminology)
        case expressions.Computed():
            return Computed(leaf, terminology)
        case expressions.Ratio():
            return Ratio(leaf, terminology)
        case expressions.Score():
            return Score(leaf, terminology)
    raise AssertionError(leaf)
