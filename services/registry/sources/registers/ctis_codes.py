"""The codes of CTIS (EU portal): public status, phase, age, and the classes of advanced therapies."""

from collections.abc import Mapping
from typing import Final

from services.registry.model.trial import Phase
from services.registry.sources.registers import ages
from shared.vocabulary.events import AtmpClass
from shared.vocabulary.recruitment import RecruitmentStatus
from shared.vocabulary.text import fold

# Public status of a trial and of a member state. 6 is the sponsor's halt, 7 the authority's suspension, and 10 is
# revoked by the authority, not ended early by the sponsor: `source_status` keeps the word.
STATUS: Final[Mapping[str, tuple[str, RecruitmentStatus]]] = {
    "1": ("Under evaluation", "in_review"),
    "2": ("Authorised, recruitment pending", "not_yet_recruiting"),
    "3": ("Authorised, recruiting", "recruiting"),
    "4": ("Ongoing, recruiting", "recruiting"),
    "5": ("Ongoing, recruitment ended", "active_not_recruiting"),
    "6": ("Temporarily halted", "suspended"),
    "7": ("Suspended", "suspended"),
    "8": ("Ended", "completed"),
    "9": ("Expired", "expired"),
    "10": ("Revoked", "terminated"),
    "11": ("Not authorised", "refused"),
    "12": ("Cancelled", "withdrawn"),
}
# Until June 2024 the status was words, some of them others than today.
_WORDS: Final[Mapping[str, str]] = {fold(words): code for code, (words, _) in STATUS.items()} | {
    "authorised not started": "2"
}
PHASE: Final[Mapping[str, Phase]] = {
    "1": "phase-1",
    "2": "phase-1",
    "3": "phase-1",
    "4": "phase-2",
    "5": "phase-3",
    "6": "phase-4",
    "7": "phase-1-phase-2",
    "8": "phase-1-phase-2",
    "9": "phase-1-phase-2",
    "10": "phase-2-phase-3",
    "11": "phase-3-phase-4",
}
AGE_GROUP: Final[Mapping[str, ages.Band]] = {
    "1": ages.IN_UTERO,
    "2": ages.MINOR,
    "3": ages.ADULT,
    "4": ages.ELDERLY,
}
AGE_RANGE: Final[Mapping[str, ages.Band]] = {
    "1": ages.PRETERM,
    "2": ages.NEWBORN,
    "3": ages.INFANT,
    "4": ages.CHILD,
    "5": ages.ADOLESCENT,
    "6": ages.ADULT,
    "7": ages.UNTIL_84,
    "8": ages.FROM_85,
}
# The values of `advancedTherapyType` are not published: only its words are read, never a number.
_CLASS_WORDS: Final[tuple[tuple[str, AtmpClass], ...]] = (
    ("gene therapy", "gene_therapy"),
    ("somatic cell", "somatic_cell"),
    ("tissue engineered", "tissue_engineered"),
)


def status_code(raw: str) -> str | None:
    """Return the number of a public status that is written as a number or in words; None if it is unknown."""
    return raw if raw in STATUS else _WORDS.get(fold(raw))


def status_of(raw: str | None) -> RecruitmentStatus | None:
    """Return our status for a public status; None if it is not given or unknown."""
    code = status_code(raw) if raw is not None else None
    return None if code is None else STATUS[code][1]


def status_words(raw: str) -> str:
    """Return a status as the source gives it: the number with its words, or what is written."""
    return f"{raw} {STATUS[raw][0]}" if raw in STATUS else raw


def therapy_class(written: str) -> AtmpClass | None:
    """Return the class that a text names; None for a number or another text."""
    return next((one for words, one in _CLASS_WORDS if words in fold(written)), None)
