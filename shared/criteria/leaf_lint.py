"""Warns of probable mistakes in one leaf: bounds, units, codes, and what is asked of its concepts. Pure."""

from collections.abc import Collection, Iterator
from fractions import Fraction
from operator import eq, ge, gt, le, lt

from shared.criteria import expressions
from shared.criteria.durations import Span, parse
from shared.criteria.expressions import Leaf
from shared.criteria.findings import Finding, finding
from shared.criteria.model import CriteriaDocument
from shared.criteria.scales import SCALES
from shared.criteria.scores import SCORES
from shared.criteria.units import ANALYTES, analyte_of, conversion, is_bare, measure
from shared.terminology.graph import Terminology
from shared.terminology.medicines import has_half_life, is_class
from shared.vocabulary.durations import in_months

_COMPARE = {"<": lt, "<=": le, ">": gt, ">=": ge, "=": eq}
# What a living person can have, in the unit of the formula, with a wide margin.
_POSSIBLE = {
    "bmi": (5, 150),
    "bsa_mosteller": (0.05, 5),
    "egfr_ckd_epi_2021": (0, 300),
    "egfr_schwartz_2009": (0, 300),
}
_CORRECTED_UNTIL = 36  # months


def of_leaf(
    document: CriteriaDocument, leaf: Leaf, pointer: str, terminology: Terminology | None, *, excludes: bool
) -> Iterator[Finding]:
    """Return the remarks on one leaf. ``excludes``: the criterion is an exclusion: a negative lets the patient pass."""
    for place, code in _codes(leaf):
        if terminology is not None and code not in terminology:
            yield finding(f"{pointer}/{place}", "code_unknown")
    match leaf:
        case expressions.Age():
            yield from _of_age(document, leaf, pointer)
        case expressions.Has():
            yield from _of_evidence(leaf, pointer, terminology, excludes=excludes)
        case expressions.Value():
            yield from _of_unit(leaf.unit, leaf.codes, f"{pointer}/unit", absolute=leaf.basis == "absolute")
        case expressions.Stable():
            yield from _of_stable(leaf, pointer, terminology)
        case expressions.Ordinal():
            if leaf.in_ is None and not SCALES[leaf.scale].between(leaf.min, leaf.max):
                yield finding(pointer, "bounds_contradictory")
        case expressions.Variant():
            yield from _of_variant(leaf, pointer)
        case _:
            yield from _of_derived(leaf, pointer, terminology)


def months(span: Span) -> Fraction:
    return in_months(span.months, span.days)


def _of_derived(leaf: Leaf, pointer: str, terminology: Terminology | None) -> Iterator[Finding]:
    match leaf:
        case expressions.Washout(half_lives=float() | int()):
            for index, code in enumerate(leaf.codes):
                if not has_half_life(code, terminology):
                    yield finding(f"{pointer}/codes/{index}", "half_life_unknown")
        case expressions.Since(op="<" | "<=", domain=None) if len(leaf.codes) > 1:
            yield finding(f"{pointer}/domain", "first_event_unknown")
        case expressions.Delta():
            yield from _of_unit(leaf.unit, leaf.codes, f"{pointer}/unit", absolute=leaf.basis == "absolute")
            if leaf.value == 0 and leaf.op in (">=", "<="):
                yield finding(f"{pointer}/value", "change_not_asked")
            if leaf.basis == "relative" and leaf.value <= -100:
                yield finding(f"{pointer}/value", "bound_without_effect")
        case expressions.Computed():
            low, high = _POSSIBLE[leaf.formula]
            if not low <= leaf.value <= high:
                yield finding(f"{pointer}/value", "bound_without_effect")
        case expressions.Ratio():
            yield from _of_ratio(leaf, pointer)
        case expressions.Score():
            most = sum(max(item.points for item in group) for group in SCORES[leaf.set].groups)
            if len({_COMPARE[leaf.op](points, leaf.value) for points in range(most + 1)}) == 1:
                yield finding(f"{pointer}/value", "bound_without_effect")


def _of_age(document: CriteriaDocument, leaf: expressions.Age, pointer: str) -> Iterator[Finding]:
    least, most = (months(parse(bound)) if bound else None for bound in (leaf.min, leaf.max))
    if least is not None and most is not None and least >= most:
        yield finding(pointer, "bounds_contradictory")
    if most is not None and leaf.max_unclear_until and months(parse(leaf.max_unclear_until)) <= most:
        yield finding(f"{pointer}/max_unclear_until", "bounds_contradictory")
    if leaf.at == "dosing" and document.lead_time is None:
        yield finding(f"{pointer}/at", "lead_time_missing")
    if leaf.at == "dosing" and "dosing" not in document.anchors:
        yield finding(f"{pointer}/at", "anchor_undeclared")
    if leaf.corrected and max(least or 0, most or 0) > _CORRECTED_UNTIL:
        yield finding(f"{pointer}/corrected", "corrected_late")


def _of_evidence(
    leaf: expressions.Has, pointer: str, terminology: Terminology | None, *, excludes: bool
) -> Iterator[Finding]:
    """Ask how old a denial of a state that can end may be."""
    if terminology is None or leaf.within is not None or leaf.evidence_within is not None:
        return
    kinds = {state.kind for code in leaf.codes if (state := terminology.state_of(code)) is not None}
    if "passing" in kinds:
        yield finding(f"{pointer}/evidence_within", "evidence_window_missing")
    elif "persists" in kinds and excludes:
        yield finding(f"{pointer}/evidence_within", "evidence_window_advised")


def _of_stable(leaf: expressions.Stable, pointer: str, terminology: Terminology | None) -> Iterator[Finding]:
    if leaf.min is not None and leaf.max is not None and leaf.min > leaf.max:
        yield finding(pointer, "bounds_contradictory")
    yield from _of_unit(leaf.unit, (), f"{pointer}/unit", absolute=True)
    if leaf.equivalent is None and (leaf.min, leaf.max) != (None, None):
        for index, code in enumerate(leaf.codes):
            if is_class(code, terminology):
                yield finding(f"{pointer}/codes/{index}", "dose_of_class")


def _of_variant(leaf: expressions.Variant, pointer: str) -> Iterator[Finding]:
    exons = leaf.exons
    spans = [] if exons is None else [*(exons.overlaps or ()), *([exons.within] if exons.within else ())]
    if any(first > last for first, last in spans):
        yield finding(f"{pointer}/exons", "bounds_contradictory")
    if leaf.amenable_to is not None and leaf.types is not None and "deletion" not in leaf.types:
        yield finding(f"{pointer}/amenable_to", "skipping_without_deletion")


def _of_ratio(leaf: expressions.Ratio, pointer: str) -> Iterator[Finding]:
    if leaf.value < 0 or (leaf.value == 0 and leaf.op in ("<", ">=")):
        yield finding(f"{pointer}/value", "bound_without_effect")
    if not set(leaf.numerator).isdisjoint(leaf.denominator):
        yield finding(f"{pointer}/denominator", "ratio_of_itself")
    above, below = (
        {ANALYTES[code].unit for code in codes if code in ANALYTES} for codes in (leaf.numerator, leaf.denominator)
    )
    analyte = analyte_of({*leaf.numerator, *leaf.denominator})
    if above and below and not any(conversion(other, one, analyte) is not None for one in above for other in below):
        yield finding(f"{pointer}/denominator", "ratio_not_comparable")


def _of_unit(unit: str | None, codes: Collection[str], pointer: str, *, absolute: bool) -> Iterator[Finding]:
    usual = {ANALYTES[code].unit for code in codes if code in ANALYTES}
    if unit is not None and measure(unit) is None:
        yield finding(pointer, "unit_unknown")
    elif absolute and any(
        is_bare(unit) or conversion(unit or "1", wanted, analyte_of(codes)) is None for wanted in usual
    ):
        yield finding(pointer, "unit_unfit")


def _codes(leaf: Leaf) -> Iterator[tuple[str, str]]:
    for field in ("codes", "numerator", "denominator"):
        for index, code in enumerate(getattr(leaf, field, ())):
            yield f"{field}/{index}", code
    if isinstance(leaf, expressions.Value):
        for event, spoiler in enumerate(leaf.not_after):
            for index, code in enumerate(spoiler.codes):
                yield f"not_after/{event}/codes/{index}", code
