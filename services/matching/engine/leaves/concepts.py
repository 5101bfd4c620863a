"""What a patient's facts say of a leaf's codes: who carries one, who only may, and who denies them (`docs/eligibility.md` §4)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.matching.engine.facts import Fact
from services.matching.engine.patient_index import PatientIndex, Record
from services.matching.engine.terminology import Terminology
from services.matching.engine.window import DateRange, Window


@dataclass(frozen=True, slots=True)
class Findings:
    """The facts that concern a leaf's codes, whatever their date."""

    carrying: tuple[Fact, ...] = ()
    """Present, and carry one of the codes."""
    uncertain: tuple[Fact, ...] = ()
    """Unconfirmed or ordered, or carry only something more general."""
    denials: tuple[tuple[Fact, ...], ...] = ()
    """For each code, the absent facts that deny it."""
    excluded: tuple[tuple[Fact, ...], ...] = ()
    """For each code, the present conditions that rule it out."""

    size: int = 0

    @property
    def denying(self) -> tuple[Fact, ...]:
        return tuple({fact.id: fact for facts in self.denials for fact in facts}.values())

    def ruled_out(self, stretch: DateRange) -> list[str] | None:
        """The ids of the facts that deny every code for certain; None where one is not denied."""
        evidence: list[str] = []
        for denials, excluded in zip(self.denials, self.excluded, strict=True):
            found = [fact.id for fact in denials if stretch.surely_holds(fact)] or [fact.id for fact in excluded]
            if not found:
                return None
            evidence += found
        return evidence

    def may_be_ruled_out(self, stretch: DateRange) -> bool:
        """Whether partial dates alone keep the codes from being denied."""
        return all(
            excluded or any(stretch.may_hold(fact) for fact in denials)
            for denials, excluded in zip(self.denials, self.excluded, strict=True)
        )

    def were_ruled_out(self, day: date) -> bool:
        """Whether every code has been denied by the day and no present fact has, or may have, come after: the denial counts with its last value."""
        last = max((fact.last.latest for fact in self.carrying if fact.first.earliest <= day), default=date.min)
        return all(
            excluded or any(denial.first.latest <= day and denial.last.earliest >= last for denial in denials)
            for denials, excluded in zip(self.denials, self.excluded, strict=True)
        )


class Concepts:
    """A leaf's codes, ready to be looked up."""

    def __init__(self, codes: Sequence[str], terminology: Terminology, *, descendants: bool = True) -> None:
        self._codes = tuple(codes)
        self._above = tuple(terminology.above(code) for code in codes)
        self._same = tuple(terminology.same(code) for code in codes)
        self._descendants = descendants
        self._all_above = frozenset[str]().union(*self._above)
        self._more_general = self._all_above - frozenset[str]().union(*self._same)

    def find(self, chart: PatientIndex, relative: str | None = None) -> Findings:
        """All facts of the patient (or relative) that say something of the codes."""
        found = chart.once(("found", self._codes, self._descendants, relative), lambda: self._find(chart, relative))
        chart.spend(2 * found.size)
        return found

    def _find(self, chart: PatientIndex, relative: str | None) -> Findings:
        record = chart.of(relative)
        carrying: dict[str, Fact] = {}
        uncertain: dict[str, Fact] = {}
        for fact in self._carriers(record):
            (carrying if fact.status == "present" else uncertain)[fact.id] = fact
        for code in record.asserted.keys() & self._more_general:
            for fact in record.asserted[code]:
                if fact.id not in carrying:
                    uncertain[fact.id] = fact
        denials = tuple(_listed(record.denied, above) for above in self._above)
        excluded = tuple(_listed(record.excluded, above) if relative is None else () for above in self._above)
        size = len(carrying) + len(uncertain) + sum(map(len, denials))
        return Findings(tuple(carrying.values()), tuple(uncertain.values()), denials, excluded, size)

    def carriers(self, chart: PatientIndex) -> list[Fact]:
        """The patient's facts, not absent, that carry a code."""
        found = chart.once(
            ("carriers", self._codes), lambda: list({fact.id: fact for fact in self._carriers(chart.of())}.values())
        )
        chart.spend(len(found))
        return found

    def _carriers(self, record: Record) -> list[Fact]:
        if self._descendants:
            return [fact for code in self._codes for fact in record.carriers.get(code, ())]
        return [fact for same in self._same for code in same for fact in record.asserted.get(code, ())]


def denials_of(chart: PatientIndex, relative: str | None, codes: tuple[str, ...]) -> tuple[Fact, ...]:
    """The absent facts that deny one of a fact's own codes, the one that lasts longest first."""
    denied = chart.of(relative).denied
    if not denied:
        return ()

    def found() -> tuple[Fact, ...]:
        above = frozenset[str]().union(*map(chart.terminology.above, codes))
        return tuple(sorted(_listed(denied, above), key=lambda denial: denial.last.latest, reverse=True))

    return chart.once(("denials", relative, codes), found)


def contradictions(
    chart: PatientIndex, relative: str | None, facts: Iterable[Fact], stretch: DateRange
) -> set[str] | None:
    """The ids of absent facts in force that deny a code of a fact and are, or may be, of its day or later; None where one fact has none."""
    in_force: dict[tuple[str, ...], list[Fact]] = {}
    earliest: dict[tuple[str, ...], date] = {}
    for fact in facts:
        if fact.codes not in in_force:
            in_force[fact.codes] = [
                denial for denial in denials_of(chart, relative, fact.codes) if stretch.may_hold(denial)
            ]
        against = in_force[fact.codes]
        if not against or against[0].last.latest < fact.first.earliest:
            return None
        earliest[fact.codes] = min(earliest.get(fact.codes, date.max), fact.first.earliest)
    return {
        denial.id for codes, against in in_force.items() for denial in against if denial.last.latest >= earliest[codes]
    }


def denied_until(findings: Findings, window: Window) -> date:
    """The last day on which every code is denied for certain; the first of the calendar where that is none."""
    until = date.max
    for denials, excluded in zip(findings.denials, findings.excluded, strict=True):
        if not excluded:
            until = min(
                until,
                window.leaves(max((fact.last.earliest for fact in denials), default=date.min)) if denials else date.min,
            )
    return until


def ruled_out(chart: PatientIndex, findings: Findings, stretch: DateRange, domain: str | None) -> list[str] | None:
    """The evidence that denies a leaf's codes over a stretch: absent facts, exclusive conditions, or a complete domain; None where nothing does."""
    evidence = findings.ruled_out(stretch)
    return [f"#complete:{domain}"] if evidence is None and chart.is_complete(domain, stretch) else evidence


def _listed(index: dict[str, list[Fact]], codes: frozenset[str]) -> tuple[Fact, ...]:
    return tuple({fact.id: fact for code in index.keys() & codes for fact in index[code]}.values()) if index else ()
