"""The total dose of the medicines taken on a day, and its comparison with bounds (`docs/eligibility.md` §5, stable)."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal, NamedTuple, Self

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Reason, State
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from shared.criteria import expressions
from shared.criteria.durations import day_after
from shared.terminology.clinical_data import PREDNISONE_EQUIVALENTS
from shared.terminology.medicines import is_class

Amount = Fraction | Reason | Literal["open"]
"""An amount in the unit of the bounds, why it is not known, or ``open``: some amount without an agreed equivalent."""


class DosedLine(NamedTuple):
    """A line of a prescription: its last day, and how much it adds."""

    end: date
    amount: Amount


@dataclass(frozen=True, slots=True)
class DoseBounds:
    """The bounds of a total dose. ``named``: the codes of the leaf that name one medicine, whose dose compares."""

    min: Fraction | None
    max: Fraction | None
    unit: str | None
    per_kg: bool
    as_prednisone: bool
    named: frozenset[str]

    @classmethod
    def of(cls, leaf: expressions.Stable, terminology: Terminology) -> Self | None:
        """Return the bounds of a leaf; None where it has none."""
        if leaf.min is None and leaf.max is None:
            return None
        as_prednisone = leaf.equivalent is not None
        named = () if as_prednisone else (code for code in leaf.codes if not is_class(code, terminology))
        return cls(
            None if leaf.min is None else Fraction(str(leaf.min)),
            None if leaf.max is None else Fraction(str(leaf.max)),
            leaf.unit,
            leaf.per_kg,
            as_prednisone,
            frozenset(named),
        )

    def read(self, patient: PatientIndex, fact: Fact) -> Amount:
        """Return the dose of an exposure in the unit of the bounds."""
        dose = fact.dose
        if dose is None:
            return "partial_detail"
        factor = None if self.unit is None else patient.conversion(dose.unit, self.unit)
        if factor is None or dose.per_kg != self.per_kg:
            return "unit"
        strength = self._strength(patient, fact)
        return dose.value * factor * strength if isinstance(strength, Fraction) else strength

    def _strength(self, patient: PatientIndex, fact: Fact) -> Amount:
        """Return what a unit of the medicine counts, or why it does not compare."""
        if self.as_prednisone:
            medicines = {same for code in fact.codes for same in patient.terminology.same(code)}
            equivalents = {PREDNISONE_EQUIVALENTS[code] for code in medicines & PREDNISONE_EQUIVALENTS.keys()}
            return equivalents.pop() if len(equivalents) == 1 else "open"
        if self.named.isdisjoint(patient.above(fact.codes)):
            return "partial_detail"  # only the class is asked, whose medicines differ in strength
        return Fraction(1)

    def compare(self, known: Fraction, reasons: frozenset[Reason], *, is_open: bool) -> tuple[State, Reason | None]:
        """Compare a total. ``is_open``: whether it is at least ``known``; ``reasons``: why a part is not known."""
        if self.max is not None and known > self.max:
            return NOT_MET, None
        if reasons:
            return UNKNOWN, min(reasons)
        reached = self.min is None or known >= self.min
        if is_open:
            return (MET, None) if reached and self.max is None else (UNKNOWN, "partial_detail")
        return MET if reached else NOT_MET, None


class DoseSums:
    """The total dose on each day of lines that have all begun."""

    def __init__(self, bounds: DoseBounds, lines: Sequence[DosedLine]) -> None:
        self._bounds = bounds
        ordered = sorted(lines, key=lambda line: line.end)
        self._ends = [line.end for line in ordered]
        # From each line on: the known sum, why parts are not known, and whether the sum is open upwards.
        known, reasons, is_open = Fraction(0), frozenset[Reason](), False
        self._from = [(known, reasons, is_open)]
        for line in reversed(ordered):
            if isinstance(line.amount, Fraction):
                known += line.amount
            elif line.amount == "open":
                is_open = True
            else:
                reasons |= {line.amount}
            self._from.append((known, reasons, is_open))
        self._from.reverse()

    def on(self, day: date) -> tuple[State, Reason | None]:
        """Return the state of the total on a day, and the reason where it is unknown."""
        known, reasons, is_open = self._from[bisect_left(self._ends, day)]
        return self._bounds.compare(known, reasons, is_open=is_open)

    def change_days(self) -> Iterator[date]:
        return (day_after(end) for end in self._ends)
