"""Stories: what demonstration users do, as data. Reads the files of ``stories/`` and fills in days and references.

A text ``{name}`` is replaced by what an earlier call kept under this name, and ``{today-3}`` or ``{month+2}`` by a day
or a month relative to today.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib import resources
from typing import Any

Texts = Mapping[str, Any]
_PLACE = re.compile(r"\{([a-z_]+)([+-][0-9]+)?\}")
_YEAR = 12


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a demonstration user.

    ``send``: method and path. ``keep``: name → JSON Pointer into the answer. ``replace``: JSON Pointer → value put into
    the answer before it is kept. ``until``: JSON Pointer → values, one of which the answer must have: it is read until
    then.
    """

    user: str
    send: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    keep: Mapping[str, str] = field(default_factory=dict)
    replace: Mapping[str, Any] = field(default_factory=dict)
    until: Mapping[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """What is made in one go, unless it is there.

    It is there if the user ``seen_by`` finds it in the list at ``seen_at``: an item whose members equal those at the
    JSON Pointers ``known_by`` in the body of the first call. Without ``known_by``: if ``seen_at`` answers.
    ``needs``: a setting without which it is left out.
    """

    name: str
    seen_by: str
    seen_at: str
    known_by: Mapping[str, str] | None
    calls: tuple[Call, ...]
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """The stories of one file."""

    title: str
    stories: tuple[Story, ...]


def chapters() -> Iterator[Chapter]:
    """Yield the chapters in their order: later ones build on earlier ones."""
    files = sorted((resources.files(__package__) / "stories").iterdir(), key=lambda file: file.name)
    yield from (_chapter(json.loads(file.read_text("utf-8"))) for file in files if file.name.endswith(".json"))


def _chapter(document: Mapping[str, Any]) -> Chapter:
    return Chapter(document["title"], tuple(_story(one, document) for one in document["stories"]))


def _story(given: Mapping[str, Any], chapter: Mapping[str, Any]) -> Story:
    calls = tuple(_call(one, chapter) for one in given["calls"])
    first = calls[0]
    return Story(
        given["name"],
        given.get("seen_by", chapter.get("seen_by", first.user)),
        given.get("seen_at", chapter.get("seen_at", first.send.partition(" ")[2])),
        given.get("known_by", chapter.get("known_by")),
        calls,
        given.get("needs", ""),
    )


def _call(given: Mapping[str, Any], chapter: Mapping[str, Any]) -> Call:
    """Return a call. A ``step`` is short for a call to the chapter's ``steps_at``, from any version."""
    rest = {name: value for name, value in given.items() if name not in {"as", "step", "at"}}
    if "step" in given:
        body = {**chapter.get("in_steps", {}), **given["step"]}
        path = given.get("at", chapter.get("steps_at"))
        return Call(given["as"], f"POST {path}", body, {"If-Match": "*"}, **rest)
    if rest["send"] == chapter.get("begins_with"):
        rest["body"] = {**chapter["in_first"], **rest["body"]}
    return Call(given["as"], **rest)


def filled(value: Any, kept: Texts, today: date) -> Any:
    """Return a value with the days, months and kept values in the place of their names.

    :raises KeyError: nothing is kept under a name.
    """
    if isinstance(value, Mapping):
        return {name: filled(one, kept, today) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, kept, today) for one in value]
    if not isinstance(value, str):
        return value
    if (whole := _PLACE.fullmatch(value)) is not None:
        return _meant(whole, kept, today)
    return _PLACE.sub(lambda found: str(_meant(found, kept, today)), value)


def _meant(found: re.Match[str], kept: Texts, today: date) -> Any:
    name, shift = found[1], int(found[2] or 0)
    if name == "today":
        return (today + timedelta(days=shift)).isoformat()
    if name == "month":
        months = today.year * _YEAR + today.month - 1 + shift
        return f"{months // _YEAR}-{months % _YEAR + 1:02}"
    return kept[name]


def value_at(document: Any, pointer: str) -> Any:
    """Return the value at a JSON Pointer without escapes; None: there is none."""
    for part in pointer.split("/")[1:]:
        if isinstance(document, list):
            document = document[int(part)]
        else:
            document = document.get(part) if isinstance(document, Mapping) else None
    return document


def with_value(document: Any, pointer: str, value: Any) -> None:
    """Put a value into a document, in the place of that at a JSON Pointer."""
    parent, _, last = pointer.rpartition("/")
    inside = value_at(document, parent)
    inside[int(last) if isinstance(inside, list) else last] = value
