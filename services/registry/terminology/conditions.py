"""Maps a condition text to a code, if it clearly names one disease."""

import json
import re
from dataclasses import dataclass
from importlib import resources
from typing import Final, Literal

from services.registry.terminology.phrases import Match, Word, normalise_word, words
from services.registry.terminology.terminology import BUILTIN, Terminology

Outcome = Literal["mapped", "unknown", "ambiguous", "negated", "other_disease"]


def _word_table(name: str) -> frozenset[str]:
    return frozenset(normalise_word(word) for word in _WORDS[name])


_WORDS: Final[dict[str, list[str]]] = json.loads(
    (resources.files(BUILTIN) / "condition_words.json").read_text(encoding="utf-8")
)
# Before a disease: the text denies it or speaks of its absence.
NEGATIONS: Final = _word_table("negations")
# Beside a disease in the same segment: the text is about something else ("trait", "carrier").
OTHER_THING: Final = _word_table("other_thing")
# Head words of diseases: beside a known phrase they make another disease of it ("lupus" + "nephritis").
DISEASE_HEADS: Final = _word_table("disease_heads")
# The text after one of these is about a cause or a setting, not about the condition itself.
CONNECTORS: Final = re.compile(
    r"\b(?:due to|secondary to|caused by|resulting from|associated with|combined with|with|without|in|after|following"
    r"|post|during|undergoing|at risk|dans|apr[eè]s|avec|sans|chez|secondaires? [aà]|due? [aà]|au cours)\b",
    re.IGNORECASE,
)
_PARENTHESES: Final = re.compile(r"\([^()]*\)")
_SEGMENT_BREAKS: Final = re.compile(r"\s[-–—]\s|[-–—]\s|[,;:/()\[\]|]")


@dataclass(frozen=True, slots=True)
class MappedCondition:
    """The result of mapping a condition text. ``code`` is None unless the outcome is ``mapped``."""

    outcome: Outcome
    code: str | None = None
    phrase: str | None = None


def map_condition(text: str, terminology: Terminology) -> MappedCondition:
    """Map a condition text to a code.

    The whole text, or its comma-inverted form ("Scleroderma, Systemic"), may be a known name. Otherwise the longest
    known phrase counts, unless it is negated, follows a connector ("ulcer in ..."), or shares its segment with the head
    word of another disease. Two concepts are ambiguous, unless one is an ancestor of the other. A second attempt
    ignores text in parentheses.
    """
    mapped = _map(text, terminology)
    if mapped.outcome not in {"mapped", "negated"} and "(" in text:
        again = _map(_PARENTHESES.sub(" ", text), terminology)
        return again if again.outcome == "mapped" else mapped
    return mapped


def _map(text: str, terminology: Terminology) -> MappedCondition:
    for form in (text, _uninverted(text)):
        if form is None:
            continue
        named = _most_specific(set(terminology.disease_phrases.exactly(form)), terminology)
        if len(named) == 1:
            return MappedCondition("mapped", named.pop(), form)
        if named:
            return MappedCondition("ambiguous")
    tokens = words(text)
    matches = terminology.disease_phrases.find(tokens)
    if not matches:
        return MappedCondition("unknown")
    end = _first_connector(text, tokens, matches)
    codes: set[str] = set()
    phrase: str | None = None
    denied = False
    for start, stop in _segments(text, end):
        here = [index for index, word in enumerate(tokens) if start <= word.start < stop]
        found = [match for match in matches if here and here[0] <= match.first <= here[-1]]
        taken = {index for match in found for index in range(match.first, match.last)}
        rest = [tokens[index] for index in here if index not in taken]
        if any(word.folded in NEGATIONS for word in rest):
            denied = denied or bool(found)
            continue
        if any(word.folded in OTHER_THING or word.folded in DISEASE_HEADS for word in rest):
            return MappedCondition("other_disease")
        for match in found:
            codes.add(match.value)
            phrase = phrase or match.phrase
    if denied:
        return MappedCondition("negated")
    codes = _most_specific(codes, terminology)
    if len(codes) == 1:
        return MappedCondition("mapped", codes.pop(), phrase)
    return MappedCondition("ambiguous" if codes else "other_disease")


def _uninverted(text: str) -> str | None:
    parts = [part.strip() for part in text.split(",")]
    return f"{parts[1]} {parts[0]}" if len(parts) == 2 and all(parts) else None


def _first_connector(text: str, tokens: tuple[Word, ...], matches: list[Match[str]]) -> int:
    """Return where the condition itself ends: at the first connector outside a known phrase."""
    inside = [(tokens[match.first].start, tokens[match.last - 1].end) for match in matches]
    for found in CONNECTORS.finditer(text):
        if not any(start <= found.start() < end for start, end in inside):
            return found.start()
    return len(text)


def _segments(text: str, end: int) -> list[tuple[int, int]]:
    segments = []
    start = 0
    for mark in _SEGMENT_BREAKS.finditer(text, 0, end):
        segments.append((start, mark.start()))
        start = mark.end()
    segments.append((start, end))
    return [(first, last) for first, last in segments if first < last]


def _most_specific(codes: set[str], terminology: Terminology) -> set[str]:
    """Return one code per concept, without ancestors of others."""
    kept: set[str] = set()
    for code in sorted(codes):
        if not any(code in terminology.same_as(other) for other in kept):
            kept.add(code)
    return {code for code in kept if not any(code in terminology.ancestors(other) for other in kept)}
