"""Reads the subject of a packet: sex, birth date or age, death. Pure."""

from datetime import date

from services.matching.patients.dates import day_of
from services.matching.patients.mapping import possible_births
from services.matching.patients.parts import Part
from services.matching.patients.phenopacket.record import Record
from services.matching.patients.phenopacket.times import ages_of
from services.matching.patients.phenopacket.version1 import time_at_last_encounter
from services.matching.patients.placeholders import MAX_AGE_YEARS, is_placeholder_age, is_placeholder_date
from shared.criteria.durations import Span, add, parse

_SEXES = {"MALE": "male", "FEMALE": "female", "OTHER_SEX": "other"}
_OLDEST = f"P{MAX_AGE_YEARS}Y"
# A birth date that makes the last encounter so much older than the record is more often wrong than right.
_OLD_ENCOUNTER = Span(12 * 5, 0)


def read_subject(record: Record, packet: Part, created: str | None) -> None:
    """Read the subject. ``created``: the instant of the packet, which its age is of."""
    subject = packet.part("subject")
    if subject is None:
        return
    person = record.draft.person
    if (sex := _SEXES.get(subject.text("sex") or "")) is not None:
        person["sex"] = sex
    _read_birth(record, subject)
    _read_age(record, subject, day_of(created))
    _read_death(record, subject)


def _read_birth(record: Record, subject: Part) -> None:
    written = subject.text("dateOfBirth")
    if written is None:
        return
    day = day_of(written)
    if day is None:
        record.warn(subject.of("dateOfBirth"), "unreadable_date")
    elif is_placeholder_date(day) and day != "1970-01-01":
        record.warn(subject.of("dateOfBirth"), "placeholder")
    else:
        record.draft.person["birth_date"] = day
        record.draft.person_places["birth_date"] = subject.of("dateOfBirth")


def _read_age(record: Record, subject: Part, created: str | None) -> None:
    """Take the age where there is no birth date, and compare both where there is one."""
    person = record.draft.person
    seen = subject.part("timeAtLastEncounter") if record.names is None else time_at_last_encounter(subject)
    birth = person.get("birth_date")
    full = None if birth is None or len(birth) < len("YYYY-MM-DD") else date.fromisoformat(birth)
    record.birth = full
    if seen is None:
        return
    ages = ages_of(seen)
    if ages is None or any(is_placeholder_age(age) for age in ages):
        if birth is None or ages is not None:
            record.warn(seen.pointer, "no_age" if ages is None else "placeholder")
        return
    on = None if created is None or len(created) < len("YYYY-MM-DD") else date.fromisoformat(created)
    if on is not None and is_placeholder_date(created):
        on = None
    if full is not None and _agree(full, ages, on):
        return
    if birth is not None and full is None:
        return
    at_most = ages[1]
    if full is not None:
        # Which of the two is wrong is not known: every age between them is possible.
        record.warn(record.draft.person_places["birth_date"], "conflict")
        del person["birth_date"]
        record.birth = None
        at_most = _OLDEST
    elif on is None:
        record.warn(seen.pointer, "age_of_undated_record")
        at_most = _OLDEST
    person.update(age=ages[0], age_at_most=at_most, age_on=on)
    record.draft.person_places["age"] = seen.pointer


def _agree(birth: date, ages: tuple[str, str], on: date | None) -> bool:
    """Return whether a person born on that day had these ages at an encounter before, and not long before, ``on``."""
    if on is None:
        return birth.isoformat() != "1970-01-01"
    born_after_the_record = birth > possible_births(ages[0], on).latest
    last_encounter = add(birth, parse(ages[1]))
    return not born_after_the_record and add(last_encounter, _OLD_ENCOUNTER) >= on


def _read_death(record: Record, subject: Part) -> None:
    status = subject.part("vitalStatus")
    if status is None or status.text("status") != "DECEASED":
        return
    record.warn(status.pointer, "deceased")
    day = record.when(status, "timeOfDeath").start
    record.draft.person["deceased"] = (
        date.fromisoformat(day) if day is not None and len(day) == len("YYYY-MM-DD") else True
    )
