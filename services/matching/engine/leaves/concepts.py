"""What a patient's facts say of a leaf's codes: who carries one, who only may, and who denies them (`docs/eligibility.md` §4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.matching.engine.chart import Chart, Record
from services.matching.engine.facts import Fact
from services.matching.engine.terminology import Terminology
from services.matching.engine.window import Stretch, Window


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

    @property
    def denying(self) -> tuple[Fact, ...]:
        return tuple({fact.id: fact for facts in self.denials for fact in facts}.values())

    @property
    def dated(self) -> tuple[Fact, ...]:
        """All facts whose place in a window matters."""
        return (*self.carrying, *self.uncertain, *self.denying)

    def ruled_out(self, stretch: Stretch) -> list[str] | None:
        """The ids of the facts that deny every code for certain; None where one is not denied."""
        evidence: list[str] = []
        for denials, excluded in zip(self.denials, self.excluded, strict=True):
            found = [fact.id for fact in denials if stretch.surely_holds(fact)] or [fact.id for fact in excluded]
            if not found:
                return None
            evidence += found
        return evidence

    def may_be_ruled_out(self, stretch: Stretch) -> bool:
        """Whether partial dates alone keep the codes from being denied."""
        return all(excluded or any(stretch.may_hold(fact) for fact in denials) for denials, excluded in zip(self.denials, self.excluded, strict=True))

    def were_ruled_out(self, day: date) -> bool:
        """Whether every code has been denied by the day and no present fact has, or may have, come after: the denial counts with its last value."""
        return all(
            excluded or any(denial.first.latest <= day and not self._later(denial, day) for denial in denials)
            for denials, excluded in zip(self.denials, self.excluded, strict=True)
        )

    def _later(self, denial: Fact, day: date) -> bool:
        return any(fact.last.latest > denial.last.earliest and fact.first.earliest <= day for fact in self.carrying)


class Concepts:
    """A leaf's codes, ready to be looked up."""

    def __init__(self, codes: Sequence[str], terminology: Terminology, *, descendants: bool = True) -> None:
        self._codes = tuple(codes)
        self._above = tuple(terminology.above(code) for code in codes)
        self._same = tuple(terminology.same(code) for code in codes)
        self._descendants = descendants
        self._all_above = frozenset[str]().union(*self._above)
        self._more_general = self._all_above - frozenset[str]().union(*self._same)

    def find(self, chart: Chart, relative: str | None = None) -> Findings:
        """All facts of the patient (or relative) that say something of the codes."""
        record = chart.of(relative)
        carrying: dict[str, Fact] = {}
        uncertain: dict[str, Fact] = {}
        for fact in self._carriers(record):
            (carrying if fact.status == "present" else uncertain)[fact.id] = fact
        for code in record.asserted.keys() & self._more_general:
            for fact in record.asserted[code]:
                if fact.id not in carrying:
                    uncertain[fact.id] = fact
        return Findings(
            tuple(carrying.values()),
            tuple(uncertain.values()),
            tuple(_listed(record.denied, above) for above in self._above),
            tuple(_listed(record.excluded, above) if relative is None else () for above in self._above),
        )

    def carriers(self, chart: Chart) -> list[Fact]:
        """The patient's facts, not absent, that carry a code."""
        return list({fact.id: fact for fact in self._carriers(chart.of())}.values())

    def _carriers(self, record: Record) -> list[Fact]:
        if self._descendants:
            return [fact for code in self._codes for fact in record.carriers.get(code, ())]
        return [fact for same in self._same for code in same for fact in record.asserted.get(code, ())]


def contradicted(fact: Fact, record: Record, terminology: Terminology, stretch: Stretch) -> list[str]:
    """The ids of absent facts in force that deny a code of a present fact and are, or may be, of its day or later."""
    if not record.denied:
        return []
    codes = frozenset[str]().union(*map(terminology.above, fact.codes))
    return [denial.id for denial in _listed(record.denied, codes) if denial.last.latest >= fact.first.earliest and stretch.may_hold(denial)]


def ruled_out(chart: Chart, findings: Findings, stretch: Stretch, domain: str | None) -> list[str] | None:
    """The evidence that denies a leaf's codes over a stretch: absent facts, exclusive conditions, or a complete domain; None where nothing does."""
    evidence = findings.ruled_out(stretch)
    return [f"#complete:{domain}"] if evidence is None and chart.is_complete(domain, stretch) else evidence


def flips(chart: Chart, findings: Findings, window: Window, domain: str | None) -> set[date]:
    """The days on which facts or completeness may enter or leave a window."""
    return {*window.flips(findings.dated), *chart.completeness_flips(domain, window)}


def _listed(index: dict[str, list[Fact]], codes: frozenset[str]) -> tuple[Fact, ...]:
    return tuple({fact.id: fact for code in index.keys() & codes for fact in index[code]}.values()) if index else ()
