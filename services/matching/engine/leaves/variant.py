"""`variant`: the reported variants of a gene, and the types that each assay detects (`docs/eligibility.md` §5)."""

from collections.abc import Iterator, Mapping
from datetime import date

from services.matching.engine.facts import Fact
from services.matching.engine.facts import Variant as Report
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Evaluation, State, TruthValues, decided, unknown
from services.matching.engine.leaves.comparison import compare
from services.matching.engine.leaves.hgvs import compare_hgvs
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.timeline import Timeline
from shared.criteria import expressions
from shared.criteria.parts import Exons
from shared.terminology.clinical_data import DMD_EXON_LENGTHS

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
        reported = [(fact, fact.variant) for fact in patient.by_gene.get(self._leaf.gene, ()) if fact.variant]
        facts = [fact for fact, _ in reported]
        patient.count_work(len(facts))
        given = [(fact, report) for fact, report in reported if fact.status != "absent"]
        if conflict := self._contradictions(patient, given):
            return unknown("conflict", conflict)
        unphased = self._unphased(patient, given)
        found = {fact.id: self._compare(fact, report, unphased) for fact, report in given}
        for state in (MET, UNKNOWN):
            evidence = [identifier for identifier, compared in found.items() if compared == state]
            if evidence:
                return decided(MET, evidence) if state == MET else unknown("partial_detail", evidence)
        if (evidence := self._causal(facts)) or (evidence := self._negative(facts)):
            return decided(NOT_MET, evidence)
        return unknown("partial_detail" if facts else "missing", [fact.id for fact in facts])

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        return Timeline((patient.as_of,), (TruthValues.of(self.evaluate(patient, patient.as_of)),))

    def _contradictions(self, patient: PatientIndex, given: list[tuple[Fact, Report]]) -> list[str]:
        """Return the ids of reports that give different values to a property that the leaf asks for.

        That is the number of copies of the gene, or the zygosity of one variant.
        """
        reports = [
            (fact, report)
            for fact, report in given
            if fact.status == "present" and report.significance != "benign" and report.origin == self._leaf.origin
        ]
        found: list[str] = []
        if self._leaf.copies is not None:
            counted = [(fact, report.copies) for fact, report in reports if report.copies is not None]
            if len({self._copies(number) for _, number in counted}) > 1:
                found += [fact.id for fact, _ in counted]
        if self._leaf.zygosity is not None:
            typed = [(fact, report) for fact, report in reports if report.zygosity is not None]
            patient.count_work(len(typed) ** 2)
            found += [
                fact.id
                for fact, report in typed
                if any(
                    (report.zygosity in self._leaf.zygosity) != (other.zygosity in self._leaf.zygosity)
                    and _is_same(report, other)
                    for _, other in typed
                )
            ]
        return found

    def _unphased(self, patient: PatientIndex, given: list[tuple[Fact, Report]]) -> frozenset[str]:
        """Return the ids of heterozygous reports that may be the two alleles of a compound heterozygote."""
        if self._leaf.zygosity is None or "compound_heterozygous" not in self._leaf.zygosity:
            return frozenset()
        alleles = [
            (fact, report)
            for fact, report in given
            if report.zygosity == "heterozygous"
            and report.significance != "benign"
            and report.origin == self._leaf.origin
        ]
        patient.count_work(len(alleles) ** 2)
        return frozenset(
            fact.id
            for fact, report in alleles
            if any(fact is not other and not _is_same(report, second) for other, second in alleles)
        )

    def _compare(self, fact: Fact, report: Report, unphased: frozenset[str]) -> State:
        if report.significance == "benign":
            return NOT_MET
        state = min(self._comparisons(report, may_be_allele=fact.id in unphased), default=MET)
        return min(state, UNKNOWN) if report.significance == "uncertain" or fact.status != "present" else state

    def _comparisons(self, report: Report, *, may_be_allele: bool) -> Iterator[State]:
        leaf = self._leaf
        yield MET if report.origin == leaf.origin else NOT_MET
        if leaf.types is not None:
            yield UNKNOWN if report.type is None else MET if report.type in leaf.types else NOT_MET
        if leaf.zygosity is not None:
            is_wanted = report.zygosity in leaf.zygosity
            yield MET if is_wanted else UNKNOWN if report.zygosity is None or may_be_allele else NOT_MET
        if leaf.hgvs is not None:
            yield UNKNOWN if report.hgvs is None else max(self._hgvs(report.hgvs, wanted) for wanted in leaf.hgvs)
        if leaf.frame is not None:
            yield UNKNOWN if report.frame is None else MET if report.frame == leaf.frame else NOT_MET
        if leaf.copies is not None:
            yield UNKNOWN if report.copies is None else self._copies(report.copies)
        if leaf.exons is not None:
            yield UNKNOWN if report.exons is None else MET if _lie(report.exons, leaf.exons) else NOT_MET
        if leaf.amenable_to is not None:
            yield _restores_frame(report, leaf.amenable_to.skip)

    def _hgvs(self, given: str, wanted: str) -> State:
        return compare_hgvs(given, wanted, self._leaf.gene)

    def _copies(self, copies: int) -> State:
        wanted = self._leaf.copies
        return MET if wanted is None else compare(copies, None, wanted.op, wanted.value)

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


def _is_same(report: Report, other: Report) -> bool:
    """Return whether two reports of a gene certainly are of one variant: same HGVS, or else same type and exons."""
    if report.hgvs is not None and other.hgvs is not None:
        return compare_hgvs(report.hgvs, other.hgvs, report.gene) == MET
    return (
        report.type is not None
        and report.exons is not None
        and (report.type, report.exons) == (other.type, other.exons)
    )


def _lie(exons: tuple[int, int], wanted: Exons) -> bool:
    first, last = exons
    if wanted.within is not None:
        return wanted.within[0] <= first and last <= wanted.within[1]
    return any(first <= end and last >= start for start, end in wanted.overlaps or ())


def _restores_frame(report: Report, skipped: int) -> State:
    """Return whether leaving out an exon beside a deletion restores the reading frame; UNKNOWN for other variants."""
    if report.type != "deletion" or report.exons is None:
        return UNKNOWN
    first, last = report.exons
    if first < 2 or last not in DMD_EXON_LENGTHS or skipped not in (first - 1, last + 1):
        return NOT_MET
    deleted = sum(DMD_EXON_LENGTHS[exon] for exon in range(first, last + 1))
    return MET if deleted % 3 and not (deleted + DMD_EXON_LENGTHS[skipped]) % 3 else NOT_MET


def _is_general(report: Report | None) -> bool:
    return report is not None and all(
        part is None for part in (report.exons, report.zygosity, report.copies, report.frame, report.hgvs)
    )


def _sees(report: Report | None) -> frozenset[str]:
    if report is None:
        return frozenset()
    seen = SEEN_BY_ASSAY.get(report.assay, frozenset())
    return seen if report.type is None else seen & {report.type}
