"""The criteria of a trial in words. Pure."""

from dataclasses import dataclass
from typing import Any

from services.portal.pages.formats import Formats
from services.portal.trial_pages.reading import TrialParts


@dataclass(frozen=True, slots=True)
class CriterionLine:
    """One criterion.

    ``text``: as the author wrote it; ``lang``: its language, where it was copied from an English source. ``sentence``:
    generated from what is computed, if that differs. ``quoted``: the part of the register's text that it comes from, if
    that differs. ``cohorts``: for which it counts; none: for all.
    """

    id: str
    text: str
    lang: str | None
    sentence: str
    quoted: str
    reference: str
    cohorts: list[str]
    discretion: bool
    by_investigator: bool


@dataclass(frozen=True, slots=True)
class CriteriaView:
    """The criteria by kind, with who vouches for them: ``signed``, ``registry`` or ``outdated``."""

    grade: str
    version: int | None
    signed_at: str | None
    source_version: str | None
    illustrative: bool
    include: list[CriterionLine]
    exclude: list[CriterionLine]
    unclear: list[CriterionLine]
    source_text: str | None


def criteria_view(parts: TrialParts, formats: Formats) -> CriteriaView:
    """Return the criteria of a trial that has some."""
    document = parts.criteria
    assert document is not None
    head = parts.trial["criteria"] or {}
    names = {one["id"]: formats.label(one["label"]) for one in document["cohorts"]}
    text = parts.trial["eligibility"]["text"]
    lines: dict[str, list[CriterionLine]] = {"include": [], "exclude": [], "unclear": []}
    for one in document["criteria"]:
        said = formats.label(parts.sentences.get(one["id"]))
        lines[one["kind"]].append(_line(one, said, text, names, formats))
    return CriteriaView(
        grade="outdated" if head.get("outdated") else document["grade"],
        version=document.get("version"),
        signed_at=document.get("signed_at"),
        source_version=document.get("source_version"),
        illustrative=document["illustrative"],
        include=lines["include"],
        exclude=lines["exclude"],
        unclear=lines["unclear"],
        source_text=text,
    )


def _line(
    criterion: dict[str, Any], sentence: str, text: str | None, names: dict[str, str], formats: Formats
) -> CriterionLine:
    source = criterion.get("source") or {}
    first, last = source.get("span") or (0, 0)
    written = formats.label(criterion.get("text"))
    quoted = (text or "")[first:last].strip()
    is_same = _folded(written) == _folded(sentence)
    return CriterionLine(
        id=criterion["id"],
        text=written or sentence,
        lang="en" if quoted and formats.language == "fr" and _folded(quoted) == _folded(written) else None,
        sentence="" if is_same or not written else sentence,
        quoted="" if _folded(quoted) == _folded(written) else quoted,
        reference=source.get("ref", ""),
        cohorts=[names.get(one, one) for one in criterion.get("cohorts") or ()],
        discretion=criterion["discretion"],
        by_investigator=criterion["stage"] == "consent" or criterion["expr"].get("role") == "investigator",
    )


def _folded(text: str) -> str:
    return text.strip().rstrip(".").casefold()
