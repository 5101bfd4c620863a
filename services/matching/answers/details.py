"""For each question of a criterion: what was asked, the limit, and what was found (`schemas.AskedAnswer`). Pure."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from services.matching.engine import CompiledCriterion, Fact, LeafExpression, PatientIndex, leaves_of
from services.matching.snapshots.model import Vocabulary
from shared.criteria import expressions
from shared.criteria.formulas import FORMULAS
from shared.criteria.sentences import criterion_sentence, sentence
from shared.criteria.words import Words

Sentences = dict[str, Words]
MAX_FOUND = 10


def asked_by(criterion: CompiledCriterion, vocabulary: Vocabulary, sentences: Sentences) -> Words:
    """Return what the criterion asks as a sentence; ``sentences`` keeps it for the next answer."""
    key = f"{criterion.source.id}\n"
    if key not in sentences:
        sentences[key] = criterion_sentence(criterion.source, vocabulary.label)
    return sentences[key]


def question_details(
    criterion: CompiledCriterion, patient: PatientIndex, vocabulary: Vocabulary, sentences: Sentences
) -> list[dict[str, Any]]:
    """Return a document for each question (leaf) of a criterion; none for a question to a person alone."""
    return [
        _details(leaf, patient, vocabulary, sentences)
        for leaf in leaves_of(criterion.expression)
        if not isinstance(leaf.source, expressions.Human)
    ]


def _details(
    leaf: LeafExpression, patient: PatientIndex, vocabulary: Vocabulary, sentences: Sentences
) -> dict[str, Any]:
    evaluation = leaf.evaluate(patient, patient.as_of)
    if leaf.key not in sentences:
        sentences[leaf.key] = sentence(leaf.source, vocabulary.label)
    words = sentences[leaf.key]
    return {
        "asked": {"fr": words.fr, "en": words.en},
        "state": evaluation.now.code,
        "reasons": sorted(evaluation.reasons),
        "limits": limits_of(leaf.source),
        "found": _found(evaluation.evidence, patient, is_open=evaluation.now.code == "unknown"),
        "computed": _computed(leaf, patient),
    }


def _computed(leaf: LeafExpression, patient: PatientIndex) -> dict[str, Any] | None:
    value = leaf.shown(patient, patient.as_of)
    if value is None:
        return None
    return {"value": float(f"{float(value):.8g}"), "unit": limits_of(leaf.source)[0]["unit"]}


def limits_of(leaf: expressions.Leaf) -> list[dict[str, Any]]:
    """Return the bounds that a leaf compares with; empty where it compares nothing."""
    match leaf:
        case expressions.Age():
            bounds = [(">=" if leaf.min_inclusive else ">", leaf.min), ("<=" if leaf.max_inclusive else "<", leaf.max)]
            return [_limit(op, bound, None, "absolute") for op, bound in bounds if bound is not None]
        case expressions.Value():
            unit = "%" if leaf.basis == "pct_predicted" else leaf.unit
            return [_limit(leaf.op, leaf.value, unit, leaf.basis)]
        case expressions.Titre():
            return [_limit(leaf.op, leaf.reciprocal, None, "reciprocal")]
        case expressions.Count():
            return [_limit(leaf.op, leaf.value, None, "days")]
        case expressions.Stable():
            doses = [(">=", leaf.min), ("<=", leaf.max)]
            return [_limit(op, bound, leaf.unit, "dose") for op, bound in doses if bound is not None]
    return _combined_limits(leaf)


def _combined_limits(leaf: expressions.Leaf) -> list[dict[str, Any]]:
    match leaf:
        case expressions.Washout():
            times = [(leaf.for_, "last_dose"), (leaf.half_lives, "half_lives")]
            return [_limit(">=", bound, None, basis) for bound, basis in times if bound is not None]
        case expressions.Since():
            return [_limit(leaf.op, leaf.value, None, "first_event")]
        case expressions.Delta(basis="relative"):
            return [_limit(leaf.op, leaf.value, "%", "relative_change")]
        case expressions.Delta():
            return [_limit(leaf.op, leaf.value, leaf.unit, "change")]
        case expressions.Computed():
            return [_limit(leaf.op, leaf.value, FORMULAS[leaf.formula].unit, "absolute")]
        case expressions.Ratio():
            return [_limit(leaf.op, leaf.value, None, "ratio")]
        case expressions.Score():
            return [_limit(leaf.op, leaf.value, None, "points")]
    return []


def _limit(op: str, value: float | str, unit: str | None, basis: str) -> dict[str, Any]:
    return {"op": op, "value": value, "unit": unit, "basis": basis}


def _found(evidence: Iterable[str], patient: PatientIndex, *, is_open: bool) -> list[dict[str, Any]]:
    facts = (patient.by_id.get(name) for name in sorted(evidence))
    return [_fact(fact, is_open=is_open) for fact in facts if fact is not None][:MAX_FOUND]


def _fact(fact: Fact, *, is_open: bool) -> dict[str, Any]:
    """``is_open``: whether the question stays unknown, so that what falsified the fact is part of the answer."""
    cause = fact.falsified.cause if fact.falsified is not None and is_open else None
    value: Any = fact.text
    number = fact.number if fact.falsified is None else fact.falsified.number
    if number is not None:
        value = _plain(number)
    elif fact.dose is not None:
        value = _plain(fact.dose.value)
    return {
        "fact": fact.id,
        "status": fact.status,
        "date": fact.day,
        "comparator": fact.comparator,
        "value": value,
        "unit": fact.unit if fact.dose is None else fact.dose.unit,
        "not_counted": None if cause is None else {"fr": cause.name_fr, "en": cause.name_en},
    }


def _plain(number: Fraction) -> float | int:
    return int(number) if number.denominator == 1 else float(number)
