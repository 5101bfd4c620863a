"""Warns the author of criteria of probable mistakes. Pure; the model has already refused malformed documents."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from shared.criteria import expressions
from shared.criteria.durations import Span, parse
from shared.criteria.expressions import Leaf, Node
from shared.criteria.model import CriteriaDocument, Criterion, leaves, walk
from shared.criteria.scales import SCALES
from shared.criteria.units import ANALYTES, conversion, is_bare, measure, molar_mass
from shared.terminology.graph import Terminology
from shared.terminology.medicines import is_class
from shared.values.wire import ApiModel, Duration, Label
from shared.vocabulary.durations import in_months

EXCLUSION_WORDS = ("no ", "not ", "absence ", "without ", "never ", "pas de ", "aucun", "absence d", "sans ", "jamais ")


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark on the document, with its JSON Pointer. A document can have thousands of them."""

    pointer: str
    code: str
    severity: Literal["error", "warning"]
    detail: Label


class RegistryRecord(ApiModel):
    """Structured eligibility fields of a registry, to compare with."""

    minimum_age: Duration | None = None
    maximum_age: Duration | None = None
    sex: Literal["all", "male", "female"] | None = None


class _Rule(NamedTuple):
    severity: Literal["error", "warning"]
    detail: Label


_RULES = {
    "bounds_contradictory": _Rule(
        "error",
        Label(
            fr="Les bornes se contredisent : aucune valeur ne peut les respecter.",
            en="The bounds contradict each other: no value can satisfy both.",
        ),
    ),
    "code_unknown": _Rule(
        "error", Label(fr="Ce code ne figure pas dans la terminologie.", en="This code is not in the terminology.")
    ),
    "unit_unknown": _Rule(
        "error",
        Label(
            fr="Unité inconnue : donner une unité UCUM, par exemple g/L ou 10*9/L.",
            en="Unknown unit: give a UCUM unit, for example g/L or 10*9/L.",
        ),
    ),
    "unit_unfit": _Rule(
        "error", Label(fr="Cette unité ne convient pas à cet analyte.", en="This unit does not fit this analyte.")
    ),
    "lead_time_missing": _Rule(
        "error",
        Label(
            fr="Un âge à l'administration nécessite le délai « lead_time ».", en="An age at dosing needs a lead_time."
        ),
    ),
    "anchor_undeclared": _Rule(
        "warning",
        Label(
            fr="L'ancre « dosing » n'est pas déclarée dans anchors.", en="The anchor dosing is not declared in anchors."
        ),
    ),
    "evidence_window_missing": _Rule(
        "error",
        Label(
            fr="Cet état peut survenir après un test négatif : indiquer l'ancienneté admise d'un résultat négatif "
            "(evidence_within).",
            en="This state can begin after a negative test: say how old a negative result may be (evidence_within).",
        ),
    ),
    "dose_of_class": _Rule(
        "error",
        Label(
            fr="Les médicaments de cette classe n'ont pas le même dosage : nommer un médicament, ou demander "
            "l'équivalent en prednisone (equivalent).",
            en="The medicines of this class differ in strength: name one medicine, or ask for the equivalent in "
            "prednisone (equivalent).",
        ),
    ),
    "criterion_duplicate": _Rule(
        "warning", Label(fr="Ce critère est le même qu'un autre.", en="This criterion is the same as another.")
    ),
    "exclusion_as_inclusion": _Rule(
        "warning",
        Label(
            fr="Le texte est négatif alors que le critère est une inclusion : s'agit-il d'une exclusion ?",
            en="The text is negative but the criterion is an inclusion: is it an exclusion?",
        ),
    ),
    "negation_doubled": _Rule(
        "warning",
        Label(
            fr="Une exclusion dont l'expression est une négation : l'écrire comme une inclusion.",
            en="An exclusion with a negated expression: write it as an inclusion.",
        ),
    ),
    "cohort_without_criteria": _Rule(
        "warning",
        Label(
            fr="Aucun critère ne s'applique à cette cohorte.",
            en="No criterion applies to this cohort.",
        ),
    ),
    "age_mismatch": _Rule(
        "warning", Label(fr="L'âge diffère de celui du registre.", en="The age differs from the registry's.")
    ),
    "sex_mismatch": _Rule(
        "warning", Label(fr="Le sexe diffère de celui du registre.", en="The sex differs from the registry's.")
    ),
    "text_missing": _Rule("warning", Label(fr="Le critère n'a pas de texte.", en="The criterion has no text.")),
    "indication_missing": _Rule(
        "warning",
        Label(fr="Aucun critère n'a le rôle « indication ».", en="No criterion has the role indication."),
    ),
    "unsigned": _Rule(
        "warning",
        Label(
            fr="Les critères ne sont pas signés : le résultat sera au mieux « possible ».",
            en='The criteria are not signed: the result is at best "possible".',
        ),
    ),
}


def lint(
    document: CriteriaDocument,
    terminology: Terminology | None = None,
    registry_record: RegistryRecord | None = None,
) -> list[Finding]:
    """Return all remarks in the order of the document.

    Checks against a terminology and a registry record are optional.
    """
    found = list(_of_document(document))
    for index, criterion in enumerate(document.criteria):
        found += _of_criterion(criterion, f"/criteria/{index}")
        for pointer, leaf in leaves(criterion.expr, f"/criteria/{index}/expr"):
            found += _of_leaf(document, leaf, pointer, terminology)
            found += _of_meaning(leaf, pointer, terminology)
    if registry_record is not None:
        found += _against_record(document, registry_record)
    return found


def _finding(pointer: str, code: str) -> Finding:
    rule = _RULES[code]
    return Finding(pointer, code, rule.severity, rule.detail)


def _of_document(document: CriteriaDocument) -> Iterator[Finding]:
    if document.grade != "signed":
        yield _finding("/grade", "unsigned")
    if not any(criterion.role == "indication" for criterion in document.criteria):
        yield _finding("/criteria", "indication_missing")
    for index, cohort in enumerate(document.cohorts):
        if not any(criterion.cohorts is None or cohort.id in criterion.cohorts for criterion in document.criteria):
            yield _finding(f"/cohorts/{index}", "cohort_without_criteria")
    meanings = [_meaning(criterion) for criterion in document.criteria]
    said = Counter(meanings)
    for index, meaning in enumerate(meanings):
        if said[meaning] > 1:
            yield _finding(f"/criteria/{index}", "criterion_duplicate")


def _of_criterion(criterion: Criterion, pointer: str) -> Iterator[Finding]:
    if criterion.text is None:
        yield _finding(f"{pointer}/text", "text_missing")
    elif criterion.kind == "include" and not _denies(criterion.expr) and _sounds_negative(criterion.text):
        yield _finding(f"{pointer}/kind", "exclusion_as_inclusion")
    if criterion.kind == "exclude" and isinstance(criterion.expr, expressions.Not):
        yield _finding(f"{pointer}/expr", "negation_doubled")
    for place, node in walk(criterion.expr, f"{pointer}/expr"):
        if isinstance(node, expressions.AllOf) and _contradictory(node):
            yield _finding(place, "bounds_contradictory")


def _of_leaf(
    document: CriteriaDocument, leaf: Leaf, pointer: str, terminology: Terminology | None
) -> Iterator[Finding]:
    for place, code in _codes(leaf):
        if terminology is not None and code not in terminology:
            yield _finding(f"{pointer}/{place}", "code_unknown")
    match leaf:
        case expressions.Age():
            if leaf.min and leaf.max and _months(parse(leaf.min)) >= _months(parse(leaf.max)):
                yield _finding(pointer, "bounds_contradictory")
            if (
                leaf.max
                and leaf.max_unclear_until
                and _months(parse(leaf.max_unclear_until)) <= _months(parse(leaf.max))
            ):
                yield _finding(f"{pointer}/max_unclear_until", "bounds_contradictory")
            if leaf.at == "dosing" and document.lead_time is None:
                yield _finding(f"{pointer}/at", "lead_time_missing")
            if leaf.at == "dosing" and "dosing" not in document.anchors:
                yield _finding(f"{pointer}/at", "anchor_undeclared")
        case expressions.Value():
            yield from _of_unit(leaf.unit, leaf.codes, f"{pointer}/unit", absolute=leaf.basis == "absolute")
        case expressions.Stable():
            if leaf.min is not None and leaf.max is not None and leaf.min > leaf.max:
                yield _finding(pointer, "bounds_contradictory")
            yield from _of_unit(leaf.unit, (), f"{pointer}/unit", absolute=True)
        case expressions.Ordinal():
            scale = SCALES[leaf.scale]
            if leaf.in_ is None and not scale.between(leaf.min, leaf.max):
                yield _finding(pointer, "bounds_contradictory")
        case expressions.Variant():
            spans = (
                []
                if leaf.exons is None
                else [*(leaf.exons.overlaps or ()), *([leaf.exons.within] if leaf.exons.within else ())]
            )
            if any(first > last for first, last in spans):
                yield _finding(f"{pointer}/exons", "bounds_contradictory")


def _of_meaning(leaf: Leaf, pointer: str, terminology: Terminology | None) -> Iterator[Finding]:
    """Check what a leaf asks of its concepts: of a state that can end, and of a class of medicines."""
    if isinstance(leaf, expressions.Has) and leaf.within is None and leaf.evidence_within is None:
        states = [] if terminology is None else [terminology.state_of(code) for code in leaf.codes]
        if any(state is not None and state.kind in ("persists", "passing") for state in states):
            yield _finding(f"{pointer}/evidence_within", "evidence_window_missing")
    if isinstance(leaf, expressions.Stable) and leaf.equivalent is None and (leaf.min, leaf.max) != (None, None):
        for index, code in enumerate(leaf.codes):
            if is_class(code, terminology):
                yield _finding(f"{pointer}/codes/{index}", "dose_of_class")


def _of_unit(unit: str | None, codes: Collection[str], pointer: str, *, absolute: bool) -> Iterator[Finding]:
    usual = {ANALYTES[code].unit for code in codes if code in ANALYTES}
    if unit is not None and measure(unit) is None:
        yield _finding(pointer, "unit_unknown")
    elif absolute and any(
        is_bare(unit) or conversion(unit or "1", wanted, molar_mass(codes)) is None for wanted in usual
    ):
        yield _finding(pointer, "unit_unfit")


def _against_record(document: CriteriaDocument, record: RegistryRecord) -> Iterator[Finding]:
    """Compare ages (the maximum may be a year higher) and sex with the registry's."""
    included = [
        leaf for criterion in document.criteria if criterion.kind == "include" for _, leaf in leaves(criterion.expr)
    ]
    ages = [leaf for leaf in included if isinstance(leaf, expressions.Age)]
    youngest = {_months(parse(leaf.min)) for leaf in ages if leaf.min is not None}
    oldest = {_months(parse(leaf.max)) for leaf in ages if leaf.max is not None}
    oldest |= {months - 12 for months in oldest}
    for written, given in ((youngest, record.minimum_age), (oldest, record.maximum_age)):
        if given is not None and written and _months(parse(given)) not in written:
            yield _finding("/criteria", "age_mismatch")
    sexes = {leaf.value for leaf in included if isinstance(leaf, expressions.Sex)}
    wanted = {"male", "female"} if record.sex == "all" else {record.sex}
    if record.sex is not None and (sexes or {"male", "female"}) != wanted:
        yield _finding("/criteria", "sex_mismatch")


def _contradictory(node: expressions.AllOf) -> bool:
    """Return whether two bounds on one analyte in one unit exclude each other."""
    values = [leaf for leaf in node.all_ if isinstance(leaf, expressions.Value) and leaf.pick == "latest"]
    return any(_leaves_nothing_between(low, high) for low in values for high in values)


def _leaves_nothing_between(low: expressions.Value, high: expressions.Value) -> bool:
    if (
        (low.codes, low.unit, low.basis) != (high.codes, high.unit, high.basis)
        or low.op not in (">", ">=")
        or high.op not in ("<", "<=")
    ):
        return False
    return low.value > high.value or (low.value == high.value and (low.op, high.op) != (">=", "<="))


def _meaning(criterion: Criterion) -> str:
    return criterion.model_dump_json(include={"kind", "cohorts", "countries", "expr"})


def _codes(leaf: Leaf) -> Iterator[tuple[str, str]]:
    for index, code in enumerate(getattr(leaf, "codes", ())):
        yield f"codes/{index}", code
    if isinstance(leaf, expressions.Value):
        for event, spoiler in enumerate(leaf.not_after):
            for index, code in enumerate(spoiler.codes):
                yield f"not_after/{event}/codes/{index}", code


def _denies(expression: Node) -> bool:
    return any(isinstance(node, expressions.Not) for _, node in walk(expression)) or any(
        isinstance(leaf, expressions.Value | expressions.Titre | expressions.Count | expressions.Human)
        for _, leaf in leaves(expression)
    )


def _sounds_negative(text: Label) -> bool:
    return text.fr.lower().startswith(EXCLUSION_WORDS) or text.en.lower().startswith(EXCLUSION_WORDS)


def _months(span: Span) -> Fraction:
    return in_months(span.months, span.days)
