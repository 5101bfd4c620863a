"""The latest measurement of some codes, for leaves that combine several (`docs/eligibility.md` §5, delta, computed)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.matching.engine.facts import DateBounds, Fact
from services.matching.engine.kleene import Reason
from services.matching.engine.leaves.concepts import Concepts
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.window import DateRange


@dataclass(frozen=True, slots=True)
class Latest:
    """The measurements of any age that may be the latest one.

    ``facts``: they; ``days``: the days that the last one could be of; ``older``: all others; ``unconfirmed``: those
    that are unconfirmed and may be of its day or later; ``announced``: all that are unconfirmed or ordered.
    """

    facts: tuple[Fact, ...]
    days: DateBounds
    older: tuple[Fact, ...]
    unconfirmed: tuple[Fact, ...]
    announced: tuple[Fact, ...]

    @staticmethod
    def of(patient: PatientIndex, concepts: Concepts) -> "Latest":
        return patient.cached(("latest", concepts.codes), lambda: _latest(patient, concepts.carriers(patient)))

    @property
    def day(self) -> date | None:
        """The full date of the latest measurement; None where a partial date leaves it open, or without any."""
        full = self.facts and all(fact.first.earliest == fact.first.latest for fact in self.facts)
        return self.days.latest if full else None

    def may_be_in(self, dates: DateRange) -> bool:
        return bool(self.facts) and self.days.latest >= dates.first

    def absent(self, dates: DateRange) -> tuple[Reason, list[str]]:
        """Return why there is none in a window, and the ids of the facts that show it."""
        if self.facts:
            return "stale", [fact.id for fact in self.facts]
        announced = [fact.id for fact in self.announced if may_be_in(fact, dates)]
        return "partial_detail" if announced else "missing", announced


def is_measurement(fact: Fact) -> bool:
    return fact.status == "present" and fact.number is not None


def may_be_in(fact: Fact, dates: DateRange) -> bool:
    """Return whether the day of a measurement, its date or its start, may be in a window."""
    return fact.first.earliest <= dates.last and fact.first.latest >= dates.first


def _latest(patient: PatientIndex, facts: Sequence[Fact]) -> Latest:
    patient.count_work(4 * len(facts))
    given = [fact for fact in facts if is_measurement(fact)]
    announced = tuple(fact for fact in facts if fact.status != "present")
    newest = max((fact.first.earliest for fact in given), default=date.min)
    return Latest(
        tuple(fact for fact in given if fact.first.latest >= newest),
        DateBounds(newest, max((fact.first.latest for fact in given), default=date.min)),
        tuple(fact for fact in given if fact.first.latest < newest),
        tuple(fact for fact in announced if fact.status == "unconfirmed" and fact.first.latest >= newest),
        announced,
    )
