"""What shows that something is not there: a denial in force, or a complete domain (`docs/eligibility.md` §5, has)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import NOT_MET, UNKNOWN, Evaluation, State, decided, unknown
from services.matching.engine.leaves.concepts import Concepts, Findings, denied_until
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.window import Intervals, Window
from shared.criteria.durations import day_after


@dataclass(frozen=True, slots=True)
class Absence:
    """The absence of some codes over a window, where no fact may be one of them.

    ``in_force``: how old a denial may be; ``domain``: whose declared completeness shows it too.
    """

    concepts: Concepts
    window: Window
    in_force: Window
    domain: str | None

    def evaluate(
        self, patient: PatientIndex, findings: Findings, day: date, fits: Callable[[Fact], bool] | None = None
    ) -> Evaluation:
        """Return NOT_MET where the codes are absent; else unknown, with the reason ``missing`` where nothing says so.

        ``fits``: whether a fact that could be one of the codes may be as asked; None: it may. The best case is left to
        the caller.
        """
        in_force = self.in_force.dates_on(day)
        if (evidence := findings.ruled_out(in_force)) is not None:
            return decided(NOT_MET, evidence)
        complete = patient.completeness(self.domain, self.window, day)
        dates = self.window.dates_on(day)
        could_be = self.concepts.could_be(patient, self.domain) if complete.carried else ()
        possible = [fact.id for fact in could_be if dates.may_contain(fact) and (fits is None or fits(fact))]
        if complete.now and not possible:
            return decided(NOT_MET, (f"#complete:{self.domain}",))
        stays = findings.were_ruled_out(day) or (complete.carried and not possible)
        last_known = NOT_MET if stays else UNKNOWN
        if complete.now:
            evaluation = unknown("partial_detail", possible, last_known=last_known)
            return evaluation._replace(reasons_on_record=findings.could_be_on_record)
        if findings.may_be_ruled_out(in_force):
            return unknown("partial_detail", [fact.id for fact in findings.denying], last_known=last_known)
        return unknown("missing", last_known=last_known)

    def over_time(
        self, patient: PatientIndex, findings: Findings, possible: Iterable[tuple[date, date]] | None = None
    ) -> "AbsenceOverTime":
        """Return the same for every day. ``possible``: from when to when each fact that could be a code may fit."""
        if possible is None:
            could_be = self.concepts.could_be(patient, self.domain)
            possible = ((fact.first.earliest, fact.last.latest) for fact in could_be)
        return AbsenceOverTime(
            self,
            patient,
            self.window.intervals(possible, patient.as_of),
            denied_until(findings, self.in_force),
            was_denied=findings.were_ruled_out(patient.as_of),
        )


class AbsenceOverTime:
    """An `Absence` on every day from ``as_of`` on."""

    def __init__(
        self, absence: Absence, patient: PatientIndex, could_be: Intervals, denied_until: date, *, was_denied: bool
    ) -> None:
        self._domain, self._window = absence.domain, absence.window
        self._patient = patient
        self._could_be = could_be
        self._denied_until = denied_until
        self._was_denied = was_denied

    def on(self, day: date) -> tuple[State, State]:
        """Return the states now and in the last-known scenario."""
        if day <= self._denied_until:
            return NOT_MET, NOT_MET
        complete = self._patient.completeness(self._domain, self._window, day)
        concludes = complete.carried and day not in self._could_be
        return (
            NOT_MET if complete.now and concludes else UNKNOWN,
            NOT_MET if self._was_denied or concludes else UNKNOWN,
        )

    def change_days(self) -> Iterator[date]:
        yield day_after(self._denied_until)
        yield from self._could_be.change_days()
        yield from self._patient.completeness_change_days(self._domain, self._window)
