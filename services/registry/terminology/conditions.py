"""Maps texts of registries to the diseases that they clearly name. The words that decide are `condition_words.json`."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import Final, Literal

from services.registry.terminology.phrases import Match, Word, normalise, normalise_word, words
from services.registry.terminology.terminology import BUILTIN, Terminology

# ``narrower``: it names a form of a known disease, and that form has no code of its own here.
Outcome = Literal["mapped", "unknown", "ambiguous", "negated", "other_disease", "narrower"]


def word_table(name: str) -> frozenset[str]:
    return frozenset(normalise_word(word) for word in _WORDS[name])


_WORDS: Final[dict[str, list[str]]] = json.loads(
    (resources.files(BUILTIN) / "condition_words.json").read_text(encoding="utf-8")
)
# Before a disease: the text denies it or speaks of its absence.
NEGATIONS: Final = word_table("negations")
# Beside a disease in the same segment: the text is about something else ("trait", "carrier").
OTHER_THING: Final = word_table("other_thing")
# Head words of diseases: beside a known phrase they make another disease of it ("lupus" + "nephritis").
DISEASE_HEADS: Final = word_table("disease_heads")
# Before a disease: one of its forms is meant ("autosomal recessive").
FORMS: Final = word_table("forms")
# After a disease: one of its types is meant ("type IIIA", "complementation group A").
TYPES: Final = word_table("types")
# Words that may be one side of an "or" and only qualify the disease on the other side ("relapsed or refractory").
MODIFIERS: Final = word_table("modifiers")
_GENERAL: Final = frozenset(normalise(phrase) for phrase in _WORDS["general"])
# Names of diseases that are ordinary words: "child" (chILD), "trauma".
_NOT_NAMES: Final = frozenset(normalise(phrase) for phrase in _WORDS["not_names"])
# The text after one of these is about a cause or a setting, not about the condition itself.
CONNECTORS: Final = re.compile(
    r"\b(?:due to|secondary to|caused by|resulting from|associated with|combined with|with|without|in|after|following"
    r"|post|during|undergoing|at risk|dans|apr[eè]s|avec|sans|chez|secondaires? [aà]|due? [aà]|au cours|par)\b",
    re.IGNORECASE,
)
_CAUSE: Final = re.compile(
    r"due to|secondary to|caused by|resulting from|secondaires? [aà]|due? [aà]|par\b", re.IGNORECASE
)
_PARENTHESES: Final = re.compile(r"\([^()]*\)")
_SEGMENT_BREAKS: Final = re.compile(r"\s[-–—]\s|[-–—]\s|[,;:/()\[\]|]")
AND: Final = re.compile(r"\s*(?:\band/or\b|\bet/ou\b|\band\b|\bor\b|\bet\b|\bou\b|/|&|;|\+(?=\s))\s*", re.IGNORECASE)
# A numeral or a letter right after a disease names one of its types: "LCA 5", "MPS IIIA", "Sanfilippo B".
_TYPE: Final = re.compile(r"[IVX]{1,4}[A-Za-z]?|\d{1,2}[A-Za-z]?|[A-H]")
_TYPE_NAME: Final = re.compile(r"[IVX]{1,4}[A-Za-z]?|\d{1,2}[A-Za-z]?|[A-Z]\d?")
_UNITS: Final = frozenset(("year", "month", "week", "day", "to", "ans", "mois", "and", "or"))
_MODERATE: Final = re.compile(r"\bmoderately[ -]severe\b", re.IGNORECASE)
_RANGE: Final = re.compile(
    r"\b(mild|moderate|l[ée]g[èe]re|mod[ée]r[ée]e?)[ -](?:to|[àa])[ -](?=moderate|severe|mod|s[ée]v)", re.IGNORECASE
)
_COMMA: Final = re.compile(r"\s*,\s*")
_COMMA_BEFORE_TYPE: Final = re.compile(r"\s*,\s*(?=(?:[IVX]{1,4}|\d{1,2})[A-Za-z]?\s*(?:,|$))")
# Bounds of a text that takes time to read: names are shorter, and lists in one text too.
_MOST_PARTS: Final = 8
_MOST_WORDS: Final = 12
_BESIDE: Final = frozenset((" ", "-", ", "))


@dataclass(frozen=True, slots=True)
class MappedCondition:
    """The result of mapping a text. ``codes``: the diseases it names, empty unless the outcome is ``mapped``.

    ``partial``: another part of the text may name a further disease that is not recognised.
    """

    outcome: Outcome
    codes: tuple[str, ...] = ()
    partial: bool = False

    @property
    def code(self) -> str | None:
        """The only disease named; None for none or several."""
        return self.codes[0] if len(self.codes) == 1 else None


@lru_cache(maxsize=8)
def general_codes(terminology: Terminology) -> frozenset[str]:
    """Return the codes that say little beside any disease ("Autoimmune Diseases")."""
    return _codes_of("general", terminology)


@lru_cache(maxsize=8)
def group_codes(terminology: Terminology) -> frozenset[str]:
    """Return the codes that say little beside one of their own forms ("Mucopolysaccharidoses")."""
    return _codes_of("groups", terminology)


def is_general(text: str) -> bool:
    """Return whether a condition, in the words of the table, says little beside any disease."""
    return normalise(text) in _GENERAL


def _codes_of(table: str, terminology: Terminology) -> frozenset[str]:
    return frozenset(code for name in _WORDS[table] for code in terminology.disease_phrases.exactly(name))


def map_condition(text: str, terminology: Terminology) -> MappedCondition:
    """Map a condition text to codes.

    The whole text, or its comma-inverted form ("Scleroderma, Systemic"), may be a known name. Otherwise the parts
    beside "and" or "or" are mapped each. In a part the longest known phrase counts, unless it is negated, follows a
    connector ("ulcer in ..."), shares its segment with the head word of another disease, or is followed by a type that
    is not known: a wider disease is never taken for a form of it. A second attempt ignores text in parentheses.
    """
    text = plain_severity(text)
    mapped = _map(text, terminology)
    if mapped.outcome not in {"mapped", "negated", "narrower"} and "(" in text:
        again = _map(_PARENTHESES.sub(" ", text), terminology)
        return again if again.outcome == "mapped" else mapped
    return mapped


def plain_severity(text: str) -> str:
    """Return a text in which "moderately severe" is "moderate", and "moderate to severe" "moderate or severe"."""
    return _RANGE.sub(r"\1 or ", _MODERATE.sub("moderate", text))


def names_of_diseases(tokens: tuple[Word, ...], terminology: Terminology) -> list[Match[str]]:
    """Return the names of diseases among some words."""
    found = terminology.disease_phrases.find(tokens)
    return [
        match for match in found if " ".join(word.folded for word in tokens[match.first : match.last]) not in _NOT_NAMES
    ]


def word_before(before: tuple[Word, ...], name: Word, text: str) -> tuple[Word, ...]:
    """Return the word right before a name, if nothing but a space or a hyphen stands between."""
    return before[-1:] if before and text[before[-1].end : name.start] in _BESIDE else ()


def words_after(match: Match[str], tokens: tuple[Word, ...], text: str) -> tuple[Word, ...]:
    """Return up to two words right after a name."""
    found: list[Word] = []
    for before, word in pairwise(tokens[match.last - 1 : match.last + 2]):
        if text[before.end : word.start] not in _BESIDE:
            break
        found.append(word)
    return tuple(found)


def is_narrowed(match: Match[str], tokens: tuple[Word, ...], text: str) -> bool:
    """Return whether the words right beside a name make one of its forms of it: "autosomal ...", "... type IIIA"."""
    before = word_before(tokens[max(0, match.first - 1) : match.first], tokens[match.first], text)
    if before and before[0].folded in FORMS:
        return True
    after = words_after(match, tokens, text)
    if not after:
        return False
    following = after[1] if len(after) > 1 else None
    if after[0].folded in TYPES:
        return following is not None and (following.folded in TYPES or _TYPE_NAME.fullmatch(following.text) is not None)
    return _TYPE.fullmatch(after[0].text) is not None and (following is None or following.folded not in _UNITS)


def _map(text: str, terminology: Terminology) -> MappedCondition:
    for form in (text, _uninverted(text)):
        if form is None:
            continue
        named = most_specific(set(terminology.disease_phrases.exactly(form)), terminology)
        if named and normalise(form) not in _NOT_NAMES:
            return MappedCondition("mapped", tuple(named)) if len(named) == 1 else MappedCondition("ambiguous")
    parts = _parts(text, terminology)
    if len(parts) == 1:
        return _map_part(parts[0], terminology)
    read = [_map_part(part, terminology) for part in parts]
    codes = tuple(dict.fromkeys(code for one in read for code in one.codes))
    if not codes:
        return next((one for one in read if one.outcome != "unknown"), read[0])
    unread = [part for part, one in zip(parts, read, strict=True) if not one.codes and not _is_modifier(part)]
    return MappedCondition("mapped", codes, partial=bool(unread) or any(one.partial for one in read))


def _parts(text: str, terminology: Terminology) -> list[str]:
    """Return the parts of a text beside "and", "or" and "/", each completed by the words that it shares.

    "Severe or Moderately Severe Hemophilia B": "Severe Hemophilia B" and "Moderately Severe Hemophilia B".
    """
    tokens = words(text)
    matches = terminology.disease_phrases.find(tokens)
    inside = [(tokens[match.first].start, tokens[match.last - 1].end) for match in matches]
    connector = _first_connector(text, tokens, matches)
    cuts = [
        found
        for found in AND.finditer(text)
        if found.start() < connector and not any(start <= found.start() < end for start, end in inside)
    ]
    # "Types 1, 2 and 3": beside an "and", and before a bare type, commas separate parts too.
    commas = [
        found
        for found in (_COMMA.finditer(text) if cuts else _COMMA_BEFORE_TYPE.finditer(text))
        if found.start() < connector and not any(start <= found.start() < end for start, end in inside)
    ]
    cuts = _disjoint([*cuts, *commas])
    bounds = [0, *(place for cut in cuts for place in (cut.start(), cut.end())), len(text)]
    parts = [text[start:end].strip() for start, end in zip(bounds[::2], bounds[1::2], strict=True)]
    parts = [part for part in parts if words(part)]
    if not 2 <= len(parts) <= _MOST_PARTS:
        return [text]
    return [completed(place, parts, terminology) for place in range(len(parts))]


def _disjoint(cuts: list[re.Match[str]]) -> list[re.Match[str]]:
    kept: list[re.Match[str]] = []
    for cut in sorted(cuts, key=lambda found: found.start()):
        if not kept or cut.start() >= kept[-1].end():
            kept.append(cut)
    return kept


def completed(place: int, parts: list[str], terminology: Terminology) -> str:
    """Return a part with the words that it shares with its neighbours, if together they are a known name."""
    part = parts[place]
    phrases = terminology.disease_phrases
    own = [word.text for word in words(part)]
    if phrases.exactly(part):
        return part
    for other in parts[place + 1 :]:
        tail = [word.text for word in words(other)][-_MOST_WORDS:]
        for start in range(1, len(tail)):
            joined = " ".join([*own, *tail[start:]])
            if phrases.exactly(joined):
                return joined
    for other in reversed(parts[:place]):
        head = [word.text for word in words(other)][:_MOST_WORDS]
        for end in range(len(head) - 1, 0, -1):
            joined = " ".join([*head[:end], *own])
            if phrases.exactly(joined):
                return joined
    return part


def _is_modifier(part: str) -> bool:
    return all(word.folded in MODIFIERS for word in words(part))


def _map_part(text: str, terminology: Terminology) -> MappedCondition:
    named = most_specific(set(terminology.disease_phrases.exactly(text)), terminology)
    if named and normalise(text) not in _NOT_NAMES:
        return MappedCondition("mapped", tuple(named)) if len(named) == 1 else MappedCondition("ambiguous")
    tokens = words(text)
    matches = names_of_diseases(tokens, terminology)
    if not matches:
        return MappedCondition("unknown")
    end = _first_connector(text, tokens, matches)
    cause = _CAUSE.match(text, end)
    codes: set[str] = set()
    denied = narrowed = False
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
        if len(most_specific({match.value for match in found}, terminology)) > 1:
            return MappedCondition("ambiguous")
        for match in found:
            narrowed = narrowed or is_narrowed(match, tokens, text)
            codes.add(match.value)
    if denied:
        return MappedCondition("negated")
    kept = most_specific(codes, terminology)
    if cause is not None and kept:
        return _by_cause(kept, text[cause.end() :], terminology)
    if narrowed:
        return MappedCondition("narrower")
    return MappedCondition("mapped", tuple(sorted(kept))) if kept else MappedCondition("other_disease")


def _by_cause(codes: set[str], cause: str, terminology: Terminology) -> MappedCondition:
    """Return the form of a disease that its cause names ("SCID due to ADA deficiency"), if that form is known."""
    named = map_condition(CONNECTORS.split(cause, maxsplit=1)[0], terminology).codes
    below = tuple(one for one in named if codes & (terminology.ancestors(one) | terminology.same_as(one)))
    return MappedCondition("mapped", below) if below else MappedCondition("narrower")


def _uninverted(text: str) -> str | None:
    parts = [part.strip() for part in text.split(",")]
    return " ".join(reversed(parts)) if 2 <= len(parts) <= 4 and all(parts) else None


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


def most_specific(codes: Iterable[str], terminology: Terminology) -> set[str]:
    """Return one code per concept, without ancestors of others."""
    kept: set[str] = set()
    for code in sorted(codes):
        if not any(code in terminology.same_as(other) for other in kept):
            kept.add(code)
    return {code for code in kept if not any(code in terminology.ancestors(other) for other in kept)}
