"""Maps the coded values of ClinicalTrials.gov v2 to the registry's codes."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final, TypeVar

from services.registry.model.trial import (
    ActualOrEstimated,
    Phase,
    SponsorKind,
    StudyType,
    TrialSex,
)
from services.registry.sources.reading import Section
from services.registry.terminology.phrases import normalise
from shared.vocabulary.recruitment import RecruitmentStatus

Code = TypeVar("Code")

STATUS: Final[Mapping[str, RecruitmentStatus]] = {
    "NOT_YET_RECRUITING": "not_yet_recruiting",
    "RECRUITING": "recruiting",
    "ENROLLING_BY_INVITATION": "enrolling_by_invitation",
    "ACTIVE_NOT_RECRUITING": "active_not_recruiting",
    "SUSPENDED": "suspended",
    "COMPLETED": "completed",
    "TERMINATED": "terminated",
    "WITHDRAWN": "withdrawn",
    "UNKNOWN": "unknown",
    # Expanded access. A product on the market is no longer available this way.
    "AVAILABLE": "available",
    "NO_LONGER_AVAILABLE": "no_longer_available",
    "TEMPORARILY_NOT_AVAILABLE": "suspended",
    "APPROVED_FOR_MARKETING": "no_longer_available",
    "WITHHELD": "unknown",
}
STUDY_TYPE: Final[Mapping[str, StudyType]] = {
    "INTERVENTIONAL": "interventional",
    "OBSERVATIONAL": "observational",
    "EXPANDED_ACCESS": "expanded_access",
}
SEX: Final[Mapping[str, TrialSex]] = {"ALL": "all", "MALE": "male", "FEMALE": "female"}
DATE_TYPE: Final[Mapping[str, ActualOrEstimated]] = {
    "ACTUAL": "actual",
    "ESTIMATED": "estimated",
    "ANTICIPATED": "estimated",
}
PHASE: Final[Mapping[tuple[str, ...], Phase]] = {
    ("NA",): "n-a",
    ("EARLY_PHASE1",): "early-phase-1",
    ("PHASE1",): "phase-1",
    ("PHASE1", "PHASE2"): "phase-1-phase-2",
    ("PHASE2",): "phase-2",
    ("PHASE2", "PHASE3"): "phase-2-phase-3",
    ("PHASE3",): "phase-3",
    ("PHASE3", "PHASE4"): "phase-3-phase-4",
    ("PHASE4",): "phase-4",
}
SPONSOR_KIND: Final[Mapping[str, SponsorKind]] = {
    "INDUSTRY": "industry",
    "NIH": "other",
    "FED": "other",
    "OTHER_GOV": "other",
    "INDIV": "other",
    "NETWORK": "other",
}
_ACADEMIC: Final = re.compile(
    r"\b(?:universit\w*|hospital|hospitalier|hopital|hopitaux|hospice|chu|chru|assistance publique|clinic|college"
    r"|institute?|school|academy|medical center)\b"
)
_UNITS: Final = {"year": "Y", "month": "M", "week": "W", "day": "D"}
_AGE: Final = re.compile(r"([0-9]{1,4})\s+(year|month|week|day|hour|minute)s?", re.IGNORECASE)
_DATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


def look_up(section: Section, key: str, table: Mapping[str, Code]) -> Code | None:
    """Return the registry's code of a coded value; None if it is absent or, with a warning, unknown.

    Case and spaces do not matter.
    """
    written = section.line(key, 200)
    if written is None:
        return None
    code = table.get(re.sub(r"[\s,]+", "_", written).upper())
    if code is None:
        section.reader.warn(f"{section.pointer}/{key}", "unknown_code", "code inconnu", "unknown code")
    return code


def phase(design: Section) -> Phase | None:
    """Return the phase for an array of phases in any order."""
    given = design.lines("phases", 200, 10)
    if not given:
        return None
    found = PHASE.get(tuple(sorted({text.upper().replace(" ", "") for _, text in given})))
    if found is None:
        design.reader.warn(
            f"{design.pointer}/phases",
            "unknown_code",
            "combinaison de phases inconnue",
            "unknown combination of phases",
        )
    return found


def sponsor_kind(sponsor_class: str | None, name: str) -> SponsorKind | None:
    """Return the kind of a sponsor: by its class, or by its name if the class is "other" or absent."""
    if sponsor_class is not None and sponsor_class in SPONSOR_KIND:
        return SPONSOR_KIND[sponsor_class]
    if _ACADEMIC.search(normalise(name)):
        return "academic"
    return "other" if sponsor_class == "OTHER" else None


def age(module: Section, key: str) -> str | None:
    """Return an age ("6 Months") as an ISO 8601 duration. Hours and minutes are rounded down to days."""
    written = module.line(key, 200)
    if written is None or written.upper() in {"N/A", "NA", "NONE"}:
        return None
    found = _AGE.fullmatch(written)
    if found is None:
        module.reader.warn(
            f"{module.pointer}/{key}",
            "age_form",
            "un âge est un nombre suivi d'une unité",
            "an age is a number and a unit",
        )
        return None
    count, unit = int(found[1]), found[2].lower()
    if unit in {"hour", "minute"}:
        return f"P{count // (24 if unit == 'hour' else 24 * 60)}D"
    if unit == "year" and count > 999:
        module.reader.warn(f"{module.pointer}/{key}", "age_form", "au plus 999 ans", "at most 999 years")
        return None
    return f"P{count}{_UNITS[unit]}"


def partial_date(section: Section, key: str) -> str | None:
    """Return a date to the year, month or day; None if it is absent or, with a warning, malformed."""
    written = section.line(key, 200)
    if written is None:
        return None
    found = _DATE.fullmatch(written)
    if found is None or not _exists(int(found[1]), int(found[2] or 1), int(found[3] or 1)):
        section.reader.warn(
            f"{section.pointer}/{key}",
            "date_form",
            "une date réelle s'écrit AAAA, AAAA-MM ou AAAA-MM-JJ",
            "an existing date is written YYYY, YYYY-MM or YYYY-MM-DD",
        )
        return None
    return written


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
