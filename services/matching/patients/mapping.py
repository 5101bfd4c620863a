"""Converts the native patient on the wire to the patient of the engine. Pure."""

from calendar import monthrange
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from services.matching import engine
from services.matching.engine.facts import ANY_DAY, FOR_EVER, DateBounds
from services.matching.patients import schemas
from shared.criteria.durations import Span, add, day_after, day_before, first_within, parse, smallest_unit

_TERM_DAYS = 40 * 7
_PRETERM_DAYS = 37 * 7
_EARLIEST_BIRTH = Span(0, 18 * 7)
"""How long before its term a child can be born and live."""


class Mapped(NamedTuple):
    """The patient of the engine.

    ``ignored``: the ids of facts that were left out because they are entered in error or after the day of evaluation.
    """

    patient: engine.Patient
    ignored: tuple[str, ...]


class BirthAfterAsOfError(ValueError):
    """The birth date is after the day of evaluation."""


def to_engine(patient: schemas.Patient, as_of: date) -> Mapped:
    """Convert a patient as known on ``as_of``.

    :raises BirthAfterAsOfError: the birth date is after ``as_of``.
    """
    birth = _birth(patient, as_of)
    if birth is not None and birth.earliest > as_of and patient.birth_date is None:
        birth = None  # the record of the age is from after that day
    if birth is not None and birth.earliest > as_of:
        raise BirthAfterAsOfError("the birth date is after the day of evaluation")
    facts = tuple(_fact(fact) for fact in patient.facts if fact.status != "entered_in_error")
    known = tuple(fact for fact in facts if fact.first.earliest <= as_of)
    known_ids = {fact.id for fact in known}
    birth = None if birth is None else DateBounds(birth.earliest, min(birth.latest, as_of))
    return Mapped(
        engine.Patient(
            birth=birth,
            due=None if birth is None else _due(birth, patient.gestation),
            gestation_known=patient.gestation is not None,
            sex=patient.sex,
            facts=known,
            complete_domains=tuple(
                engine.CompleteDomain(declared.domain, declared.from_, declared.to)
                for declared in patient.domains_complete
            ),
            deceased=patient.deceased is True or (patient.deceased is not None and patient.deceased <= as_of),
        ),
        tuple(fact.id for fact in patient.facts if fact.id not in known_ids),
    )


def possible_births(age: str, as_of: date) -> DateBounds:
    """Return the birth dates ``b`` with ``add(b, age) <= as_of < add(b, age + 1 unit)``.

    The unit is the smallest one in ``age``: a year for ``P3Y``, a month for ``P3Y4M``.
    """
    span, unit = parse(age), smallest_unit(age)
    tomorrow = day_after(as_of)
    older = Span(span.months + unit.months, span.days + unit.days)
    return DateBounds(first_within(tomorrow, older), day_before(first_within(tomorrow, span)))


def _birth(patient: schemas.Patient, as_of: date) -> DateBounds | None:
    if patient.birth_date is not None:
        return _days(patient.birth_date)
    if patient.age is None:
        return None
    on = patient.age_on or as_of
    return DateBounds(
        possible_births(patient.age_at_most or patient.age, on).earliest, possible_births(patient.age, on).latest
    )


def _due(birth: DateBounds, gestation: str | None) -> DateBounds:
    """Return the possible days from which a corrected age counts."""
    if gestation is None:
        return DateBounds(birth.earliest, add(birth.latest, _EARLIEST_BIRTH))
    shortest = parse(gestation).days
    longest = shortest if gestation.endswith("D") else shortest + 6
    if shortest >= _PRETERM_DAYS:
        return birth
    return DateBounds(
        add(birth.earliest, Span(0, _TERM_DAYS - longest)), add(birth.latest, Span(0, _TERM_DAYS - shortest))
    )


def _fact(fact: schemas.Fact) -> engine.Fact:
    assert fact.status != "entered_in_error"
    first, last, exposure = _when(fact)
    is_number = isinstance(fact.value, int | float)
    return engine.Fact(
        id=fact.id,
        kind=fact.kind,
        codes=tuple(sorted(set(fact.codes))),
        status=fact.status,
        first=first,
        last=last,
        day=_full_day(fact.date or fact.start),
        exposure=exposure,
        number=_exact(fact.value) if is_number else None,
        text=str(fact.value) if fact.value is not None and not is_number else None,
        comparator=fact.comparator,
        unit=fact.unit,
        ref_low=_exact(fact.ref_low),
        ref_high=_exact(fact.ref_high),
        assay=fact.assay,
        dose=None if fact.dose is None else engine.Dose(_fraction(fact.dose.value), fact.dose.unit, fact.dose.per_kg),
        outcome=fact.outcome,
        body_site=fact.body_site,
        severity=fact.severity,
        relative=fact.relative,
        variant=None if fact.variant is None else _variant(fact.variant, fact.assay),
        question=fact.question,
        answer=fact.answer,
    )


def _when(fact: schemas.Fact) -> tuple[DateBounds, DateBounds, bool]:
    """Return first day, last day and whether it is an exposure.

    A condition or medication that is recorded with one date, or none, may go on after it.
    """
    if fact.start is None and fact.end is None:
        day = ANY_DAY if fact.date is None else _days(fact.date)
        is_medication = fact.kind == "medication"
        if fact.status != "absent" and (is_medication or fact.kind == "condition"):
            return day, DateBounds(day.earliest, date.max), is_medication
        return day, day, is_medication and fact.date is None
    start = ANY_DAY if fact.start is None else _days(fact.start)
    end = FOR_EVER if fact.end is None else _days(fact.end)
    if end.latest < start.earliest:  # the end is unknown: it may go on
        return start, DateBounds(start.earliest, date.max), True
    return (
        DateBounds(start.earliest, min(start.latest, end.latest)),
        DateBounds(max(start.earliest, end.earliest), end.latest),
        True,
    )


def _full_day(partial: str | None) -> date | None:
    return date.fromisoformat(partial) if partial is not None and len(partial) == len("YYYY-MM-DD") else None


def _days(partial: str) -> DateBounds:
    if (day := _full_day(partial)) is not None:
        return DateBounds(day, day)
    year, month = (int(part) for part in [*partial.split("-"), "0"][:2])
    if month == 0:
        return DateBounds(date(year, 1, 1), date(year, 12, 31))
    return DateBounds(date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def _variant(variant: schemas.ReportedVariant, assay: str | None) -> engine.Variant:
    return engine.Variant(
        gene=variant.gene,
        type=variant.type,
        exons=None if variant.exon_from is None or variant.exon_to is None else (variant.exon_from, variant.exon_to),
        zygosity=variant.zygosity,
        copies=variant.copies,
        frame=variant.frame,
        hgvs=variant.hgvs,
        origin=variant.origin,
        significance=variant.significance,
        assay=variant.assay or assay,
    )


def _exact(value: float | str | None) -> Fraction | None:
    return None if value is None else _fraction(value)


def _fraction(value: float | str) -> Fraction:
    return Fraction(value) if isinstance(value, int) else Fraction(str(value))
