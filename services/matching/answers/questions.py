"""The facts that answer a question, so that a program can ask for them (`schemas.WantedFact`). Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from shared.criteria import expressions
from shared.criteria.durations import parse
from shared.criteria.formulas import FORMULAS
from shared.criteria.parts import Where
from shared.criteria.scales import SCALES
from shared.terminology.clinical_data import AGE_DEPENDENT, HALF_LIVES
from shared.values.wire import Label
from shared.vocabulary.durations import in_months

Wanted = dict[str, Any]
_NOTHING: Wanted = {
    "field": None,
    "kind": None,
    "codes": [],
    "question": None,
    "text": None,
    "statuses": [],
    "value": None,
    "values": [],
    "comparisons": [],
    "unit": None,
    "per_kg": False,
    "reference_range": False,
    "assay": None,
    "variant": None,
    "attributes": None,
    "relative": None,
    "within": None,
    "each": None,
    "over": None,
    "duration": None,
    "domain": None,
}
# What two leaves of one question may differ in: the wanted fact then satisfies both.
_MERGED = ("within", "each", "over", "duration", "unit", "per_kg", "reference_range", "domain", "comparisons")
_KIND_OF_DOMAIN = {
    "conditions": "condition",
    "procedures": "procedure",
    "medications": "medication",
    "immunizations": "immunization",
    "encounters": "event",
    "observations": "observation",
}
_KIND_OF_SYSTEM = {"ATC": "medication", "LOINC": "observation", "HP": "observation"}


def wanted_facts(
    leaves: Iterable[expressions.Leaf], *, has_lead_time: bool, words: Mapping[str, Label] | None = None
) -> list[Wanted]:
    """Return what answers every one of the leaves. ``has_lead_time``: whether the day of dosing can be computed.

    ``words``: of the questions to a person, by their codes.
    """
    found: dict[str, Wanted] = {}
    for leaf in leaves:
        for wanted in _wanted(leaf, has_lead_time=has_lead_time):
            key = repr([value for name, value in wanted.items() if name not in _MERGED])
            found[key] = _merge(found[key], wanted) if key in found else wanted
            if words and wanted["question"] in words:
                found[key]["text"] = words[wanted["question"]].model_dump()
    return list(found.values())


def _wanted(leaf: expressions.Leaf, *, has_lead_time: bool) -> Iterator[Wanted]:
    match leaf:
        case expressions.Age():
            yield _fact(field="birth_date")
            if leaf.corrected:
                yield _fact(field="gestation")
            if leaf.at == "dosing" and not has_lead_time:
                yield _fact(field="dosing_date")
        case expressions.Sex():
            yield _fact(field="sex", values=["male", "female"])
        case expressions.Has():
            yield _presence(leaf)
        case expressions.Variant():
            yield _variant(leaf)
        case expressions.Value():
            yield _measurement(leaf)
            for event in leaf.not_after:
                kind = _kind(event.domain, event.codes)
                yield _fact(kind=kind, codes=event.codes, statuses=["absent"], within=event.for_, domain=event.domain)
        case expressions.Titre():
            yield _fact(
                kind="observation",
                codes=leaf.codes,
                statuses=["present"],
                value="number",
                comparisons=[_comparison(leaf.op, leaf.reciprocal)],
                assay=leaf.assay,
                within=leaf.within,
            )
            if not AGE_DEPENDENT.isdisjoint(leaf.codes):
                yield _fact(field="birth_date")  # antibodies of an infant may be the mother's
        case expressions.Ordinal():
            levels = [level.code for level in SCALES[leaf.scale].levels]
            yield _fact(
                kind="observation",
                codes=[leaf.scale],
                statuses=["present"],
                value="level",
                values=levels,
                within=leaf.within,
            )
        case expressions.Count():
            yield _fact(
                kind=_kind(leaf.domain, leaf.codes),
                codes=leaf.codes,
                statuses=["present"],
                value="occurrences",
                comparisons=[_comparison(leaf.op, leaf.value)],
                within=leaf.within,
                each=leaf.each,
                domain=leaf.domain,
            )
        case expressions.Stable():
            yield _treatment(leaf)
        case expressions.Human():
            yield _fact(
                kind="answer",
                question=leaf.question,
                statuses=["present"],
                values=["yes", "no"],
                within=leaf.within,
            )
        case _:
            yield from _combined(leaf)


def _combined(leaf: expressions.Leaf) -> Iterator[Wanted]:
    """Return what answers a leaf that combines several facts."""
    match leaf:
        case expressions.Washout():
            yield _fact(
                kind="medication" if leaf.domain is None else _KIND_OF_DOMAIN[leaf.domain],
                codes=leaf.codes,
                statuses=["present", "absent"],
                value="last_day",
                within=_washout(leaf),
                domain=leaf.domain,
            )
        case expressions.Since():
            for code in leaf.codes:  # the first of all is known where each has happened or is denied
                yield _fact(
                    kind=_kind(leaf.domain, [code]),
                    codes=[code],
                    statuses=["present", "absent"],
                    value="first_day",
                    domain=leaf.domain,
                )
        case expressions.Delta():
            basis = "change" if leaf.basis == "absolute" else "relative_change"
            compared = [_comparison(leaf.op, leaf.value, basis)]
            yield _number(leaf.codes, leaf.unit, leaf.within, comparisons=compared, over=leaf.over)
        case expressions.Computed():
            formula = FORMULAS[leaf.formula]
            for one in formula.inputs.values():
                yield _number(one.codes, one.unit, leaf.within)
            if formula.needs_age:
                yield _fact(field="birth_date")
            if formula.needs_sex:
                yield _fact(field="sex", values=["male", "female"])
        case expressions.Ratio():
            for codes in (leaf.numerator, leaf.denominator):
                yield _number(codes, None, leaf.within)
        case expressions.Score():
            yield _number([leaf.set], None, None, comparisons=[_comparison(leaf.op, leaf.value)])


def _washout(leaf: expressions.Washout) -> str | None:
    """Return how old a denial may be that certainly covers the washout; None where its half-life is not known."""
    known = [days for code, days in HALF_LIVES.items() if code.startswith(tuple(leaf.codes))]
    if leaf.for_ is not None or leaf.half_lives is None or not known:
        return leaf.for_
    return f"P{math.ceil(max(known) * Fraction(str(leaf.half_lives)))}D"


def _number(codes: Sequence[str], unit: str | None, within: str | None, **given: Any) -> Wanted:
    fixed = {"kind": "observation", "statuses": ["present"], "value": "number"}
    return _fact(**fixed, codes=list(codes), unit=unit, within=within, **given)


def _presence(leaf: expressions.Has) -> Wanted:
    where = leaf.where or Where()
    attributes = {"outcome": where.outcome, "body_site": where.body_site, "severity": where.severity}
    return _fact(
        kind="medication" if where.duration else _kind(leaf.domain, leaf.codes),
        codes=leaf.codes,
        statuses=["present", "absent"],
        attributes=attributes if any(attributes.values()) else None,
        relative=leaf.relative,
        within=leaf.evidence_within or leaf.within,
        duration=where.duration,
        domain=leaf.domain,
    )


def _variant(leaf: expressions.Variant) -> Wanted:
    variant = {
        "gene": leaf.gene,
        "types": leaf.types,
        "exons": leaf.exons.model_dump() if leaf.exons else None,
        "zygosity": leaf.zygosity,
        "copies": leaf.copies is not None,
        "frame": leaf.frame,
        "hgvs": leaf.hgvs,
        "origin": leaf.origin,
        "amenable_to": leaf.amenable_to.model_dump() if leaf.amenable_to else None,
    }
    return _fact(kind="variant", statuses=["present", "absent"], variant=variant)


def _measurement(leaf: expressions.Value) -> Wanted:
    return _fact(
        kind="observation",
        codes=leaf.codes,
        statuses=["present"],
        value="number",
        comparisons=[_comparison(leaf.op, leaf.value, leaf.basis)],
        unit="%" if leaf.basis == "pct_predicted" else leaf.unit,
        reference_range=leaf.basis in ("xULN", "xLLN"),
        within=leaf.within,
        domain=leaf.domain,
    )


def _treatment(leaf: expressions.Stable) -> Wanted:
    bounds = [_comparison(op, bound) for op, bound in ((">=", leaf.min), ("<=", leaf.max)) if bound is not None]
    return _fact(
        kind="medication",
        codes=leaf.codes,
        statuses=["present", "absent"],
        value="dose" if bounds else None,
        comparisons=bounds,
        unit=leaf.unit,
        per_kg=leaf.per_kg,
        duration=leaf.for_,
        domain=leaf.domain,
    )


def _comparison(op: str, value: float, basis: str = "absolute") -> dict[str, Any]:
    return {"op": op, "value": value, "basis": basis}


def _fact(**given: Any) -> Wanted:
    return {**_NOTHING, **given}


def _kind(domain: str | None, codes: Sequence[str]) -> str:
    """Return the kind that such facts usually have."""
    if domain is not None:
        return _KIND_OF_DOMAIN[domain]
    return _KIND_OF_SYSTEM.get(codes[0].partition(":")[0], "condition")


def _merge(first: Wanted, second: Wanted) -> Wanted:
    """Merge two wanted facts that differ only in `_MERGED`: the more recent, the longer, the more complete one."""
    others = [one for one in second["comparisons"] if one not in first["comparisons"]]
    return {
        **first,
        "within": min((one["within"] for one in (first, second) if one["within"]), key=_length, default=None),
        "duration": max((one["duration"] for one in (first, second) if one["duration"]), key=_length, default=None),
        "each": min((one["each"] for one in (first, second) if one["each"]), key=_length, default=None),
        "over": min((one["over"] for one in (first, second) if one["over"]), key=_length, default=None),
        "comparisons": [*first["comparisons"], *others],
        "unit": first["unit"] or second["unit"],
        "per_kg": first["per_kg"] or second["per_kg"],
        "reference_range": first["reference_range"] or second["reference_range"],
        "domain": first["domain"] or second["domain"],
    }


def _length(duration: str) -> Any:
    span = parse(duration)
    return in_months(span.months, span.days)
