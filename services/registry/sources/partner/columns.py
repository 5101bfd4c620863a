"""The columns of a partner's file (``columns.json``, reviewed data): names in both languages, and words for codes."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

from shared.values.wire import Label
from shared.vocabulary.text import without_accents

_NOT_WORDS: Final = re.compile(r"[^a-z0-9]+")
# Between two values of one cell.
BAR: Final = "|"


@dataclass(frozen=True, slots=True)
class Column:
    """A column. ``name``: also the member of an NDJSON record. ``many``: it takes several values.

    ``values``: codes by the words for them, in the form of `folded`. ``example``: a value, or a list of them.
    """

    name: str
    label: Label
    about: Label
    many: bool = False
    example: Any = None
    values: Mapping[str, str] = field(default_factory=dict)


@cache
def columns() -> Mapping[str, Column]:
    """Return the columns by name, in the order of the example file."""
    return {
        row["name"]: Column(
            row["name"],
            Label(fr=row["fr"], en=row["en"]),
            Label(**row["about"]),
            row.get("many", False),
            row["example"],
            {folded(word): code for code, words in row.get("values", {}).items() for word in (code, *words)},
        )
        for row in _rows()
    }


@cache
def _rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((resources.files(__package__) / "columns.json").read_text("utf-8"))
    return rows


@cache
def _names() -> Mapping[str, str]:
    """Return the names of columns by each heading that they may have, in the form of `folded`."""
    return {
        folded(heading): row["name"]
        for row in _rows()
        for heading in (row["name"], row["fr"], row["en"], *row.get("aliases", ()))
    }


def folded(text: str) -> str:
    """Return a heading or a word without case, accents and punctuation."""
    return _NOT_WORDS.sub(" ", without_accents(text).lower()).strip()


@dataclass(frozen=True, slots=True)
class Headings:
    """The headings of a file. ``known``: of each column the heading that the partner wrote; ``places``: where it is.

    ``unknown``: headings of no column; ``repeated``: those of a column that an earlier heading named.
    """

    known: Mapping[str, str]
    places: Mapping[str, int]
    unknown: Sequence[str] = ()
    repeated: Sequence[str] = ()


@lru_cache(64)
def headings(given: tuple[str, ...]) -> Headings:
    """Recognise the headings of a file, in the order of its columns. Most lines of NDJSON have the same ones."""
    known: dict[str, str] = {}
    places: dict[str, int] = {}
    unknown, repeated = [], []
    for place, written in enumerate(given):
        name = _names().get(folded(written))
        if name is None:
            if written.strip():
                unknown.append(written.strip()[:100])
        elif name in known:
            repeated.append(written.strip()[:100])
        else:
            known[name], places[name] = written.strip(), place
    return Headings(known, places, unknown, repeated)
