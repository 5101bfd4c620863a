"""The versions of a trial, and what differs between two of them, in words. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from services.portal.pages.formats import Formats
from services.portal.trial_pages.origins import source_word
from services.portal.trial_pages.participation import in_words
from services.portal.trial_pages.reading import HistoryParts
from services.portal.trial_pages.view import title_of

# Of longer texts only the lines that differ are shown.
_LONG = 300
_MAX_LINES = 40
# What names an item of a list; the first one that it has.
_NAMES = ("value", "text", "label", "name", "measure", "facility", "city", "centre", "pmid", "country")


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version: its day, who or what made it, and the fields that it changed."""

    number: int
    at: str
    source: str
    changed: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs: its name, and its lines before and after. No line: it had no value."""

    field: str
    before: list[str]
    after: list[str]


@dataclass(frozen=True, slots=True)
class HistoryView:
    """What the template shows of the history of a trial. ``shown``: the version whose changes are shown."""

    trial: dict[str, Any]
    title: str
    versions: list[VersionLine]
    next: str | None
    shown: int | None
    earlier: int | None
    changes: list[Change]


def history_view(trial: dict[str, Any], parts: HistoryParts, formats: Formats) -> HistoryView:
    """Return what the page of the history shows."""
    diff = parts.diff
    return HistoryView(
        trial=trial,
        title=title_of(trial, formats).text,
        versions=version_lines(parts.versions["items"], formats),
        next=parts.versions["next"],
        shown=diff["to"] if diff else None,
        earlier=diff["from"] if diff and diff["from"] != diff["to"] else None,
        changes=changes_of(diff, formats) if diff else [],
    )


def version_lines(items: Sequence[Mapping[str, Any]], formats: Formats) -> list[VersionLine]:
    """Return the versions as the page lists them."""
    return [
        VersionLine(
            number=one["version"],
            at=one["at"],
            source=source_word(one["source"], formats) if one["source"] else "",
            changed=_fields(one["changed"], formats),
            is_first=one["version"] == 1,
        )
        for one in items
    ]


def changes_of(diff: Mapping[str, Any], formats: Formats) -> list[Change]:
    """Return the differences of two versions."""
    changes = []
    for one in diff["items"]:
        before, after = (_lines(one["path"], one[side], formats) for side in ("before", "after"))
        if sum(map(len, before + after)) > _LONG:
            before, after = _different(before, after)
        changes.append(Change(field_word(one["path"], formats), before[:_MAX_LINES], after[:_MAX_LINES]))
    return changes


def field_word(path: str, formats: Formats) -> str:
    """Return the name of a field; of one without a name that of the group it is in."""
    language = {"fr": "fr", "en": "en"}.get(path.rpartition(".")[2])
    base = path.rpartition(".")[0] if language else path
    known = formats.word("trial_field", base)
    name = known if known != base.replace("_", " ") else formats.word("trial_field", base.partition(".")[0])
    return f"{name} ({language})" if language else name


def _fields(changed: Sequence[str], formats: Formats) -> str:
    return formats.listed(dict.fromkeys(field_word(one, formats) for one in changed)).lower()


def _different(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    changed = [one for one in codes if one[0] != "equal"]
    return (
        [line for _, first, last, _, _ in changed for line in before[first:last]],
        [line for _, _, _, first, last in changed for line in after[first:last]],
    )


def _lines(path: str, value: Any, formats: Formats) -> list[str]:
    """Return a value in words, a line for each item."""
    if value is None or value in ([], {}, ""):
        return []
    if (written := _WRITERS.get(path)) is not None:
        return [written(value, formats)]
    if path.startswith("dates."):
        return [_day(value, formats)]
    if isinstance(value, list):
        return [_item(one, formats) for one in value]
    if isinstance(value, dict):
        given = {key.replace("_", " "): _item(one, formats) for key, one in value.items() if one not in (None, [])}
        return [f"{key}{formats.colon}{one}" for key, one in given.items()]
    return [line for line in _item(value, formats).splitlines() if line.strip()]


def _item(value: Any, formats: Formats) -> str:
    if isinstance(value, bool):
        return {"fr": ("non", "oui"), "en": ("no", "yes")}[formats.language][value]
    if isinstance(value, list):
        return ", ".join(_item(one, formats) for one in value)
    if not isinstance(value, dict):
        return str(value)
    if "fr" in value and "en" in value:
        return formats.label(value)
    name = next((_item(value[key], formats) for key in _NAMES if value.get(key)), "")
    status = formats.word("status", value.get("status"))
    return f"{name} ({status})" if status and name else name or str(value.get("count", ""))


def _day(value: Mapping[str, Any], formats: Formats) -> str:
    kind = formats.word("date_kind", value["type"])
    return formats.day(value["date"]) + (f" ({kind})" if kind else "")


def _criteria(value: Mapping[str, Any], formats: Formats) -> str:
    grade = formats.word("grade", "outdated" if value.get("outdated") else value["grade"])
    return f"version {value['version']}, {grade}"


def _word(group: str) -> Callable[[Any, Formats], str]:
    return lambda value, formats: formats.word(group, value)


_WRITERS: dict[str, Callable[[Any, Formats], str]] = {
    "status": _word("status"),
    "phase": _word("phase"),
    "product.atmp_class": _word("atmp_class"),
    "product.vector": _word("vector"),
    "eligibility.minimum_age": in_words,
    "eligibility.maximum_age": in_words,
    "participation.duration": in_words,
    "participation.follow_up": in_words,
    "eligibility.sex": _word("participants"),
    "criteria": _criteria,
}
