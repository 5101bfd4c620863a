"""The patient's facts as known on one day, indexed by what they say under one terminology: opened once, read by every trial."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property, partial
from typing import Any, TypeVar

from services.matching.engine.facts import CompleteDomain, DateBounds, Fact, Patient
from services.matching.engine.terminology import Terminology
from services.matching.engine.window import DateRange, Window
from shared.criteria.durations import ONE_DAY, Span, add, day_after

T = TypeVar("T")

HORIZON_OF_TRUTH = Span(12 * 20, 0)
_MAX_TAIL = 31


@dataclass(slots=True)
class Record:
    """The facts of one person: the patient, or one kind of relative."""

    carriers: dict[str, list[Fact]] = field(default_factory=dict)
    """Facts not absent, by every code that they carry."""
    asserted: dict[str, list[Fact]] = field(default_factory=dict)
    """Facts not absent, by their own codes."""
    denied: dict[str, list[Fact]] = field(default_factory=dict)
    """Absent facts, by their own codes."""
    excluded: dict[str, list[Fact]] = field(default_factory=dict)
    """Confirmed conditions, by the codes that they rule out."""

    def add(self, fact: Fact, above: Collection[str], excluded: Collection[str]) -> None:
        """A fact, all that its codes say, and all that they rule out."""
        if fact.status == "absent":
            for code in fact.codes:
                self.denied.setdefault(code, []).append(fact)
            return
        for code in fact.codes:
            self.asserted.setdefault(code, []).append(fact)
        for code in above:
            self.carriers.setdefault(code, []).append(fact)
        if fact.kind == "condition" and fact.status == "present":
            for code in excluded:
                self.excluded.setdefault(code, []).append(fact)


class TooComplexError(ValueError):
    """A document and a chart that together take more work than was granted."""


class PatientIndex:
    """A patient on ``as_of``: later facts are set aside (``ignored``), open or partial dates end at ``as_of``, planned ends are believed."""

    def __init__(
        self, patient: Patient, terminology: Terminology, as_of: date, dosing_date: date | None = None
    ) -> None:
        self.as_of = as_of
        self.end = add(as_of, HORIZON_OF_TRUTH)
        self.dosing_date = dosing_date
        self.birth = patient.birth
        self.sex = patient.sex
        self.facts = tuple(_known_on(fact, as_of) for fact in patient.facts if fact.first.earliest <= as_of)
        self.ignored = tuple(fact.id for fact in patient.facts if fact.first.earliest > as_of)
        self.terminology = terminology
        self._complete = _joined(patient.complete_domains, as_of)
        self._records: dict[str | None, Record] = {}
        self._found: dict[Hashable, Any] = {}
        self.budget: int | None = None
        for fact in self.facts:
            above = self.once(("above", fact.codes), partial(_union, terminology.above, fact.codes))
            excluded = self.once(("excludes", fact.codes), partial(_union, terminology.excludes, fact.codes))
            self._records.setdefault(fact.relative, Record()).add(fact, above, excluded)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What many leaves and trials ask of the same facts is found out once."""
        if key not in self._found:
            self._found[key] = make()
        found: T = self._found[key]
        return found

    def spend(self, looks: int) -> None:
        """Account for so much work, in looks: one at a fact in passing, about half a microsecond. Without a ``budget`` nothing is counted.

        :raises TooComplexError: the budget is spent.
        """
        if self.budget is not None:
            self.budget -= looks
            if self.budget < 0:
                raise TooComplexError

    def of(self, relative: str | None = None) -> Record:
        """The facts of the patient, or of a relative."""
        return self._records.get(relative) or _EMPTY

    @cached_property
    def by_id(self) -> dict[str, Fact]:
        return {fact.id: fact for fact in self.facts}

    @cached_property
    def by_gene(self) -> dict[str, list[Fact]]:
        """The patient's variants, by gene."""
        found: dict[str, list[Fact]] = {}
        for fact in self.facts:
            if fact.variant is not None and fact.relative is None:
                found.setdefault(fact.variant.gene, []).append(fact)
        return found

    @cached_property
    def by_question(self) -> dict[str, list[Fact]]:
        """The answers given of the patient, by question."""
        found: dict[str, list[Fact]] = {}
        for fact in self.facts:
            if fact.question is not None and fact.status != "absent":
                found.setdefault(fact.question, []).append(fact)
        return found

    def declares(self, domain: str | None) -> bool:
        """Whether a domain is declared complete over any days."""
        return domain in self._complete

    def is_complete(self, domain: str | None, stretch: DateRange) -> bool:
        """Whether one declaration covers the stretch but for a tail of at most a tenth of its days, and at most 31."""
        if domain is None:
            return False
        first = self._earliest_day(stretch)
        # They lie apart and in order: of those that begin in time the last one reaches farthest.
        declarations = self._complete.get(domain, [])
        begun = bisect_right(declarations, first or date.min, key=_since)
        if not begun or (first is None and declarations[0].since is not None):
            return False
        tail = (stretch.last - declarations[begun - 1].to).days
        return tail <= (_MAX_TAIL if first is None else min(_MAX_TAIL, max(0, (stretch.last - first).days // 10)))

    def completeness_flips(self, domain: str | None, window: Window) -> tuple[date, ...]:
        """The days on which ``is_complete`` of a window changes: where its start meets a declaration, and where the tail grows too long."""
        return (
            self.once(("complete", domain, window), lambda: tuple(self._completeness_flips(domain, window)))
            if self.declares(domain)
            else ()
        )

    def _completeness_flips(self, domain: str | None, window: Window) -> Iterator[date]:
        self.spend(20 * len(self._complete.get(domain, ())) if domain is not None else 0)
        candidates = {day for day in self._completeness_candidates(domain, window) if self.as_of < day <= self.end}
        self.spend(16 * len(candidates))
        for day in candidates:
            if self.is_complete(domain, window.on(day)) != self.is_complete(domain, window.on(day - ONE_DAY)):
                yield day

    def _completeness_candidates(self, domain: str | None, window: Window) -> Iterator[date]:
        for declared in self._complete.get(domain, ()) if domain is not None else ():
            if declared.since is not None and declared.since > date.min and window.within is not None:
                yield day_after(add(declared.since - ONE_DAY, window.within))
            for tail in self._last_tails(declared, window):
                reached = declared.to + timedelta(days=tail)
                if window.beyond is None:
                    yield reached
                else:  # at the end of a month the stretch may keep its last day for some days while its first moves
                    entered = day_after(add(reached, window.beyond))
                    yield from (entered + timedelta(days=more) for more in range(4))

    def _earliest_day(self, stretch: DateRange) -> date | None:
        """Where a stretch begins: at birth when it has no bound; None when the birth is not known either."""
        if stretch.first > date.min:
            return stretch.first
        return self.birth.earliest if self.birth else None

    def _last_tails(self, declared: CompleteDomain, window: Window) -> range:
        """The tails around the last allowed one: a tenth of the window, give or take the length of months and, since birth, of the tail."""
        stretch = window.on(declared.to if window.beyond is None else add(declared.to, window.beyond))
        first = self._earliest_day(stretch)
        days = 10 * _MAX_TAIL + 10 if first is None else max(0, (declared.to - first).days)
        return range(min(_MAX_TAIL, max(0, days // 10 - 1)), min(_MAX_TAIL, days // 9 + 1) + 2)


_EMPTY = Record()


def _union(said: Callable[[str], frozenset[str]], codes: Iterable[str]) -> frozenset[str]:
    return frozenset[str]().union(*map(said, codes))


def _since(declared: CompleteDomain) -> date:
    return declared.since or date.min


def _known_on(fact: Fact, as_of: date) -> Fact:
    if fact.first.latest <= as_of and (fact.exposure or fact.last.latest <= as_of) and fact.status != "absent":
        return fact
    first = DateBounds(fact.first.earliest, min(fact.first.latest, as_of))
    if not fact.exposure:
        return replace(fact, first=first, last=first)
    if fact.status == "absent":
        return replace(fact, first=first, last=DateBounds(min(fact.last.earliest, as_of), min(fact.last.latest, as_of)))
    return replace(fact, first=first)


def _joined(declarations: Collection[CompleteDomain], as_of: date) -> dict[str, list[CompleteDomain]]:
    """Declarations by domain, ending at ``as_of`` at the latest; those that touch or overlap become one."""
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
