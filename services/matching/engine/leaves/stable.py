"""`stable`: an ongoing treatment, unchanged for long enough and at an accepted dose (`docs/eligibility.md` §5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from services.matching.engine.facts import DateBounds, Fact
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Evaluation, State, TruthValues, decided, unknown
from services.matching.engine.leaves.absence import Absence
from services.matching.engine.leaves.concepts import Concepts, Findings
from services.matching.engine.leaves.doses import DoseBounds, DosedLine, DoseSums
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import Intervals, Window
from shared.criteria import expressions
from shared.criteria.durations import add, day_after, day_before, parse

_STABLE = TruthValues(MET, MET, UNKNOWN)
_NOT_STABLE = TruthValues(NOT_MET, NOT_MET, UNKNOWN)
_UNCLEAR = TruthValues(UNKNOWN, UNKNOWN, UNKNOWN)


@dataclass(frozen=True, slots=True)
class TreatmentEpisode:
    """Exposures to the same codes at the same dose that follow one another without a gap.

    ``facts``: the exposures, in order; ``ends``: the last day of each, before the next one takes its place.
    """

    start: DateBounds
    end: DateBounds
    facts: tuple[Fact, ...]
    ends: tuple[date, ...]

    @property
    def ids(self) -> list[str]:
        return [fact.id for fact in self.facts]


class Stable:
    def __init__(self, leaf: expressions.Stable, terminology: Terminology) -> None:
        self._codes = tuple(leaf.codes)
        self._concepts = Concepts(leaf.codes, terminology)
        self._for = parse(leaf.for_)
        self._window = Window(self._for)
        self._doses = DoseBounds.of(leaf, terminology)
        self._absence = Absence(self._concepts, self._window, self._window, leaf.domain)

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        findings = self._concepts.find(patient)
        episodes = self._episodes(patient, findings)
        ongoing = [episode for episode in episodes if episode.end.latest >= day]
        if not ongoing:
            return self._stopped(patient, findings, day)
        evidence = [identifier for episode in ongoing for identifier in episode.ids]
        recent = [episode for episode in ongoing if add(episode.start.earliest, self._for) > day]
        maybe_recent = [episode for episode in ongoing if add(episode.start.latest, self._for) > day]
        if len(maybe_recent) > len(recent) or any(episode.end.earliest < day for episode in ongoing):
            return unknown("partial_detail", evidence)
        dates = self._window.dates_on(day)
        ended = [episode for episode in episodes if episode.end.latest < day and episode.end.latest >= dates.first]
        changed = [*recent, *(episode for episode in ended if episode.end.earliest >= dates.first)]
        if changed:
            return _decided(NOT_MET, [identifier for episode in changed for identifier in episode.ids])
        state, reason = (MET, None) if self._doses is None else self._sums(patient, episodes, self._doses).on(day)
        if ended and state != NOT_MET:
            return unknown("partial_detail", [identifier for episode in ended for identifier in episode.ids])
        return unknown(reason or "partial_detail", evidence) if state == UNKNOWN else _decided(state, evidence)

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        findings = self._concepts.find(patient)
        episodes, last_day_of = self._episodes(patient, findings), self._window.last_day_of
        patient.count_work((10 if self._doses is None else 40) * len(episodes))
        ends = [(one, one.end.earliest, one.end.latest) for one in episodes]
        last = max((latest for _, _, latest in ends), default=date.min)
        unclear = Intervals(
            interval
            for one, earliest, latest in ends
            for interval in (
                (day_after(earliest), latest),
                (add(one.start.earliest, self._for), min(latest, day_before(add(one.start.latest, self._for)))),
            )
        )
        recent = Intervals(
            (date.min, min(latest, day_before(add(one.start.earliest, self._for)))) for one, _, latest in ends
        )
        ended = Intervals((day_after(latest), last_day_of(latest)) for _, _, latest in ends)
        changed = Intervals((day_after(latest), last_day_of(earliest)) for _, earliest, latest in ends)
        sums = None if self._doses is None else self._sums(patient, episodes, self._doses)
        uncertain = max((fact.last.latest for fact in findings.uncertain), default=date.min)
        absence = self._absence.over_time(patient, findings)

        def stopped(day: date) -> TruthValues:
            return _UNCLEAR if day <= uncertain else TruthValues(*absence.on(day), UNKNOWN)

        def read(day: date) -> TruthValues:
            if day > last:
                return stopped(day)
            if day in unclear:
                return _UNCLEAR
            if day in recent or day in changed:
                return _NOT_STABLE
            state = MET if sums is None else sums.on(day)[0]
            if state == NOT_MET:
                return _NOT_STABLE
            return _UNCLEAR if state == UNKNOWN or day in ended else _STABLE

        days = [
            *map(day_after, (last, uncertain)),
            *(day for interval in (unclear, recent, ended, changed) for day in interval.change_days()),
            *absence.change_days(),
            *(sums.change_days() if sums is not None else ()),
        ]
        return Timeline.sample(patient.as_of, patient.end, days, read)

    def _episodes(self, patient: PatientIndex, findings: Findings) -> "Sequence[TreatmentEpisode]":
        return patient.cached(("episodes", *self._codes), lambda: _episodes(findings.carrying))

    def _sums(self, patient: PatientIndex, episodes: Sequence[TreatmentEpisode], doses: DoseBounds) -> DoseSums:
        return patient.cached(
            ("doses", doses, *self._codes),
            lambda: DoseSums(
                doses,
                [
                    DosedLine(end, doses.read(patient, fact))
                    for episode in episodes
                    for fact, end in zip(episode.facts, episode.ends, strict=True)
                ],
            ),
        )

    def _stopped(self, patient: PatientIndex, findings: Findings, day: date) -> Evaluation:
        uncertain = [fact.id for fact in findings.uncertain if fact.last.latest >= day]
        if uncertain:
            return unknown("partial_detail", uncertain)
        absent = self._absence.evaluate(patient, findings, day)._replace(best_case=UNKNOWN)
        older = [fact.id for fact in (*findings.carrying, *findings.denying)]
        return absent.or_else("stale" if findings.carrying else "missing", older)


def _decided(state: State, evidence: Sequence[str]) -> Evaluation:
    return decided(state, evidence, best_case=UNKNOWN)


def _episodes(facts: Sequence[Fact]) -> list[TreatmentEpisode]:
    """Return the medication episodes: exposures that continue one another, by their full dates, are one."""
    episodes: list[TreatmentEpisode] = []
    for fact in sorted(
        (fact for fact in facts if fact.kind == "medication"),
        key=lambda fact: (fact.codes, _dose_key(fact), fact.first, fact.last),
    ):
        last = episodes[-1] if episodes else None
        if last is not None and _continues(fact, last.facts[-1]):
            # A line that begins on the last day of the one before takes its place on that day.
            before = day_before(fact.first.earliest) if fact.day == last.ends[-1] else last.ends[-1]
            episodes[-1] = TreatmentEpisode(
                last.start, fact.last, (*last.facts, fact), (*last.ends[:-1], before, fact.last.latest)
            )
        else:
            episodes.append(TreatmentEpisode(fact.first, fact.last, (fact,), (fact.last.latest,)))
    return episodes


def _continues(fact: Fact, before: Fact) -> bool:
    """Return whether an exposure goes on where the one before ends, or overlaps its end, as an early refill does."""
    return (
        (fact.codes, fact.dose) == (before.codes, before.dose)
        and fact.day is not None
        and before.day is not None
        and before.last.earliest == before.last.latest
        and before.day < fact.day <= day_after(before.last.latest)
        and before.last.latest < fact.last.earliest == fact.last.latest
    )


def _dose_key(fact: Fact) -> tuple[Fraction, str, bool]:
    dose = fact.dose
    return (Fraction(-1), "", False) if dose is None else (dose.value, dose.unit, dose.per_kg)
