"""Where the facts of a trial come from, by the part of the page that shows them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.portal.pages.formats import Formats

# part of the page → the fields that it shows
PARTS = {
    "summary": ("titles", "official_titles", "summary", "acronym"),
    "facts": ("conditions", "product", "phase", "study_type", "design", "arms", "sponsor", "contact", "identifiers"),
    "sites": ("sites", "locations", "countries"),
    "criteria": ("eligibility", "cohorts"),
    "participation": ("participation",),
    "dates": ("dates", "status", "source_status", "why_stopped", "enrolment"),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Fields that one source gave: its name, its record there, and its own date."""

    fields: str
    source: str
    record: str
    dated: str


Origins = dict[str, list[Origin]]


def origins_of(items: Sequence[Mapping[str, Any]], formats: Formats) -> Origins:
    """Return the sources of each part of the page."""
    return {
        part: _grouped([one for one in items if _field(one["path"]) in fields], formats)
        for part, fields in PARTS.items()
    }


def source_word(source: str, formats: Formats) -> str:
    """Return the name of a source: ``partner:pedstart`` is the partner network ``pedstart``."""
    kind, _, name = source.partition(":")
    word = formats.word("source", kind)
    return f"{word} ({name})" if name else word


def _grouped(items: Sequence[Mapping[str, Any]], formats: Formats) -> list[Origin]:
    groups: dict[tuple[str, str, str], list[str]] = {}
    for one in items:
        # The record of what a centre declared is the centre; each has its own date beside its status.
        is_declared = one["source"] == "declared"
        key = (one["source"], "" if is_declared else one["source_id"] or "", "" if is_declared else one["dated"] or "")
        name = formats.word("trial_field", _field(one["path"]))
        if name not in groups.setdefault(key, []):
            groups[key].append(name)
    return [
        Origin(", ".join(names), source_word(source, formats), record, formats.day(dated))
        for (source, record, dated), names in groups.items()
    ]


def _field(path: str) -> str:
    return path.replace("/", ".").partition(".")[0]
