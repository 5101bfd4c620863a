"""Warns the author of criteria of probable mistakes. Pure; the model has already refused malformed documents."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal, TypeAlias

from shared.criteria import expressions
from shared.criteria.durations import parse
from shared.criteria.expressions import Node
from shared.criteria.findings import Finding, finding
from shared.criteria.leaf_lint import months, of_leaf
from shared.criteria.model import CriteriaDocument, Criterion, leaves, walk
from shared.terminology.graph import Terminology
from shared.values.wire import ApiModel, Duration, Label

EXCLUSION_WORDS = ("no ", "not ", "absence ", "without ", "never ", "pas de ", "aucun", "absence d", "sans ", "jamais ")
# Leaves that ask that something is there. What is low, long ago or denied by a person is asked by the others.
_FINDS = (
    expressions.Age
    | expressions.Sex
    | expressions.Has
    | expressions.Variant
    | expressions.Ordinal
    | expressions.Stable
    | expressions.Since
)
_Bound: TypeAlias = expressions.Value | expressions.Computed | expressions.Ratio | expressions.Score


class RegistryRecord(ApiModel):
    """Structured eligibility fields of a registry, to compare with."""

    minimum_age: Duration | None = None
    maximum_age: Duration | None = None
    sex: Literal["all", "male", "female"] | None = None


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
            found += of_leaf(document, leaf, pointer, terminology, excludes=criterion.kind == "exclude")
    if registry_record is not None:
        found += _against_record(document, registry_record)
    return found


def _of_document(document: CriteriaDocument) -> Iterator[Finding]:
    if document.grade != "signed":
        yield finding("/grade", "unsigned")
    if not any(criterion.role == "indication" for criterion in document.criteria):
        yield finding("/criteria", "indication_missing")
    for index, cohort in enumerate(document.cohorts):
        if not any(criterion.cohorts is None or cohort.id in criterion.cohorts for criterion in document.criteria):
            yield finding(f"/cohorts/{index}", "cohort_without_criteria")
    meanings = [_meaning(criterion) for criterion in document.criteria]
    said = Counter(meanings)
    for index, meaning in enumerate(meanings):
        if said[meaning] > 1:
            yield finding(f"/criteria/{index}", "criterion_duplicate")


def _of_criterion(criterion: Criterion, pointer: str) -> Iterator[Finding]:
    if criterion.text is None:
        yield finding(f"{pointer}/text", "text_missing")
    elif criterion.kind == "include" and not _denies(criterion.expr) and _sounds_negative(criterion.text):
        yield finding(f"{pointer}/kind", "exclusion_as_inclusion")
    if criterion.kind == "exclude" and isinstance(criterion.expr, expressions.Not):
        yield finding(f"{pointer}/expr", "negation_doubled")
    if criterion.kind == "exclude" and isinstance(criterion.expr, expressions.Washout):
        yield finding(f"{pointer}/kind", "washout_excluded")
    for place, node in walk(criterion.expr, f"{pointer}/expr"):
        if isinstance(node, expressions.AllOf) and _contradictory(node):
            yield finding(place, "bounds_contradictory")


def _against_record(document: CriteriaDocument, record: RegistryRecord) -> Iterator[Finding]:
    """Compare ages (the maximum may be a year higher) and sex with the registry's."""
    included = [
        leaf for criterion in document.criteria if criterion.kind == "include" for _, leaf in leaves(criterion.expr)
    ]
    ages = [leaf for leaf in included if isinstance(leaf, expressions.Age)]
    youngest = {months(parse(leaf.min)) for leaf in ages if leaf.min is not None}
    oldest = {months(parse(leaf.max)) for leaf in ages if leaf.max is not None}
    oldest |= {age - 12 for age in oldest}
    for written, given in ((youngest, record.minimum_age), (oldest, record.maximum_age)):
        if given is not None and written and months(parse(given)) not in written:
            yield finding("/criteria", "age_mismatch")
    sexes = {leaf.value for leaf in included if isinstance(leaf, expressions.Sex)}
    wanted = {"male", "female"} if record.sex == "all" else {record.sex}
    if record.sex is not None and (sexes or {"male", "female"}) != wanted:
        yield finding("/criteria", "sex_mismatch")


def _contradictory(node: expressions.AllOf) -> bool:
    """Return whether two bounds on one measurement exclude each other."""
    bounds: dict[str, list[_Bound]] = {}
    for leaf in node.all_:
        if isinstance(leaf, _Bound) and not (isinstance(leaf, expressions.Value) and leaf.pick != "latest"):
            measured = leaf.model_dump_json(exclude={"op", "value", "within", "domain", "not_after"})
            bounds.setdefault(measured, []).append(leaf)
    return any(_leaves_nothing_between(low, high) for ones in bounds.values() for low in ones for high in ones)


def _leaves_nothing_between(low: _Bound, high: _Bound) -> bool:
    if low.op not in (">", ">=") or high.op not in ("<", "<="):
        return False
    return low.value > high.value or (low.value == high.value and (low.op, high.op) != (">=", "<="))


def _meaning(criterion: Criterion) -> str:
    return criterion.model_dump_json(include={"kind", "cohorts", "countries", "expr"})


def _denies(expression: Node) -> bool:
    return any(isinstance(node, expressions.Not) for _, node in walk(expression)) or any(
        not isinstance(leaf, _FINDS) for _, leaf in leaves(expression)
    )


def _sounds_negative(text: Label) -> bool:
    return text.fr.lower().startswith(EXCLUSION_WORDS) or text.en.lower().startswith(EXCLUSION_WORDS)
