"""Finds the disease that the title of a trial names."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from services.registry.terminology.conditions import (
    AND,
    DISEASE_HEADS,
    MODIFIERS,
    NEGATIONS,
    completed,
    general_codes,
    is_narrowed,
    most_specific,
    names_of_diseases,
    plain_severity,
    word_before,
    word_table,
    words_after,
)
from services.registry.terminology.phrases import Match, Word, is_acronym, normalise_word, words
from services.registry.terminology.terminology import Terminology

# Of these, those that make something else of a disease in a title too.
TITLE_OTHER_THING: Final = word_table("other_thing_in_titles")
_OTHER_SIDE: Final = re.compile(
    r"(?:(\S+)\s+)?(\S+?)\s*(?:\band/or\b|\bet/ou\b|\band\b|\bor\b|\bet\b|\bou\b|/)\s*$", re.IGNORECASE
)
_LONGEST_GAP: Final = 3
_DISEASE: Final = frozenset((normalise_word("disease"), normalise_word("maladie")))


@dataclass(frozen=True, slots=True)
class TitleDisease:
    """A disease named by a title, and the words that name it."""

    code: str
    text: str


def diseases_of_title(title: str, terminology: Terminology) -> tuple[TitleDisease, ...]:
    """Return the disease that a title names, or several if only "and", "or" or commas stand between them.

    Empty where it names none, or several of which one may be a setting of the other ("stroke in sickle cell disease").
    """
    title = plain_severity(title)
    tokens = words(title)
    named = names_of_diseases(tokens, terminology)
    taken = {place for match in named for place in range(match.first, match.last)}
    spelled = [match for match in named if not _is_acronym(match, tokens)]
    # "AADC gene therapy for Parkinson's disease", "UC-MSC": an acronym beside a spelled name may be a product.
    matches = spelled or [match for match in named if not title.isupper() and not _is_joined(match, tokens, title)]
    found = [match for match in matches if not _is_denied(match, tokens)]
    if any(_is_of_something_else(match, tokens, title, taken) for match in found):
        return ()
    specific = [match for match in found if match.value not in general_codes(terminology)] or found
    spans = sorted({(match.first, match.last) for match in specific})
    kept = most_specific({match.value for match in specific}, terminology)
    if len(kept) > len(spans) or (len(kept) > 1 and not _are_listed(spans, tokens, title)):
        return ()
    named_once: dict[str, TitleDisease] = {}
    for match in specific:
        if match.value in kept:
            text = _text_of(match, tokens, title)
            for code in _other_side(title[: tokens[match.first].start], text, terminology):
                named_once.setdefault(code, TitleDisease(code, text))
            named_once.setdefault(match.value, TitleDisease(match.value, text))
    return tuple(named_once.values())


def _other_side(before: str, name: str, terminology: Terminology) -> tuple[str, ...]:
    """Return the disease of "severe or" before a name that has the rest of its words ("moderate hemophilia B")."""
    found = _OTHER_SIDE.search(before[-80:])
    if found is None:
        return ()
    for words_before in (f"{found[1]} {found[2]}" if found[1] else found[2], found[2]):
        both = completed(0, [words_before, name], terminology)
        if both != words_before:
            return terminology.disease_phrases.exactly(both)[:1]
    return ()


def _is_acronym(match: Match[str], tokens: tuple[Word, ...]) -> bool:
    return match.last == match.first + 1 and is_acronym(tokens[match.first].text)


def _is_joined(match: Match[str], tokens: tuple[Word, ...], text: str) -> bool:
    """Return whether a hyphen joins a name to the word before or after it ("UC-MSC")."""
    return text[tokens[match.last - 1].end :][:1] == "-" or text[: tokens[match.first].start][-1:] == "-"


def _is_denied(match: Match[str], tokens: tuple[Word, ...]) -> bool:
    return any(word.folded in NEGATIONS for word in tokens[max(0, match.first - 2) : match.first])


def _is_of_something_else(match: Match[str], tokens: tuple[Word, ...], text: str, taken: set[int]) -> bool:
    """Return whether the words beside a name make another disease of it, or a form that has no code.

    ``taken``: the places of words that are names themselves. "Disease" after a name changes nothing.
    """
    before = word_before(tokens[max(0, match.first - 1) : match.first], tokens[match.first], text)
    beside = {word.folded for word in before if match.first - 1 not in taken}
    beside |= {word.folded for word in words_after(match, tokens, text)[:1] if match.last not in taken} - _DISEASE
    return not beside.isdisjoint(TITLE_OTHER_THING | DISEASE_HEADS) or is_narrowed(match, tokens, text)


def _text_of(match: Match[str], tokens: tuple[Word, ...], text: str) -> str:
    return text[tokens[match.first].start : tokens[match.last - 1].end]


def _are_listed(spans: list[tuple[int, int]], tokens: tuple[Word, ...], title: str) -> bool:
    """Return whether nothing but "and", "or", commas and a few qualifying words stands between the names."""
    for (_, end), (start, _) in pairwise(spans):
        if start < end:
            return False
        between = tokens[end:start]
        gap = title[tokens[end - 1].end : tokens[start].start]
        joined = AND.search(gap) is not None or re.search(r"[,(]", gap) is not None
        if not joined or len(between) > _LONGEST_GAP or any(word.folded not in MODIFIERS for word in between):
            return False
    return True
