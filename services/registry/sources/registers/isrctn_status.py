"""The recruitment status of an ISRCTN record: a stop, else what its dates say on the day of its retrieval."""

from collections.abc import Mapping
from typing import Final

from services.registry.sources.reading import Section
from services.registry.sources.registers.dates import latest, partial_date
from services.registry.sources.registers.phases import unknown_code
from shared.vocabulary.recruitment import RecruitmentStatus

OVERRIDES: Final[Mapping[str, RecruitmentStatus]] = {
    "stopped": "terminated",
    "suspended": "suspended",
    "no longer recruiting": "active_not_recruiting",
    "not yet recruiting": "not_yet_recruiting",
    "recruiting": "recruiting",
    "enrolling by invitation": "enrolling_by_invitation",
    "completed": "completed",
}
_OVERRIDE_KEYS: Final = (
    ("trialDesign", "overallStatusOverride"),
    ("participants", "recruitmentStatusOverride"),
    ("participants", "recruitmentStartStatusOverride"),
)


def retrieved(top: Section) -> str | None:
    """Return the day on which the record was retrieved; None if it is not known."""
    return partial_date(top, "retrieved") or partial_date(top, "record_last_import")


def status(top: Section) -> tuple[RecruitmentStatus | None, str | None]:
    """Return the status and the source's word for it; None and the word, with a warning, if it is not known.

    Where only the day of the last update is known, time has passed since: then no date says that a trial recruits.
    """
    for name, key in _OVERRIDE_KEYS:
        section = top.section(name)
        written = section.line(key, 200)
        if written is not None:
            if written.lower() not in OVERRIDES:
                unknown_code(section, key)
            return OVERRIDES.get(written.lower()), written
    people = top.section("participants")
    start, end = partial_date(people, "recruitmentStart"), partial_date(people, "recruitmentEnd")
    if start is None:
        return None, None
    words = f"recruitment {start} to {end or '?'}"
    over = latest(end, partial_date(top.section("trialDesign"), "overallEndDate"))
    asked = retrieved(top)
    day = asked or partial_date(top, "lastUpdated") or ""
    if over is not None and end is not None and over < day:
        return "completed", f"{words}, end {over}"
    if end is not None and end < day:
        return "active_not_recruiting", words
    if asked is None:
        return "unknown", words
    return "not_yet_recruiting" if asked < start else "recruiting" if end is not None else "unknown", words
