"""`age` and `sex`: what the patient's birth and sex say (`docs/eligibility.md` §5)."""

from collections.abc import Iterator
from datetime import date

from services.matching.engine.kleene import MET, NOT_MET, Judgement, Reading, settled, unknown
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.timeline import Timeline
from shared.criteria import expressions
from shared.criteria.durations import Span, add, day_after, day_before, first_within, parse


class Age:
    """Judged over every possible birth date: those old enough and young enough form one interval, the unclear ones lie just before it."""

    def __init__(self, leaf: expressions.Age, lead_time: Span | None) -> None:
        self._min = parse(leaf.min) if leaf.min else None
        self._max = parse(leaf.max) if leaf.max else None
        self._unclear_until = parse(leaf.max_unclear_until) if leaf.max_unclear_until else self._max
        self._min_inclusive = leaf.min_inclusive
        self._max_inclusive = leaf.max_inclusive
        self._at_dosing = leaf.at == "dosing"
        self._lead_time = lead_time

    def judge(self, chart: PatientIndex, day: date) -> Judgement:
        anchor = self._anchor(chart, day)
        if chart.birth is None or anchor is None:
            return unknown("missing", () if chart.birth is None else ("#birth",))
        youngest = (
            date.max
            if self._min is None
            else day_before(first_within(day_after(anchor) if self._min_inclusive else anchor, self._min))
        )
        oldest = (
            date.min
            if self._max is None
            else first_within(anchor if self._max_inclusive else day_after(anchor), self._max)
        )
        unclear = (
            date.min
            if self._unclear_until is None
            else min(oldest, first_within(day_after(anchor), self._unclear_until))
        )
        earliest, latest = chart.birth
        if oldest <= earliest and latest <= youngest:
            return settled(MET, ("#birth",))
        if latest < unclear or earliest > youngest:
            return settled(NOT_MET, ("#birth",))
        return unknown("partial_detail", ("#birth",))

    def course(self, chart: PatientIndex) -> Timeline[Reading]:
        return Timeline.sample(
            chart.as_of, chart.end, self._flips(chart), lambda day: Reading.of(self.judge(chart, day))
        )

    def _anchor(self, chart: PatientIndex, day: date) -> date | None:
        """The day on which the age counts; None when the day of dosing cannot be told."""
        if not self._at_dosing:
            return day
        if chart.dosing_date is not None:
            return chart.dosing_date
        return None if self._lead_time is None else add(day, self._lead_time)

    def _flips(self, chart: PatientIndex) -> Iterator[date]:
        if chart.birth is None or (self._at_dosing and (chart.dosing_date is not None or self._lead_time is None)):
            return
        for span in (self._min, self._max, self._unclear_until):
            if span is not None:
                for birth in {*chart.birth}:
                    birthday = add(birth, span)
                    for anchor in (birthday, day_after(birthday)):
                        yield (
                            anchor
                            if not self._at_dosing or self._lead_time is None
                            else first_within(anchor, self._lead_time)
                        )


class Sex:
    def __init__(self, leaf: expressions.Sex) -> None:
        self._value = leaf.value

    def judge(self, chart: PatientIndex, _day: date) -> Judgement:
        if chart.sex is None:
            return unknown("missing")
        if chart.sex == "other":
            return unknown("needs_human", ("#sex",))
        return settled(MET if chart.sex == self._value else NOT_MET, ("#sex",))

    def course(self, chart: PatientIndex) -> Timeline[Reading]:
        return Timeline((chart.as_of,), (Reading.of(self.judge(chart, chart.as_of)),))
