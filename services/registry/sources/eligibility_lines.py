"""Splits an eligibility text in English or French into criteria, by its headings, lists and paragraphs."""

import re
from dataclasses import dataclass, replace
from typing import Final

from services.registry.sources.eligibility_headings import (
    STARTERS,
    Heading,
    HeadingKind,
    Kind,
    OwnKind,
    heading,
    is_population,
    own_kind,
)
from services.registry.sources.eligibility_pieces import Piece, PieceCutter
from shared.vocabulary.text import without_accents

__all__ = ["EligibilityLine", "Kind", "eligibility_lines"]

# A parent line that asks for some of its children: the children are not criteria by themselves.
_ALTERNATIVE: Final = re.compile(
    r"\b(?:one|any|either|two|three|1|2|3|at least \w+)\s+(?:\(\w+\)\s+)?(?:or more\s+)?of\b|\beither\s*:|\bor more\b"
    r"|\bl['’]une? des\b|\bau moins (?:un|une|deux)\b|\bdefined (?:as|by)\b|\bd[eé]fini|\bsoit\b"
    r"|\b(?:unless|except\w*|other than|sauf|hormis)\b",
    re.IGNORECASE,
)
# A parent line of exclusions that asks for all of its children together.
_TOGETHER: Final = re.compile(
    r"\b(?:all of|both|combination|tous les|toutes les|les deux|at least (?:two|three|2|3)|au moins (?:deux|trois))\b",
    re.IGNORECASE,
)
_EACH: Final = re.compile(r"\b(?:must|have to|all of the following|doi(?:t|vent)|tous les|toutes les)\b", re.IGNORECASE)
# A title of one of these lists what a patient may have: an alternative, not requirements.
_CHOICE: Final = re.compile(
    r"\b(?:diagnos[ie]s|diagnostics?|diseases?|maladies?|types?|stages?|stades?|status|histolog\w+|genotypes?|g[ée]notypes?"
    r"|sub-?types?|conditions?|indications?|categor\w+|forms?|formes?|mutations?)\b[^:]*:$",
    re.IGNORECASE,
)
_OPEN_END: Final = re.compile(
    r"\b(?:for|of|with|as|by|in|to|have|has|had|is|are|be|confirmed|following|below|includ\w+|either|or|and|from|than|on|at"
    r"|who|that|avec|de|par|pour|comme|dans|suivant\w*|dessous|ou|et|confirm\w+)\s*:$",
    re.IGNORECASE,
)
_ONLY_LINK: Final = re.compile(r"\W*(?:and\s*/?\s*or|or|and|et\s*/?\s*ou|ou|et)\W*", re.IGNORECASE)
_ENDS_OR: Final = re.compile(r"(?:^|[\s,;(])(?:and/or|or|et/ou|ou)\s*:?$", re.IGNORECASE)
_ENDS_AND: Final = re.compile(r"[^,;.]\s+(?:and|et)$", re.IGNORECASE)
_CAPITALS: Final = re.compile(r"(?:^|\s)(?:OR|AND|AND/OR|OU|ET|ET/OU)$")
_TITLE_WORDS: Final = 8


@dataclass(frozen=True, slots=True)
class EligibilityLine:
    """One criterion: its text without markup, after its sub-headings, and the characters it covers, ``[start, end)``.

    ``kind``: None if nothing says whether it includes or excludes.
    """

    kind: Kind | None
    text: str
    start: int
    end: int


def eligibility_lines(text: str) -> list[EligibilityLine]:
    """Return the criteria of a text in order.

    Details of a criterion stay with it, and a sub-heading is repeated before each of its criteria, so no word is lost.
    """
    return _Splitter(text).run()


@dataclass(slots=True)
class _Title:
    """Words of a heading, or before it, that criteria repeat ("Cohort 2"). ``used``: one does."""

    piece: Piece
    words: str
    used: bool = False


@dataclass(slots=True)
class _Context:
    """A sub-heading and where it ends.

    ``kind``: of its list, where it is not that of the section. ``hidden``: it has no words of its own to repeat.
    ``glued``: the list is one criterion, because it may be a choice. ``endless``: it is flat, and nothing says where it
    ends. ``used``: a criterion repeats it.
    """

    parent: Piece
    first: Piece
    before: Piece | None
    kind: HeadingKind | None = None
    hidden: bool = False
    glued: bool = False
    endless: bool = False
    used: bool = False

    def contains(self, piece: Piece) -> bool:
        """Return whether a piece still belongs to the list under the sub-heading."""
        parent, first = self.parent, self.first
        if first.indent > parent.indent:
            return piece.indent > parent.indent
        if piece.indent > first.indent:
            return True
        if self.endless:
            return piece.bullet
        if not first.bullet:
            return not piece.bullet
        if not piece.bullet or (piece.indent < first.indent):
            return False
        if not parent.bullet:
            before = self.before
            resumes = (
                before is not None and before.bullet and before.style != first.style and piece.style == before.style
            )
            return not resumes
        if first.style != parent.style:
            return piece.style == first.style
        # A flat list does not say where the sub-heading ends: at a line that begins as criteria do.
        return piece == first or not _starts_criterion(piece.text)


class _Splitter:
    """Goes once through the pieces of a text."""

    def __init__(self, text: str) -> None:
        self._cutter = PieceCutter(text)
        self._found: list[tuple[HeadingKind | None, EligibilityLine]] = []
        self._section: HeadingKind | None = None
        self._seen: set[HeadingKind] = set()
        self._qualifier: _Title | None = None
        self._population: _Title | None = None
        self._title: _Title | None = None
        self._next_title: _Title | None = None
        self._contexts: list[_Context] = []
        self._block: list[Piece] = []
        self._item: Piece | None = None
        self._previous: Piece | None = None

    def run(self) -> list[EligibilityLine]:
        waiting = self._cutter.pieces()
        while waiting:
            piece = waiting.pop(0)
            following = waiting[0] if waiting else None
            waiting[:0] = self._take(piece, following)
        self._end_contexts(0)
        for title in (self._population, self._title, self._next_title, self._qualifier):
            self._keep(title)
        return self._with_kinds()

    def _take(self, piece: Piece, following: Piece | None) -> list[Piece]:
        """Take the next piece. Return what must be read before the next one: the rest of a heading's line."""
        follows = following is not None and (following.indent > piece.indent or (following.bullet and not piece.bullet))
        found = heading(piece.text, bullet=piece.bullet, follows=follows)
        if found is not None and not (self._block and _ONLY_LINK.fullmatch(piece.text)):
            return self._open_section(piece, found, following)
        if self._goes_on(piece):
            self._block.append(piece)
            return []
        while self._contexts and not self._contexts[-1].contains(piece):
            self._end_contexts(len(self._contexts) - 1)
        introduces = _introduces(piece, following)
        if self._continues(piece, following, introduces=introduces):
            self._block.append(piece)
            return []
        self._close()
        if introduces and following is not None:
            self._open_context(piece, following)
        elif not piece.bullet and self._is_before_heading(following) and is_population(piece.text):
            self._keep(self._population)
            self._population = _Title(piece, piece.text)
        elif not piece.bullet and self._is_before_heading(following) and piece.text.endswith(":"):
            self._keep(self._next_title)
            self._next_title = _Title(piece, piece.text)
        else:
            self._block, self._item = [piece], piece
        return []

    def _open_section(self, piece: Piece, found: Heading, following: Piece | None) -> list[Piece]:
        nested = piece.bullet and following is not None and following.indent > piece.indent
        rest = self._cutter.after_heading(piece, found.end) if piece.text[found.end :].strip() else []
        self._close()
        if found.title or not piece.bullet or self._section in {None, found.kind}:
            self._section = found.kind
            self._seen.add(found.kind)
            self._end_contexts(0)
            self._keep(self._title)
            self._title, self._next_title = self._next_title, None
            self._keep(self._qualifier)
            self._qualifier = None if found.qualifier is None else _Title(piece, found.qualifier)
        elif following is not None:
            # A sentence inside a list: its kind counts for the list below it. A flat list does not say how far.
            kind: HeadingKind = found.kind if nested else "either"
            self._contexts.append(_Context(piece, following, None, kind, hidden=nested, endless=not nested))
        if rest and following is not None and following.bullet and len(rest) == 1 and _is_open(rest[0].text):
            self._contexts.append(_Context(replace(rest[0], style=""), following, None))
            return []
        return rest

    @staticmethod
    def _is_before_heading(following: Piece | None) -> bool:
        return following is not None and heading(following.text, bullet=following.bullet) is not None

    def _open_context(self, piece: Piece, following: Piece) -> None:
        before = self._contexts[-1] if self._replaces(piece) else None
        if before is not None:
            self._end_contexts(len(self._contexts) - 1)
        last = self._previous if before is None else before.before
        own = own_kind(piece.text)
        stated = _stated(own, self._kind_here())
        glued = _is_choice(piece.text, stated)
        kind = None if own is None else stated
        if kind is not None and piece.bullet and following.indent <= piece.indent:
            kind = "either"
        self._contexts.append(_Context(piece, following, last, None if glued else kind, glued=glued))
        if glued:
            self._block, self._item = [piece], piece

    def _replaces(self, piece: Piece) -> bool:
        """Return whether a sub-heading ends the one before it, which a flat list cannot say by its indents."""
        if not self._contexts:
            return False
        top = self._contexts[-1]
        return top.first.indent <= top.parent.indent and piece.indent <= top.first.indent

    def _goes_on(self, piece: Piece) -> bool:
        """Return whether "or" or "and" at the end of the item before, or as an item of its own, joins the two."""
        if not self._block or piece.indent < self._block[0].indent:
            return False
        return _ONLY_LINK.fullmatch(piece.text) is not None or _joins(self._block[-1].text, self._kind_here())

    def _continues(self, piece: Piece, following: Piece | None, *, introduces: bool) -> bool:
        """Return whether a piece is a part of the criterion before it."""
        if not self._block or self._item is None:
            return False
        last = self._block[-1].text
        if self._contexts and self._contexts[-1].glued and self._block[0] == self._contexts[-1].parent:
            return not (introduces and piece.indent <= self._contexts[-1].first.indent)
        if not piece.bullet and self._item.bullet and last.endswith(":") and not introduces:
            return True
        deeper = piece.indent > self._item.indent and self._item.bullet
        below = following is not None and following.bullet and following.indent <= self._item.indent
        return deeper and not (introduces and not piece.bullet and below)

    def _kind_here(self) -> HeadingKind | None:
        stated = next((context.kind for context in reversed(self._contexts) if context.kind is not None), None)
        return stated if stated is not None else self._section

    def _close(self) -> None:
        """Add the criterion that is being read."""
        if not self._block:
            return
        prefix: list[str] = []
        for title in (self._population, self._title, self._qualifier):
            if title is not None:
                title.used = True
                prefix.append(title.words)
        for context in self._contexts:
            context.used = True
            if context.parent not in self._block and not context.hidden:
                prefix.append(context.parent.text)
        words = " ".join([*map(_introduction, prefix), *(piece.text for piece in self._block)])
        whole = len(self._block) == 1 or (self._contexts and self._contexts[-1].parent == self._block[0])
        own = own_kind(self._block[0].text) if whole else None
        line = EligibilityLine(None, words, self._block[0].start, self._block[-1].end)
        self._found.append((_stated(own, self._kind_here()), line))
        self._block, self._item, self._previous = [], None, self._item

    def _end_contexts(self, most: int) -> None:
        """End the innermost sub-headings until ``most`` are left. One that had no list is a criterion itself."""
        self._close()
        while len(self._contexts) > most:
            context = self._contexts.pop()
            if not context.used and not context.hidden:
                self._block = [context.parent]
                self._close()

    def _keep(self, title: _Title | None) -> None:
        """Keep words that no criterion repeated."""
        if title is not None and not title.used:
            piece = title.piece
            self._found.append(("either", EligibilityLine(None, title.words, piece.start, piece.end)))

    def _with_kinds(self) -> list[EligibilityLine]:
        """Return the criteria with their kinds, now that all headings are known.

        "Eligibility criteria" beside "Exclusion criteria", and a list before the only heading "Exclusion criteria",
        are inclusions.
        """
        implied: Kind | None = "include" if "exclude" in self._seen and "include" not in self._seen else None
        lines = []
        for stated, line in sorted(self._found, key=lambda found: found[1].start):
            kind: Kind | None = None
            if stated == "include" or stated == "exclude":  # noqa: PLR1714 - mypy narrows only this form
                kind = stated
            elif stated == "eligibility" or (stated is None and "either" not in self._seen):
                kind = implied
            lines.append(replace(line, kind=kind))
        return lines


def _stated(own: OwnKind | None, here: HeadingKind | None) -> HeadingKind | None:
    """Return the kind of a criterion from what it says itself and what the headings above it say."""
    if own == "exclude":
        return "exclude"
    if own == "include":
        return "either" if here == "exclude" else "include"
    return here if own is None else "either"


def _introduction(words: str) -> str:
    return words if words.endswith(":") or _OPEN_END.search(words + ":") else f"{words}:"


def _introduces(piece: Piece, following: Piece | None) -> bool:
    """Return whether a piece is the sub-heading of the list that follows."""
    if following is None or heading(following.text, bullet=following.bullet) is not None:
        return False
    deeper = following.indent > piece.indent
    if piece.text.endswith(":"):
        if piece.bullet and not deeper:
            numbered = piece.number is not None or piece.style in {"a", "code", "dotted"}
            return following.bullet and not (numbered and following.style == piece.style)
        return following.bullet or not piece.bullet
    short = not piece.bullet and len(piece.text.split()) <= _TITLE_WORDS - 2 and piece.text[-1] not in ".;,!?"
    return following.bullet and not piece.inline and (short or (not piece.bullet and _is_alternative(piece.text)))


def _is_alternative(text: str) -> bool:
    return not text.endswith(".") and _ALTERNATIVE.search(text) is not None


def _is_choice(text: str, kind: HeadingKind | None) -> bool:
    """Return whether the list under a sub-heading is one criterion: a choice, or conditions that count together.

    Each item of an exclusion excludes. An item of an inclusion is required by itself only under a plain title ("Renal
    function:") or a "must": asked alone, an alternative would exclude the patients who have another one.
    """
    if _ALTERNATIVE.search(text):
        return True
    if kind == "exclude":
        return _TOGETHER.search(text) is not None
    if _EACH.search(text):
        return False
    return _OPEN_END.search(text) is not None or _CHOICE.search(text) is not None or len(text.split()) > _TITLE_WORDS


def _is_open(text: str) -> bool:
    """Return whether the words after a heading need the list below them: "Exclusion Criteria: patients with"."""
    return _OPEN_END.search(text.rstrip(" :") + ":") is not None or text.endswith(":")


def _joins(text: str, kind: HeadingKind | None) -> bool:
    """Return whether a criterion goes on in the next item: "A, or" of inclusions, "A and" of exclusions."""
    if _ONLY_LINK.fullmatch(text) or _CAPITALS.search(text):
        return True
    return (_ENDS_AND if kind == "exclude" else _ENDS_OR).search(text) is not None


def _starts_criterion(text: str) -> bool:
    words = without_accents(text[:40]).split()
    return text.endswith(":") or not words[0][0].isalpha() or words[0].strip(",;:.()") in STARTERS
