"""`variant`: the reported variants of a gene, and the types that each assay detects (`docs/eligibility.md` §5)."""

from collections.abc import Iterator, Mapping
from datetime import date

from services.matching.engine.facts import Fact
from services.matching.engine.facts import Variant as Report
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Evaluation, State, TruthValues, decided, unknown
from services.matching.engine.leaves.comparison import compare
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.timeline import Timeline
from shared.criteria import expressions

_STRUCTURAL = frozenset(("deletion", "duplication", "copy_number"))
_SEQUENCE = frozenset(("nonsense", "frameshift", "missense", "splice", "insertion", "other"))
SEEN_BY_ASSAY: Mapping[str | None, frozenset[str]] = {
    "mlpa": _STRUCTURAL,
    "array": _STRUCTURAL,
    "sequencing": _SEQUENCE,
    "panel": _SEQUENCE,
    "genome": _STRUCTURAL | _SEQUENCE,
}
_CAUSAL = ("pathogenic", "likely_pathogenic")


class Variant:
    def __init__(self, leaf: expressions.Variant) -> None:
        self._leaf = leaf
        self._wanted_types = frozenset(leaf.types) if leaf.types else _STRUCTURAL | _SEQUENCE

    def evaluate(self, patient: PatientIndex, _day: date) -> Evaluation:
        return patient.cached(self, lambda: self._evaluate(patient))

    def _evaluate(self, patient: PatientIndex) -> Evaluation:
        facts = [fact for fact in patient.by_gene.get(self._leaf.gene, ()) if fact.variant is not None]
        patient.count_work(len(facts))
        found = {
            fact.id: self._compare(fact, fact.variant)
            for fact in facts
            if fact.status != "absent" and fact.variant is not None
        }
        for state in (MET, UNKNOWN):
            evidence = [identifier for identifier, compared in found.items() if compared == state]
            if evidence:
                return decided(MET, evidence) if state == MET else unknown("partial_detail", evidence)
        if (evidence := self._causal(facts)) or (evidence := self._negative(facts)):
            return decided(NOT_MET, evidence)
        return unknown("partial_detail" if facts else "missing", [fact.id for fact in facts])

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        return Timeline((patient.as_of,), (TruthValues.of(self.evaluate(patient, patient.as_of)),))

    def _compare(self, fact: Fact, report: Report) -> State:
        if report.significance == "benign":
            return NOT_MET
        state = min(self._comparisons(report), default=MET)
        return min(state, UNKNOWN) if report.significance == "uncertain" or fact.status != "present" else state

    def _comparisons(self, report: Report) -> Iterator[State]:
        leaf = self._leaf
        yield MET if report.origin == leaf.origin else NOT_MET
        for wanted, given in ((leaf.types, report.type), (leaf.zygosity, report.zygosity), (leaf.hgvs, report.hgvs)):
            if wanted is not None:
                yield UNKNOWN if given is None else MET if given in wanted else NOT_MET
        if leaf.frame is not None:
            yield UNKNOWN if report.frame is None else MET if report.frame == leaf.frame else NOT_MET
        if leaf.copies is not None:
            yield UNKNOWN if report.copies is None else compare(report.copies, None, leaf.copies.op, leaf.copies.value)
        if leaf.exons is not None:
            yield UNKNOWN if report.exons is None else MET if _lie(report.exons, leaf.exons) else NOT_MET

    def _causal(self, facts: list[Fact]) -> list[str]:
        """Return the ids of causal variants, which decide for the whole gene where the leaf is ``closed``."""
        if not self._leaf.closed:
            return []
        return [fact.id for fact in facts if fact.status == "present" and self._same_origin(fact, _CAUSAL)]

    def _negative(self, facts: list[Fact]) -> list[str]:
        """Return the ids of negative reports whose assays together detect every wanted type; empty otherwise.

        A report that denies one particular variant does not count.
        """
        negative = [
            fact for fact in facts if fact.status == "absent" and self._same_origin(fact) and _is_general(fact.variant)
        ]
        seen = frozenset[str]().union(*(_sees(fact.variant) for fact in negative))
        return [fact.id for fact in negative] if self._wanted_types <= seen else []

    def _same_origin(self, fact: Fact, significances: tuple[str, ...] | None = None) -> bool:
        report = fact.variant
        return (
            report is not None
            and report.origin == self._leaf.origin
            and (significances is None or report.significance in significances)
        )


def _lie(exons: tuple[int, int], wanted: expressions.Exons) -> bool:
    first, last = exons
    if wanted.within is not None:
        return wanted.within[0] <= first and last <= wanted.within[1]
    return any(first <= end and last >= start for start, end in wanted.overlaps or ())


def _is_general(report: Report | None) -> bool:
    return report is not None and all(
        part is None for part in (report.exons, report.zygosity, report.copies, report.frame, report.hgvs)
    )


def _sees(report: Report | None) -> frozenset[str]:
    if report is None:
        return frozenset()
    seen = SEEN_BY_ASSAY.get(report.assay, frozenset())
    return seen if report.type is None else seen & {report.type}
