"""Splits an eligibility text in English or French into criteria, by headings, bullets and paragraphs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Literal

Kind = Literal["include", "exclude"]

_BULLET: Final = re.compile(
    r"(?:[*•·▪◦●○‣–—-]|\(?(?:\d{1,2}|[ivx]{1,4}|[a-z])[.)]|\d{1,2}(?:\.\d{1,2}){1,2}\.?|o(?= {1,8}[A-Z]))\s+",
    re.IGNORECASE,
)
_KIND_WORDS: Final = re.compile(
    r"\b(non[- ]?inclusions?|inclusions?|exclusions?|included|excluded|non[- ]?inclus|inclus|exclus)\b", re.IGNORECASE
)
# What may stand beside "inclusion" or "exclusion" in a heading; anything else makes the line a criterion of its own.
_HEADING_WORDS: Final = re.compile(
    r"(?:[\s\W\d]|\b(?:criteria|criterion|crit[eè]res?|for|of|the|de|d|des|du|la|le|les|l|pour|all|key|main|general"
    r"|patients?|subjects?|participants?|donors?|recipients?|adults?|children|cohorts?|parts?|arms?|groups?|phases?"
    r"|study|[eé]tude|and|et|non|are|as|follows|following|include|includes|be|will|sont|suivants?|principaux|additional"
    r"|specific|major|[a-d]|i{1,3}|eligibility|any|this|in|dans|controls?|healthy|volunteers?|screening|treatment"
    r"|only)\b)*",
    re.IGNORECASE,
)
# A parent line that asks for some of its children: the children are not criteria by themselves.
_ALTERNATIVE: Final = re.compile(
    r"\b(?:one|any|either|two|three|1|2|3|at least \w+)\s+(?:\(\w+\)\s+)?(?:or more\s+)?of\b|\beither\s*:|\bor more\b"
    r"|\bl['’]une? des\b|\bau moins (?:un|une|deux)\b|\bdefined (?:as|by)\b|\bd[eé]fini",
    re.IGNORECASE,
)
_ESCAPE: Final = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>~|=^])")


@dataclass(frozen=True, slots=True)
class EligibilityLine:
    """One criterion: its text without markup, after its sub-heading, and the characters it covers, ``[start, end)``.

    ``kind``: None if no heading says whether it includes or excludes.
    """

    kind: Kind | None
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Raw:
    start: int
    end: int
    indent: int
    bullet: bool
    text: str


def eligibility_lines(text: str) -> list[EligibilityLine]:
    """Return the criteria of a text in order.

    Nested bullets stay with their parent, and a sub-heading is repeated before each of its bullets, so no line is lost.
    """
    found: list[EligibilityLine] = []
    kind: Kind | None = None
    subheading: str | None = None
    block: list[_Raw] = []

    def close() -> None:
        if block:
            parts = [*([subheading] if subheading is not None else []), *(raw.text for raw in block)]
            found.append(EligibilityLine(kind, " ".join(parts), block[0].start, block[-1].end))
            block.clear()

    raws = list(_joined(_raw_lines(text)))
    for raw, following in zip_longest(raws, raws[1:]):
        if block and _belongs(raw, block[0]):
            block.append(raw)
            continue
        close()
        heading = _heading(raw.text)
        if heading is not None:
            kind, subheading = (None if heading == "both" else heading), None
            continue
        if not raw.bullet:
            subheading = None
            if raw.text.endswith(":") and following is not None:
                if following.bullet and not _ALTERNATIVE.search(raw.text):
                    subheading = raw.text
                    continue
                if raw.text.isupper():
                    continue
        block.append(raw)
    close()
    return found


def _belongs(raw: _Raw, parent: _Raw) -> bool:
    """Return whether a line is deeper than its parent bullet, or a bullet of a paragraph that asks for some."""
    if parent.bullet:
        return raw.indent > parent.indent and _heading(raw.text) is None and not _is_only_a_heading(parent)
    return raw.bullet and not parent.text.endswith(".") and _ALTERNATIVE.search(parent.text) is not None


def _is_only_a_heading(raw: _Raw) -> bool:
    return _heading(raw.text) is not None


def _raw_lines(text: str) -> Iterator[_Raw]:
    position = 0
    for piece in text.split("\n"):
        stripped = piece.strip()
        if stripped:
            margin = piece[: len(piece) - len(piece.lstrip())]
            bullet = _BULLET.match(stripped)
            body = _ESCAPE.sub(r"\1", stripped[bullet.end() :] if bullet else stripped).strip()
            if body.strip("-–—_=*. "):
                start = position + len(margin)
                yield _Raw(start, start + len(stripped), len(margin.expandtabs(4)), bullet is not None, body)
        position += len(piece) + 1


def _joined(raws: Iterator[_Raw]) -> Iterator[_Raw]:
    """Join lines of hard-wrapped texts: a line that begins in lower case continues an unfinished one."""
    last: _Raw | None = None
    for raw in raws:
        if (
            last is not None
            and not raw.bullet
            and raw.text[0].islower()
            and last.text[-1] not in ".;:?!"
            and raw.indent >= last.indent
        ):
            last = _Raw(last.start, raw.end, last.indent, last.bullet, f"{last.text} {raw.text}")
            continue
        if last is not None:
            yield last
        last = raw
    if last is not None:
        yield last


def _heading(line: str) -> Literal["include", "exclude", "both"] | None:
    """Return the kind of criteria that a heading announces; None if the line is no such heading."""
    kinds = {"exclude" if word.lower().startswith(("non", "excl")) else "include" for word in _KIND_WORDS.findall(line)}
    if not kinds or len(line) > 120 or not _HEADING_WORDS.fullmatch(_KIND_WORDS.sub("", line)):
        return None
    if len(kinds) == 2:
        return "both"
    return "exclude" if "exclude" in kinds else "include"
