"""Texts of records: their language, shortening, and one eligibility text from lists of criteria."""

import json
import re
from collections.abc import Sequence
from importlib import resources
from typing import Final, Literal

from services.registry.model.trial import MAX_ELIGIBILITY_TEXT, BilingualText
from services.registry.sources.reading import Section

Language = Literal["fr", "en"]

# Longer texts are left out, as the reading of one would take too long.
_LONGEST: Final = 200_000
_WORD: Final = re.compile(r"[^\W\d_]+")
_COMMON: Final[dict[str, list[str]]] = json.loads(
    (resources.files(__package__) / "common_words.json").read_text(encoding="utf-8")
)
_FRENCH: Final = frozenset(_COMMON["fr"])
_ENGLISH: Final = frozenset(_COMMON["en"])
_ACCENTED: Final = re.compile(r"[àâçéèêëîïôùûœÀÂÇÉÈÊËÎÏÔÙÛŒ]")
_HEADINGS: Final = {
    "fr": ("Critères d'inclusion :", "Critères d'exclusion :"),
    "en": ("Inclusion Criteria:", "Exclusion Criteria:"),
}
# Bullets in the middle of a line, where line ends were lost.
_INNER_BULLET: Final = re.compile(r"[ \t]*[•▪●][ \t]*")
_BULLET: Final = re.compile(r"^[\s•·*\-–▪]+")


def language(text: str) -> Language | None:
    """Return the language of a text, by its commonest words; None if it is neither, or unclear."""
    words = [word.casefold() for word in _WORD.findall(text)]
    french = sum(word in _FRENCH for word in words) + 2 * len(_ACCENTED.findall(text))
    english = sum(word in _ENGLISH for word in words)
    if french == english:
        return None
    return "fr" if french > english else "en"


def in_its_language(text: str | None, otherwise: Language) -> BilingualText:
    """Return a line in the language that it is written in. ``otherwise``: where that is not clear."""
    if text is None:
        return BilingualText()
    return BilingualText(fr=text) if (language(text) or otherwise) == "fr" else BilingualText(en=text)


def shortened(section: Section, key: str, limit: int, *, line: bool = False) -> str | None:
    """Return a text of at most ``limit`` characters, cut at a word and ended with ``…`` where it is longer."""
    text = section.line(key, _LONGEST) if line else section.text(key, _LONGEST)
    return cut(text, limit) if text is not None else None


def cut(text: str, limit: int) -> str:
    """Shorten a text at a word."""
    if len(text) <= limit:
        return text
    return text[: limit - 1].rsplit(maxsplit=1)[0].rstrip() + "…"


def criteria_text(
    section: Section, key: str, inclusions: Sequence[str], exclusions: Sequence[str], *, otherwise: Language = "en"
) -> str | None:
    """Return one eligibility text of two lists of criteria. None if there are no criteria, or too many.

    ``key``: where to report the latter. ``otherwise``: the language of the headings where that of the text is unclear.
    """
    lists = ["\n\n".join(_item(text) for text in criteria) for criteria in (inclusions, exclusions)]
    return headed_text(section, key, *lists, otherwise=otherwise)


def headed_text(
    section: Section, key: str, inclusions: str | None, exclusions: str | None, *, otherwise: Language = "en"
) -> str | None:
    """Return one eligibility text of the criteria of each kind, with a heading before each.

    ``key``: where to report that it would be too long, and so is left out.
    """
    texts = (inclusions or "", exclusions or "")
    headings = _HEADINGS[language(" ".join(texts)) or otherwise]
    text = "\n\n".join(f"{heading}\n\n{part}" for heading, part in zip(headings, texts, strict=True) if part)
    if len(text) > MAX_ELIGIBILITY_TEXT:
        section.reader.warn(
            f"{section.pointer}/{key}",
            "too_long",
            f"au plus {MAX_ELIGIBILITY_TEXT} caractères",
            f"at most {MAX_ELIGIBILITY_TEXT} characters",
        )
        return None
    return text or None


def _item(text: str) -> str:
    """Return a criterion as an item of a list; its further lines belong to it."""
    first, *others = [line.strip() for line in _INNER_BULLET.sub("\n• ", text).splitlines() if line.strip(" \t•")]
    details = [line if _BULLET.match(line) else f"- {line}" for line in others]
    return "\n".join([f"* {_BULLET.sub('', first) or first}", *(f"    {line}" for line in details)])
