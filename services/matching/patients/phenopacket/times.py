"""Reads the time elements of a Phenopacket as full or partial dates, never more precise than given. Pure."""

from dataclasses import dataclass
from datetime import date

from services.matching.patients.ages import at_ages, whole_age
from services.matching.patients.dates import day_of
from services.matching.patients.parts import Part


@dataclass(frozen=True, slots=True)
class Moment:
    """``start`` and ``end`` as ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; None where not given or not understood.

    ``reason``: why there is no date: ``no_date`` or ``unreadable_date``; None where there is one.
    """

    start: str | None = None
    end: str | None = None
    reason: str | None = None


def moment(element: Part, birth: date | None) -> Moment:
    """Read a time element: a timestamp, an interval, or an age or range of ages, which need ``birth``.

    :raises InvalidBodyError: 422, a value of a wrong type.
    """
    stamp, interval = element.text("timestamp"), element.part("interval")
    if stamp is not None:
        day = day_of(stamp)
        return Moment(day, day, None if day else "unreadable_date")
    if interval is not None:
        start, end = interval.text("start"), interval.text("end")
        found = Moment(day_of(start), day_of(end))
        readable = (start is None or found.start) and (end is None or found.end)
        return found if readable else Moment(found.start, found.end, "unreadable_date")
    ages = ages_of(element)
    if ages is None or birth is None:
        return Moment(reason="no_date")
    day = at_ages(birth, *ages)
    return Moment(day, day, None if day else "no_date")


def ages_of(element: Part) -> tuple[str, str] | None:
    """Return the least and the greatest age of an age or a range of ages; None for other elements."""
    if (age := element.part("age")) is not None:
        found = whole_age(age.text("iso8601duration"))
        return None if found is None else (found, found)
    if (between := element.part("ageRange")) is not None:
        start, end = between.part("start"), between.part("end")
        least = None if start is None else whole_age(start.text("iso8601duration"))
        most = None if end is None else whole_age(end.text("iso8601duration"))
        return None if least is None or most is None else (least, most)
    return None
