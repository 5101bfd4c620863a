"""The facts of one patient, indexed by code under one terminology: built once for a match and read by every trial."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property, partial
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from services.matching.engine.facts import CompleteDomain, Fact, Kind, Patient
from services.matching.engine.presence import read_facts
from services.matching.engine.terminology import Terminology
from services.matching.engine.window import DateRange, Window
from shared.criteria.durations import ONE_DAY, Span, add, day_after
from shared.criteria.units import Analyte, conversion, conversion_between, is_bare

T = TypeVar("T")

EXACT_HORIZON = Span(12 * 20, 0)
_MAX_TAIL = 31


@dataclass(slots=True)
class PersonFacts:
    """The indexed facts of one person: the patient, or one kind of relative."""

    carriers: dict[str, list[list[tuple[int, Fact]]]] = field(default_factory=dict)
    """Numbered facts that are not absent, by every code that they carry; those with the same codes share a list."""
    by_codes: dict[tuple[str, ...], list[tuple[int, Fact]]] = field(default_factory=dict)
    """The same, by all their codes."""
    asserted: dict[str, list[Fact]] = field(default_factory=dict)
    """Facts that are not absent, by their own codes."""
    refining: dict[str, list[Fact]] = field(default_factory=dict)
    """Facts that are not absent, by the code of ICD-10 that one of theirs refines."""
    denied: dict[str, list[Fact]] = field(default_factory=dict)
    """Absent facts, by their own codes."""
    excluded: dict[str, list[Fact]] = field(default_factory=dict)
    """Confirmed conditions, by the codes that they rule out."""

    def add(
        self, number: int, fact: Fact, above: Collection[str], excluded: Collection[str], refined: Collection[str]
    ) -> None:
        """Index the fact with this number.

        ``above``: all codes that it carries; ``excluded``: all codes that it rules out; ``refined``: those that it
        refines.
        """
        if fact.status == "absent":
            for code in fact.codes:
                self.denied.setdefault(code, []).append(fact)
            return
        for code in fact.codes:
            self.asserted.setdefault(code, []).append(fact)
        for code in refined:
            self.refining.setdefault(code, []).append(fact)
        if fact.codes not in self.by_codes:
            self.by_codes[fact.codes] = []
            for code in above:
                self.carriers.setdefault(code, []).append(self.by_codes[fact.codes])
        self.by_codes[fact.codes].append((number, fact))
        if fact.kind == "condition" and fact.status == "present":
            for code in excluded:
                self.excluded.setdefault(code, []).append(fact)

    def carrying(self, code: str) -> list[Fact]:
        """Return the facts that carry a code and are not absent, in their order."""
        return [fact for _, fact in sorted(chain.from_iterable(self.carriers.get(code, ())))]


class Completeness(NamedTuple):
    """Whether a domain is declared complete over a window.

    ``now``: as it is declared; ``carried``: also where it was over the window on ``as_of``, for a declaration that
    grows old is no news.
    """

    now: bool
    carried: bool


class TooComplexError(ValueError):
    """The criteria and the patient together take more work units than are allowed."""


class PatientIndex:
    """A patient as known on ``as_of``. ``facts``: what the recorded ones say (`presence.read_facts`).

    The patient must have no fact that begins after ``as_of``.
    """

    def __init__(
        self, patient: Patient, terminology: Terminology, as_of: date, dosing_date: date | None = None
    ) -> None:
        self.as_of = as_of
        self.end = add(as_of, EXACT_HORIZON)
        self.dosing_date = dosing_date
        self.birth = patient.birth
        self.due = patient.due
        self.gestation_known = patient.gestation_known
        self.sex = patient.sex
        self.deceased = patient.deceased
        self.terminology = terminology
        self.work_left: int | None = None
        """Work units that may still be used; None for no limit."""
        self._complete = _joined(patient.complete_domains, as_of)
        self._persons: dict[str | None, PersonFacts] = {}
        self._cache: dict[Hashable, Any] = {}
        self.facts = read_facts(patient.facts, patient.birth, terminology, self.above, as_of)
        for number, fact in enumerate(self.facts):
            above = self.above(fact.codes)
            excluded = self.cached(("excludes", fact.codes), partial(_union, terminology.excludes, fact.codes))
            refined = {wider for code in fact.codes if (wider := terminology.refines(code)) is not None}
            self._persons.setdefault(fact.relative, PersonFacts()).add(number, fact, above, excluded, refined)

    def cached(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return ``make()``, computed once for each key and kept as long as this index."""
        if key not in self._cache:
            self._cache[key] = make()
        found: T = self._cache[key]
        return found

    def above(self, codes: tuple[str, ...]) -> frozenset[str]:
        """Return all codes that a fact with these codes carries."""
        return self.cached(("above", codes), partial(_union, self.terminology.above, codes))

    def conversion(self, given: str, wanted: str, analyte: Analyte | None = None) -> Fraction | None:
        """Return `units.conversion`, computed once for each unit of the patient and of a criterion."""
        return self.cached(("conversion", given, wanted, analyte), lambda: conversion(given, wanted, analyte))

    def conversion_between(self, given: str | None, wanted: str | None, analyte: Analyte | None) -> Fraction | None:
        """Return the factor between the units of two measurements; 1 where both are bare numbers."""
        if is_bare(given) and is_bare(wanted):
            return Fraction(1)
        if given is None or wanted is None:
            return None
        return self.cached(("between", given, wanted, analyte), lambda: conversion_between(given, wanted, analyte))

    def count_work(self, units: int) -> None:
        """Subtract work units from ``work_left``. One unit is one look at a fact, about half a microsecond.

        :raises TooComplexError: more units were used than allowed.
        """
        if self.work_left is not None:
            self.work_left -= units
            if self.work_left < 0:
                raise TooComplexError

    def facts_of(self, relative: str | None = None) -> PersonFacts:
        """Return the facts of a relative, or of the patient where ``relative`` is None."""
        return self._persons.get(relative) or _EMPTY

    @cached_property
    def by_id(self) -> dict[str, Fact]:
        """The facts by id, as they were given: not the concepts that a test shows, which follow it with its id."""
        return {fact.id: fact for fact in reversed(self.facts)}

    @cached_property
    def by_gene(self) -> dict[str, list[Fact]]:
        """The facts with a variant of the patient, by gene."""
        found: dict[str, list[Fact]] = {}
        for fact in self.facts:
            if fact.variant is not None and fact.relative is None:
                found.setdefault(fact.variant.gene, []).append(fact)
        return found

    @cached_property
    def by_question(self) -> dict[str, list[Fact]]:
        """The answers about the patient, by the code of their question."""
        found: dict[str, list[Fact]] = {}
        for fact in self.facts:
            if fact.question is not None and fact.status != "absent":
                found.setdefault(fact.question, []).append(fact)
        return found

    def facts_that_could_be(self, codes: tuple[str, ...], domain: str) -> list[Fact]:
        """Return the facts of a domain's kinds that could be one of the codes although no link says so.

        Facts whose codes are related to one of them are left out: what they are is known.
        """
        return self.cached(("could be", codes, domain), lambda: list(self._facts_that_could_be(codes, domain)))

    def _facts_that_could_be(self, codes: tuple[str, ...], domain: str) -> Iterator[Fact]:
        above = _union(self.terminology.above, codes)
        by_codes = self.cached(("domain", domain), lambda: self._by_codes(_KINDS_OF_DOMAIN[domain]))
        for given, facts in by_codes.items():
            self.count_work(4 * len(given))
            related = not above.isdisjoint(given) or not self.above(given).isdisjoint(codes)
            if not related and self._could_be(given, codes):
                yield from facts

    def _by_codes(self, kinds: Collection[Kind]) -> dict[tuple[str, ...], list[Fact]]:
        """Return the facts of the patient of some kinds that are not absent, by their codes."""
        found: dict[tuple[str, ...], list[Fact]] = {}
        for fact in self.facts:
            if fact.relative is None and fact.status != "absent" and fact.kind in kinds:
                found.setdefault(fact.codes, []).append(fact)
        return found

    def _could_be(self, given: tuple[str, ...], asked: tuple[str, ...]) -> bool:
        candidates = [self.cached(("candidate", code), partial(self.terminology.candidate, code)) for code in given]
        return any(all(candidate.could_be(wanted) for candidate in candidates) for wanted in asked)

    def declares(self, domain: str | None) -> bool:
        """Return whether a domain is declared complete over any days."""
        return domain in self._complete

    def is_complete(self, domain: str | None, dates: DateRange) -> bool:
        """Return whether one declaration covers the dates, except at most a tenth of them and 31 days at their end."""
        if domain is None:
            return False
        first = self._earliest_day(dates)
        # Declarations are disjoint and ordered: of those that begin early enough, the last one reaches farthest.
        declarations = self._complete.get(domain, [])
        begun = bisect_right(declarations, first or date.min, key=_since)
        if not begun or (first is None and declarations[0].since is not None):
            return False
        tail = (dates.last - declarations[begun - 1].to).days
        return tail <= (_MAX_TAIL if first is None else min(_MAX_TAIL, max(0, (dates.last - first).days // 10)))

    def completeness(self, domain: str | None, window: Window, day: date) -> Completeness:
        """Return whether a domain is complete over the window on a day."""
        now = self.is_complete(domain, window.dates_on(day))
        return Completeness(now, now or self.is_complete(domain, window.dates_on(self.as_of)))

    def completeness_change_days(self, domain: str | None, window: Window) -> tuple[date, ...]:
        """Return the days on which ``is_complete`` changes for a moving window."""
        return (
            self.cached(("complete", domain, window), lambda: tuple(self._completeness_change_days(domain, window)))
            if self.declares(domain)
            else ()
        )

    def _completeness_change_days(self, domain: str | None, window: Window) -> Iterator[date]:
        self.count_work(20 * len(self._complete.get(domain, ())) if domain is not None else 0)
        candidates = {day for day in self._completeness_candidates(domain, window) if self.as_of < day <= self.end}
        self.count_work(16 * len(candidates))
        for day in candidates:
            if self.is_complete(domain, window.dates_on(day)) != self.is_complete(
                domain, window.dates_on(day - ONE_DAY)
            ):
                yield day

    def _completeness_candidates(self, domain: str | None, window: Window) -> Iterator[date]:
        for declared in self._complete.get(domain, ()) if domain is not None else ():
            if declared.since is not None and declared.since > date.min and window.within is not None:
                yield day_after(window.last_day_of(declared.since - ONE_DAY))
            for tail in self._last_tails(declared, window):
                reached = declared.to + timedelta(days=tail)
                if window.beyond is None:
                    yield reached
                else:  # at the end of a month the last day of the dates may stay while their first day moves
                    entered = day_after(add(reached, window.beyond))
                    yield from (entered + timedelta(days=more) for more in range(4))

    def _earliest_day(self, dates: DateRange) -> date | None:
        """Return the first of the dates: the birth where they have no bound; None where the birth is unknown too."""
        if dates.first > date.min:
            return dates.first
        return self.birth.earliest if self.birth else None

    def _last_tails(self, declared: CompleteDomain, window: Window) -> range:
        """Return the lengths of the uncovered end, in days, around the longest allowed one.

        That is a tenth of the window, more or less because months differ in length.
        """
        dates = window.dates_on(declared.to if window.beyond is None else add(declared.to, window.beyond))
        first = self._earliest_day(dates)
        days = 10 * _MAX_TAIL + 10 if first is None else max(0, (declared.to - first).days)
        return range(min(_MAX_TAIL, max(0, days // 10 - 1)), min(_MAX_TAIL, days // 9 + 1) + 2)


_EMPTY = PersonFacts()
_KINDS_OF_DOMAIN: Mapping[str, frozenset[Kind]] = {
    "conditions": frozenset(("condition", "observation")),
    "medications": frozenset(("medication",)),
    "procedures": frozenset(("procedure",)),
    "immunizations": frozenset(("immunization", "medication")),
    "encounters": frozenset(("event",)),
    "observations": frozenset(("observation",)),
}


def _union(related: Callable[[str], frozenset[str]], codes: Iterable[str]) -> frozenset[str]:
    return frozenset[str]().union(*map(related, codes))


def _since(declared: CompleteDomain) -> date:
    return declared.since or date.min


def _joined(declarations: Collection[CompleteDomain], as_of: date) -> dict[str, list[CompleteDomain]]:
    """Return the declarations by domain, ended at ``as_of`` at the latest; join those that touch or overlap."""
    joined: dict[str, list[CompleteDomain]] = {}
    for declared in sorted(declarations, key=lambda declared: (declared.domain, declared.since or date.min)):
        if (declared.since or date.min) > as_of:
            continue
        last = joined.setdefault(declared.domain, [])
        if last and (declared.since or date.min) <= day_after(last[-1].to):
            last[-1] = replace(last[-1], to=max(last[-1].to, min(declared.to, as_of)))
        else:
            last.append(replace(declared, to=min(declared.to, as_of)))
    return joined
