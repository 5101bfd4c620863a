"""Cuts an eligibility text into pieces: lines, items of lists in any notation, and headings inside a line.

The text may be plain, Markdown or HTML. Every piece knows the characters it covers.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from typing import Final

from services.registry.sources.eligibility_headings import inner_headings

# Characters of markup become this one: the text keeps its length, so places in it stay valid.
GAP: Final = "\0"
_SPACE: Final = r"[\s\x00]"
_SYMBOLS: Final = "•▪◦●○‣➢➤►▶✓✔❖◆■□"
_MARKER: Final = re.compile(
    rf"(?P<symbol>[*{_SYMBOLS}·–—-]){_SPACE}+"
    rf"|(?P<strong>[{_SYMBOLS}]|[-–](?=[^\W\d_]))"
    rf"|(?P<dotted>\d{{1,2}}(?:\.\d{{1,2}}){{1,2}}\.?){_SPACE}+"
    rf"|[([]?(?P<number>\d{{1,2}})\s?(?:[.)\]/]|°\)?|(?=[-–]{_SPACE})[-–])(?:{_SPACE}+|(?=[^\W\d_]))"
    rf"|[([]?(?P<letter>[a-z]|[ivx]{{1,4}})[.)\]]{_SPACE}+"
    rf"|(?P<code>[IE][CN]?\s?\d{{1,2}})\s?[.):]{_SPACE}+"
    rf"|(?P<round>o)(?={_SPACE}{{1,8}}[A-Z])",
    re.IGNORECASE,
)
_TAG: Final = re.compile(r"<\s*(/?)\s*([a-z]+[1-6]?)\b[^<>]{0,200}>", re.IGNORECASE)
_BLOCKS: Final = frozenset(
    ("br", "p", "div", "li", "ul", "ol", "tr", "td", "th", "table", "hr", *(f"h{n}" for n in "123456"))
)
_INLINE: Final = frozenset(("b", "strong", "i", "em", "u", "span", "font", "sup", "sub", "a", "small"))
_ESCAPE: Final = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>~|=^])")
_RULE: Final = re.compile(r"[-–—_=*.#\s\x00]*")
_SENTENCE_END: Final = re.compile(rf"(?<=[.!?。]){_SPACE}+(?=[^a-zà-ÿ\s\x00])|;{_SPACE}+(?=\S)")
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(])(?:e\.?g|i\.?e|vs|approx|no|nr|dr|pr|st|cf|ex|p|resp|incl|excl|max|min|wk|mo|yr|etc)\.$",
    re.IGNORECASE,
)
# A sentence that begins so speaks of the one before.
_CONTINUES: Final = re.compile(
    r"(?:this|these|those|it|they|such|however|note|except|unless|if so|in this case|he|she|ce|cela|ces|cette|ils?"
    r"|elles?|toutefois|cependant|sauf)\b",
    re.IGNORECASE,
)
_WIDEST: Final = 110
_FEW_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: an item of a list, a paragraph or a heading.

    ``body``: where its text begins, after the bullet. ``style``: the notation of its bullet ("-", "1", "a"), "" for
    none. ``number``: of a numbered item. ``text``: without markup. ``inline``: it follows a heading on the same line.
    """

    start: int
    body: int
    end: int
    indent: int
    style: str
    number: int | None
    text: str
    inline: bool = False

    @property
    def bullet(self) -> bool:
        """Whether it is an item of a list."""
        return bool(self.style)


class PieceCutter:
    """Cuts one text."""

    def __init__(self, text: str) -> None:
        self._view, self._indents = _without_markup(text)

    def pieces(self) -> list[Piece]:
        """Return the pieces in order. Together they cover every word."""
        view = self._view
        lines = list(_lines(view, self._indents))
        dense = len(lines) <= _FEW_LINES and not any(line.bullet for line in lines)
        found: list[Piece] = []
        for line, following in zip_longest(lines, lines[1:]):
            for part in _at_marks(view, line, following, dense=dense):
                found.extend(_sentences(view, part) if dense and len(lines) == 1 and not part.bullet else [part])
        return found

    def after_heading(self, piece: Piece, length: int) -> list[Piece]:
        """Return the pieces of what follows a heading on its line. ``length``: of the heading, in ``piece.text``."""
        rest = _piece(self._view, _place(self._view, piece, length), piece.end, piece.indent)
        if rest is None:
            return []
        found: list[Piece] = []
        for part in _at_marks(self._view, rest, None, dense=True):
            found.extend([part] if part.bullet else _sentences(self._view, part))
        return [replace(part, inline=True) for part in found]


def _without_markup(text: str) -> tuple[str, dict[int, int]]:
    """Return a text of the same length without Markdown escapes and HTML tags, and the indents of HTML items."""
    view = _ESCAPE.sub(lambda found: found.group(1) + GAP, text)
    view = view.replace("\r", "\n").replace("\xa0", " ").replace("：", ":").replace("；", ";")
    view = view.replace("**", GAP * 2).replace("__", GAP * 2)
    if "<" not in view:
        return view, {}
    depth = 0
    indents: dict[int, int] = {}
    parts: list[str] = []
    end = 0
    for tag in _TAG.finditer(view):
        closing, name = tag.group(1), tag.group(2).lower()
        length = tag.end() - tag.start()
        if name in _BLOCKS:
            new = "\n"
            if name in {"ul", "ol"}:
                depth += -1 if closing else 1
            elif name == "li" and not closing:
                new = "\n* "
                indents[tag.start() + 1] = 4 * max(depth, 1)
        elif name in _INLINE:
            new = ""
        else:
            continue
        parts += [view[end : tag.start()], new.ljust(length, GAP)]
        end = tag.end()
    return "".join(parts) + view[end:], indents


def _clean(view: str) -> str:
    plain = view.replace(GAP, "")
    return " ".join((html.unescape(plain) if "&" in plain else plain).split())


def _piece(view: str, start: int, end: int, indent: int) -> Piece | None:
    """Return the piece between two places, without the bullets before it; None if there is no text."""
    while start < end and (view[start].isspace() or view[start] == GAP):
        start += 1
    while end > start and (view[end - 1].isspace() or view[end - 1] == GAP):
        end -= 1
    style, number, body = "", None, start
    while (marker := _MARKER.match(view, body, end)) is not None and not style:
        style, number = _style(marker)
        body = marker.end()
        second = _MARKER.match(view, body, end)
        if second is not None and (second["symbol"] or second["strong"]):
            body = second.end()
    text = _clean(view[body:end])
    if not text or _RULE.fullmatch(text):
        return None
    return Piece(start, body, end, indent, style, number, text)


def _style(marker: re.Match[str]) -> tuple[str, int | None]:
    if marker["number"]:
        return "1", int(marker["number"])
    if marker["letter"]:
        return "a", None
    for name in ("dotted", "code", "round"):
        if marker[name]:
            return name, None
    return marker["symbol"] or marker["strong"], None


def _lines(view: str, indents: dict[int, int]) -> Iterator[Piece]:
    """Return the lines of a text; a line that a hard wrap broke is one."""
    width = max((len(line.rstrip()) for line in view.split("\n")), default=0)
    last: Piece | None = None
    last_length = position = 0
    blank = False
    for line in view.split("\n"):
        end = position + len(line)
        stripped = line.strip(" \t\r\f\v\0")
        margin = len(line) - len(line.lstrip(" \t\0"))
        found = _piece(view, position, end, indents.get(position + margin, _width(line[:margin])))
        if found is not None:
            if last is not None and _wrapped(last, last_length, found, width if not blank else 0):
                text = f"{last.text} {found.text}"
                last = replace(last, end=found.end, text=text)
            else:
                if last is not None:
                    yield last
                last = found
            last_length = len(line.rstrip())
        blank = not stripped
        position = end + 1
    if last is not None:
        yield last


def _width(margin: str) -> int:
    return len(margin.replace(GAP, "").expandtabs(4))


def _wrapped(last: Piece, length: int, found: Piece, width: int) -> bool:
    """Return whether a line continues the one before.

    It begins in lower case after an unfinished line; or, in a text of bounded width, its first word had no room there.
    """
    if found.bullet or (found.indent < last.indent and not (last.bullet and width)):
        return False
    if found.text[0].islower() and last.text[-1] not in ".;:?!":
        return True
    first = found.text.split()[0]
    return 60 < width <= _WIDEST and last.text[-1] != ":" and length + 1 + len(first) > width - 4 and length > 50


def _at_marks(view: str, line: Piece, following: Piece | None, *, dense: bool) -> Iterator[Piece]:
    """Cut a line at the bullets, numbers and headings inside it."""
    marks = {line.start, line.end}
    inside = view[line.start : line.end]
    marks |= {line.start + found.start() for found in re.finditer(rf"[{_SYMBOLS}](?={_SPACE}*[^\W_])", inside)}
    marks |= {line.start + place for place in inner_headings(inside)}
    for start, end in pairwise(sorted(marks)):
        part = _piece(view, start, end, line.indent)
        if part is None:
            continue
        first = start == line.start
        part = replace(part, inline=line.inline)
        yield from _items(view, part, following if first else None, dense=dense or not first)


def _items(view: str, part: Piece, following: Piece | None, *, dense: bool) -> Iterator[Piece]:
    """Cut a part that holds a whole list: "1. ... 2. ... 3. ...", "- ... - ..."."""
    marks = [part.start]
    if part.number is not None and not (following is not None and following.number == part.number + 1):
        marks += _numbers(view, part)
    elif dense and part.style in {"-", "*", "–", "—"}:
        dash = re.escape(part.style)
        marks += [
            found.start() + 1
            for found in re.compile(rf"[^\d\s]{_SPACE}+(?={dash}{_SPACE}+[^\W\d_])").finditer(
                view, part.start + 1, part.end
            )
        ]
    for start, end in pairwise([*marks, part.end]):
        found = _piece(view, start, end, part.indent)
        if found is not None:
            yield replace(found, inline=part.inline)


def _numbers(view: str, part: Piece) -> list[int]:
    """Return where the next numbers of a list inside a line begin: at least two, or one after punctuation."""
    assert part.number is not None
    marks: list[int] = []
    place, number = part.start + 2, part.number + 1
    while (
        found := re.compile(rf"(?<=[\s\x00.;,])[([]?{number}\s?[.)\]/-]{_SPACE}*(?=[^\W\d_<>≥≤=]|[<>≥≤])").search(
            view, place, part.end
        )
    ) is not None:
        marks.append(found.start())
        place, number = found.end(), number + 1
    if len(marks) == 1 and view[: marks[0]].rstrip(" \0")[-1:] not in {".", ";", ",", ":"}:
        return []
    return marks


def _sentences(view: str, part: Piece) -> list[Piece]:
    """Cut a paragraph into its sentences and the items between semicolons."""
    found: list[Piece] = []
    start = part.start
    for mark in [*_SENTENCE_END.finditer(view, part.start, part.end), None]:
        end = part.end if mark is None else mark.start()
        if mark is not None and (
            _ABBREVIATION.search(view[max(start, end - 12) : end])
            or _CONTINUES.match(view, mark.end(), part.end)
            or end - start < 3
        ):
            continue
        one = _piece(view, start, end, part.indent)
        if one is not None:
            found.append(replace(one, inline=part.inline))
        start = part.end if mark is None else mark.end()
    return found


def _place(view: str, piece: Piece, length: int) -> int:
    """Return the place in the text of the character ``length`` of a piece's own text."""
    place = piece.body
    wanted = "".join(piece.text[:length].split())
    count = 0
    while place < piece.end and count < len(wanted):
        if not view[place].isspace() and view[place] != GAP:
            count += 1
        place += 1
    return place
