"""What a partner's record says of taking part."""

from functools import partial
from typing import Final

from services.registry.model.participation import ParticipationNote
from services.registry.sources.partner.values import duration, flag, whole_number
from services.registry.sources.reading import Section
from services.registry.sources.registers.statements import Statements

MAX_COUNT: Final = 1000
MAX_NOTE: Final = 2000


def say_participation(said: Statements, top: Section) -> None:
    """Say what taking part involves."""
    for key in ("visits_first_year", "hospital_nights"):
        said.say(f"participation.{key}", partial(whole_number, top, key, MAX_COUNT), (top, key))
    for name, key in (("duration", "participation_duration"), ("follow_up", "follow_up")):
        said.say(f"participation.{name}", partial(duration, top, key), (top, key))
    for key in ("remote_visits", "travel_paid", "accommodation_paid", "companion_paid"):
        said.say(f"participation.{key}", partial(flag, top, key), (top, key))
    notes = ("participation_note_fr", "participation_note_en")
    said.say("participation.note", partial(_note, top), *((top, key) for key in notes))


def _note(top: Section) -> ParticipationNote | None:
    french, english = _impersonal(top, "fr"), _impersonal(top, "en")
    return ParticipationNote(fr=french, en=english) if french or english else None


def _impersonal(top: Section, language: str) -> str | None:
    key = f"participation_note_{language}"
    text = top.text(key, MAX_NOTE)
    try:
        ParticipationNote(fr=text)
    except ValueError:
        top.reader.warn(
            f"/{key}",
            "identifier_forbidden",
            "retirez ce qui ressemble au numéro ou à la coordonnée d'une personne",
            "remove what looks like a number or contact of a person",
        )
        return None
    return text
