"""`stable`: an ongoing treatment, unchanged for long enough and at an accepted dose (`docs/eligibility.md` §5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from services.matching.engine.facts import DateBounds, Dose, Fact
from services.matching.engine.kleene import (
    ALL_UNKNOWN,
    MET,
    NOT_MET,
    UNKNOWN,
    Evaluation,
    Reason,
    TruthValues,
    decided,
    unknown,
)
from services.matching.engine.leaves.comparison import compare
from services.matching.engine.leaves.concepts import Concepts, Findings, denied_until, ruled_out
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import Intervals, Window
from shared.criteria import expressions
from shared.criteria.durations import add, day_after, day_before, parse

_NOT_STABLE = TruthValues(NOT_MET, NOT_MET, UNKNOWN)


@dataclass(frozen=True, slots=True)
class TreatmentEpisode:
    """Exposures to the same codes at the same dose that follow one another without a gap."""

    codes: tuple[str, ...]
    dose: Dose | None
    start: date | None
    end: DateBounds
    facts: tuple[str, ...]


class Stable:
    def __init__(self, leaf: expressions.Stable, terminology: Terminology) -> None:
        self._codes = tuple(leaf.codes)
        self._concepts = Concepts(leaf.codes, terminology)
        self._for = parse(leaf.for_)
        self._window = Window(self._for)
        self._min = None if leaf.min is None else Fraction(str(leaf.min))
        self._max = None if leaf.max is None else Fraction(str(leaf.max))
        self._has_bounds = leaf.min is not None or leaf.max is not None
        self._unit, self._per_kg, self._domain = leaf.unit, leaf.per_kg, leaf.domain

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        findings = self._concepts.find(patient)
        episodes = self._episodes(patient, findings)
        ongoing = [episode for episode in episodes if episode.end.latest >= day]
        if not ongoing:
            return self._stopped(patient, findings, day)
        evidence = [identifier for episode in ongoing for identifier in episode.facts]
        if any(episode.start is None or episode.end.earliest < day for episode in ongoing):
            return unknown("partial_detail", evidence)
        dates = self._window.dates_on(day)
        ended = [episode for episode in episodes if episode.end.latest < day and episode.end.latest >= dates.first]
        recent = [episode for episode in ongoing if episode.start is not None and add(episode.start, self._for) > day]
        changed = [*recent, *(episode for episode in ended if episode.end.earliest >= dates.first)]
        if changed:
            return decided(
                NOT_MET, [identifier for episode in changed for identifier in episode.facts], best_case=UNKNOWN
            )
        if ended:
            return unknown("partial_detail", [identifier for episode in ended for identifier in episode.facts])
        return self._dosed(patient, ongoing, evidence)

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        findings = self._concepts.find(patient)
        episodes, last_day_of, window = self._episodes(patient, findings), self._window.last_day_of, self._window
        ends = [(one, one.end.earliest, one.end.latest) for one in episodes]
        last = max((latest for _, _, latest in ends), default=date.min)
        unclear = Intervals(
            (date.min if one.start is None else day_after(earliest), latest) for one, earliest, latest in ends
        )
        recent = Intervals(
            (date.min, min(latest, day_before(add(one.start, self._for))))
            for one, _, latest in ends
            if one.start is not None
        )
        ended = Intervals((day_after(latest), last_day_of(latest)) for _, _, latest in ends)
        changed = Intervals((day_after(latest), last_day_of(earliest)) for _, earliest, latest in ends)
        doses = [
            (
                self._accepts(patient, one.dose) if self._min is not None or self._max is not None else True,
                one.end.latest,
            )
            for one in episodes
        ]
        outside = max((latest for accepted, latest in doses if accepted is False), default=date.min)
        unknown_dose_until = max(
            (latest for accepted, latest in doses if accepted not in (True, False)), default=date.min
        )
        uncertain = max((fact.last.latest for fact in findings.uncertain), default=date.min)
        denied, last_known = (
            denied_until(findings, window),
            NOT_MET if findings.were_ruled_out(patient.as_of) else UNKNOWN,
        )

        def read(day: date) -> TruthValues:
            if day > last:
                if day <= uncertain:
                    return ALL_UNKNOWN
                ruled = day <= denied or patient.is_complete(self._domain, window.dates_on(day))
                return _NOT_STABLE if ruled else TruthValues(UNKNOWN, last_known, UNKNOWN)
            if day in unclear:
                return ALL_UNKNOWN
            if day in recent or day in changed:
                return _NOT_STABLE
            if day in ended:
                return ALL_UNKNOWN
            return (
                _NOT_STABLE
                if day <= outside
                else ALL_UNKNOWN
                if day <= unknown_dose_until
                else TruthValues(MET, MET, UNKNOWN)
            )

        last_days = map(day_after, (last, outside, unknown_dose_until, uncertain, denied))
        intervals = (day for interval in (unclear, recent, ended, changed) for day in interval.change_days())
        return Timeline.sample(
            patient.as_of,
            patient.end,
            (*last_days, *intervals, *patient.completeness_change_days(self._domain, window)),
            read,
        )

    def _episodes(self, patient: PatientIndex, findings: Findings) -> "Sequence[TreatmentEpisode]":
        return patient.cached(("episodes", *self._codes), lambda: _episodes(findings.carrying))

    def _stopped(self, patient: PatientIndex, findings: Findings, day: date) -> Evaluation:
        uncertain = [fact.id for fact in findings.uncertain if fact.last.latest >= day]
        if uncertain:
            return unknown("partial_detail", uncertain)
        dates = self._window.dates_on(day)
        if (evidence := ruled_out(patient, findings, dates, self._domain)) is not None:
            return decided(NOT_MET, evidence, best_case=UNKNOWN)
        last_known = NOT_MET if findings.were_ruled_out(day) else UNKNOWN
        older = [fact.id for fact in (*findings.carrying, *findings.denying)]
        if findings.may_be_ruled_out(dates):
            return unknown("partial_detail", older, last_known=last_known)
        return unknown("stale" if findings.carrying else "missing", older, last_known=last_known)

    def _dosed(self, patient: PatientIndex, ongoing: Sequence[TreatmentEpisode], evidence: Sequence[str]) -> Evaluation:
        if not self._has_bounds:
            return decided(MET, evidence, best_case=UNKNOWN)
        reasons: set[Reason] = set()
        for episode in ongoing:
            accepted = self._accepts(patient, episode.dose)
            if accepted is False:
                return decided(NOT_MET, episode.facts, best_case=UNKNOWN)
            if accepted is not True:
                reasons.add(accepted)
        return unknown(min(reasons), evidence) if reasons else decided(MET, evidence, best_case=UNKNOWN)

    def _accepts(self, patient: PatientIndex, dose: Dose | None) -> bool | Reason:
        """Return whether a dose is between the bounds, or the reason why that is unknown."""
        if dose is None:
            return "partial_detail"
        if self._unit is None or dose.per_kg != self._per_kg:
            return "unit"
        factor = patient.conversion(dose.unit, self._unit)
        if factor is None:
            return "unit"
        value = dose.value * factor
        above = self._min is None or compare(value, None, ">=", self._min) == MET
        return above and (self._max is None or compare(value, None, "<=", self._max) == MET)


def _episodes(facts: Sequence[Fact]) -> list[TreatmentEpisode]:
    """Return the medication episodes: exposures that continue one another, by their full dates, are one."""
    episodes: list[TreatmentEpisode] = []
    for fact in sorted(
        (fact for fact in facts if fact.kind == "medication"),
        key=lambda fact: (fact.codes, _dose_key(fact.dose), fact.first, fact.last),
    ):
        last = episodes[-1] if episodes else None
        if last is not None and _continues(fact, last):
            end = max(last.end, fact.last)
            episodes[-1] = TreatmentEpisode(last.codes, last.dose, last.start, end, (*last.facts, fact.id))
        else:
            episodes.append(TreatmentEpisode(fact.codes, fact.dose, fact.day, fact.last, (fact.id,)))
    return episodes


def _continues(fact: Fact, episode: TreatmentEpisode) -> bool:
    return (
        (fact.codes, fact.dose) == (episode.codes, episode.dose)
        and fact.day is not None
        and episode.start is not None
        and episode.end.earliest == episode.end.latest
        and fact.day <= day_after(episode.end.latest)
        and fact.last.earliest == fact.last.latest
    )


def _dose_key(dose: Dose | None) -> tuple[Fraction, str, bool]:
    return (Fraction(-1), "", False) if dose is None else (dose.value, dose.unit, dose.per_kg)
