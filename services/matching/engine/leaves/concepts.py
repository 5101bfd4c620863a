"""The facts that concern the codes of a leaf: those that carry, may carry or deny them (`docs/eligibility.md` §4)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import Reason
from services.matching.engine.patient_index import PatientIndex, PersonFacts
from services.matching.engine.terminology import Terminology
from services.matching.engine.window import DateRange, Window

_MISSING: frozenset[Reason] = frozenset({"missing"})


@dataclass(frozen=True, slots=True)
class Findings:
    """The facts that concern the codes of a leaf, whatever their date."""

    carrying: tuple[Fact, ...] = ()
    """Present facts that carry one of the codes."""
    uncertain: tuple[Fact, ...] = ()
    """Unconfirmed or ordered facts, numbers of a finding, and facts that carry only an ancestor of a code."""
    denials: tuple[tuple[Fact, ...], ...] = ()
    """For each code, the absent facts that deny it."""
    excluded: tuple[tuple[Fact, ...], ...] = ()
    """For each code, the present conditions that rule it out."""
    size: int = 0
    """The number of facts above, for counting work units."""

    @property
    def could_be_on_record(self) -> frozenset[Reason] | None:
        """Return the reasons on record of a leaf that is unknown only because some fact could be what it asks."""
        return _MISSING if not self.size else None

    @property
    def denying(self) -> tuple[Fact, ...]:
        return tuple({fact.id: fact for facts in self.denials for fact in facts}.values())

    def ruled_out(self, dates: DateRange) -> list[str] | None:
        """Return the ids of the facts that certainly deny every code; None where a code is not denied.

        ``dates``: when a denial is in force.
        """
        evidence: list[str] = []
        for denials, excluded in zip(self.denials, self.excluded, strict=True):
            found = [fact.id for fact in denials if dates.certainly_contains(fact)] or [fact.id for fact in excluded]
            if not found:
                return None
            evidence += found
        return evidence

    def may_be_ruled_out(self, dates: DateRange) -> bool:
        """Return whether every code may be denied, given that partial dates are open."""
        return all(
            excluded or any(dates.may_contain(fact) for fact in denials)
            for denials, excluded in zip(self.denials, self.excluded, strict=True)
        )

    def were_ruled_out(self, day: date) -> bool:
        """Return whether every code was denied by ``day`` and certainly no present fact is later than the denial."""
        last = max((fact.last.latest for fact in self.carrying if fact.first.earliest <= day), default=date.min)
        return all(
            excluded or any(denial.first.latest <= day and denial.last.earliest >= last for denial in denials)
            for denials, excluded in zip(self.denials, self.excluded, strict=True)
        )


class Concepts:
    """The codes of a leaf, ready to be looked up in a patient."""

    def __init__(self, codes: Sequence[str], terminology: Terminology, *, descendants: bool = True) -> None:
        self.codes = tuple(codes)
        self._above = tuple(terminology.above(code) for code in codes)
        self._same = tuple(terminology.same(code) for code in codes)
        self._descendants = descendants
        self._all_above = frozenset[str]().union(*self._above)
        self._more_general = self._all_above - frozenset[str]().union(*self._same)

    def find(self, patient: PatientIndex, relative: str | None = None) -> Findings:
        """Return the facts of the patient, or of a relative, that concern the codes."""
        found = patient.cached(
            ("found", self.codes, self._descendants, relative), lambda: self._find(patient, relative)
        )
        patient.count_work(2 * found.size)
        return found

    def _find(self, patient: PatientIndex, relative: str | None) -> Findings:
        facts = patient.facts_of(relative)
        carrying: dict[str, Fact] = {}
        uncertain: dict[str, Fact] = {}
        for fact in self._carriers(facts):
            (carrying if fact.status == "present" and fact.shows_presence else uncertain)[fact.id] = fact
        for wider in (facts.asserted, facts.refining):
            for code in wider.keys() & self._more_general:
                uncertain |= {fact.id: fact for fact in wider[code] if fact.id not in carrying}
        denials = tuple(_listed(facts.denied, above) for above in self._above)
        excluded = tuple(_listed(facts.excluded, above) if relative is None else () for above in self._above)
        size = len(carrying) + len(uncertain) + sum(map(len, denials))
        return Findings(tuple(carrying.values()), tuple(uncertain.values()), denials, excluded, size)

    def could_be(self, patient: PatientIndex, domain: str | None) -> list[Fact]:
        """Return the facts that could be one of the codes; none unless the domain is declared complete at all."""
        if domain is None or not patient.declares(domain):
            return []
        return patient.facts_that_could_be(self.codes, domain)

    def carriers(self, patient: PatientIndex) -> list[Fact]:
        """Return the facts of the patient that carry a code and are not absent."""
        found = patient.cached(
            ("carriers", self.codes),
            lambda: list({(fact.id, fact.codes): fact for fact in self._carriers(patient.facts_of())}.values()),
        )
        patient.count_work(len(found))
        return found

    def _carriers(self, facts: PersonFacts) -> list[Fact]:
        if self._descendants:
            return [fact for code in self.codes for fact in facts.carrying(code)]
        return [fact for same in self._same for code in same for fact in facts.asserted.get(code, ())]


def denials_of(patient: PatientIndex, relative: str | None, codes: tuple[str, ...]) -> tuple[Fact, ...]:
    """Return the absent facts that deny one of the ``codes`` of a fact, the one that lasts longest first."""
    denied = patient.facts_of(relative).denied
    if not denied:
        return ()

    def found() -> tuple[Fact, ...]:
        above = frozenset[str]().union(*map(patient.terminology.above, codes))
        return tuple(sorted(_listed(denied, above), key=lambda denial: denial.last.latest, reverse=True))

    return patient.cached(("denials", relative, codes), found)


def contradictions(
    patient: PatientIndex, relative: str | None, facts: Iterable[Fact], dates: DateRange
) -> set[str] | None:
    """Return the ids of the absent facts in the window that contradict the facts; None where one is not contradicted.

    An absent fact contradicts a fact when it denies one of its codes and is, or may be, of its day or later, unless it
    simply ends it.
    """
    found: set[str] = set()
    earliest: dict[tuple[str, ...], date] = {}
    for fact in facts:
        against = denials_of(patient, relative, fact.codes)
        if not against or against[0].last.latest < fact.first.earliest:
            return None
        if fact.ends_by_denial:
            contradicting = [one.id for one in against if dates.may_contain(one) and contradicts(one, fact)]
            if not contradicting:
                return None
            found.update(contradicting)
        else:
            earliest[fact.codes] = min(earliest.get(fact.codes, date.max), fact.first.earliest)
            in_window = [one.last.latest for one in against if dates.may_contain(one)]
            if not in_window or max(in_window) < fact.first.earliest:
                return None
    for codes, day in earliest.items():
        against = denials_of(patient, relative, codes)
        found.update(one.id for one in against if dates.may_contain(one) and one.last.latest >= day)
    return found


def contradicts(denial: Fact, fact: Fact) -> bool:
    """Return whether a denial is, or may be, of the day of the fact or later, and does not simply end it."""
    ends = fact.ends_by_denial and denial.first.earliest > fact.first.latest
    return denial.last.latest >= fact.first.earliest and not ends


def denied_until(findings: Findings, window: Window) -> date:
    """Return the last day on which every code is certainly denied; ``date.min`` without any."""
    until = date.max
    for denials, excluded in zip(findings.denials, findings.excluded, strict=True):
        if not excluded:
            until = min(
                until,
                window.last_day_of(max((fact.last.earliest for fact in denials), default=date.min))
                if denials
                else date.min,
            )
    return until


def _listed(index: dict[str, list[Fact]], codes: frozenset[str]) -> tuple[Fact, ...]:
    return tuple({fact.id: fact for code in index.keys() & codes for fact in index[code]}.values()) if index else ()
