"""Recognises headings of eligibility texts in English and French: what follows includes or excludes patients.

Two forms are known: a title that names its criteria ("Key Exclusion Criteria for Part B", "Critères de non-inclusion"),
and a sentence of general words only ("Subjects who meet any of the following will be excluded"). A sentence with other
words is a criterion, and may state its own kind ("Pregnant women are excluded").
"""

import json
import re
from dataclasses import dataclass
from importlib import resources
from typing import Final, Literal

from shared.vocabulary.text import without_accents

Kind = Literal["include", "exclude"]
# What a heading announces. ``either``: criteria of both kinds, or a list that neither includes nor excludes.
HeadingKind = Literal["include", "exclude", "eligibility", "either"]
# What a criterion says of itself. ``exception``: whom it does not exclude, or it is not clear.
OwnKind = Literal["include", "exclude", "exception"]

_EXCLUSION: Final = (
    r"(?:exclusion(?:ary)?s?|non[- ]?inclusions?|ineligibility|in[ée]ligibilit[ée]|non[- ][ée]ligibilit[ée])"
)
_INCLUSION: Final = r"(?:inclusions?|inclusive)"
_ELIGIBILITY: Final = (
    r"(?:eligibility|[ée]ligibilit[ée]|selection|s[ée]lection|enrol?lment|entry|admission|recruitment)"
)
_OTHER: Final = (
    r"(?:withdrawal|discontinuation|drop-?out|removal|stopping|randomi[sz]ation|retreatment|re-?dosing|sortie|arr[eê]t)"
)
_CRITERIA: Final = r"(?:criteri(?:a|on|ons|as|ar|um|ums|ia)|crit[eè]res?)"
_KINDS: Final = rf"(?:{_EXCLUSION}|{_INCLUSION}|{_ELIGIBILITY}|{_OTHER})"
_LINK: Final = r"(?:\s*(?:/|&|,|\band/or\b|\band\b|\bor\b|\bet/ou\b|\bet\b|\bou\b)\s*|\s+)"
# The words that name the criteria in a title: "exclusion criteria", "critères d'inclusion", "Exclusions:".
_NAME: Final = re.compile(
    rf"\b(?:{_KINDS}(?:{_LINK}(?:non[- ])?{_KINDS}){{0,2}}[\s\x00]+{_CRITERIA}"
    rf"|{_CRITERIA}[\s\x00]+(?:\w+[\s\x00]+){{0,2}}?(?:d['’]|de[\s\x00]+(?:la[\s\x00]+|l['’])?|for[\s\x00]+|of[\s\x00]+)?"
    rf"{_KINDS}(?:{_LINK}(?:d['’]|de[\s\x00]+)?(?:non[- ])?{_KINDS})?)(?![\w-])",
    re.IGNORECASE,
)
# A title of one word, or one that ends with it: "Inclusion:", "General Medical Exclusions".
_BARE: Final = re.compile(
    rf"(?:\w[\w'’/-]*[\s\x00]+){{0,4}}?(?:d['’])?(?:{_EXCLUSION}|{_INCLUSION})(?:{_LINK}(?:{_EXCLUSION}|{_INCLUSION}))?[\s\x00]*"
    r"(?=[:.;]|$)",
    re.IGNORECASE,
)
# Verbs of a criterion about the criteria ("does not meet the inclusion criteria"), which is no title.
_VERBS: Final = re.compile(
    r"\b(?:meets?|meeting|met|appl(?:y|ies|ied|icable)|fulfil\w*|satisf\w*|described|mentioned|see|per|according|fail\w*"
    r"|unable|required|remplir?|remplit|remplissant|r[ée]pond\w*|may|could|might|is|are|was|were|be|has|have|had|cannot"
    r"|will|must|should|sont|est|ne|n['’]\w+|peu(?:t|vent)|doi(?:t|vent)|selon|any|all of|if|si)\b",
    re.IGNORECASE,
)
_TABLES: Final[dict[str, list[str]]] = json.loads(
    (resources.files(__package__) / "heading_words.json").read_text(encoding="utf-8")
)
_GENERAL: Final = frozenset(_TABLES["general"])
_POINTS_ON: Final = frozenset(_TABLES["points_on"])
_PLAIN: Final = _GENERAL - frozenset(_TABLES["populations"]) | frozenset(_TABLES["plain"])
_POPULATIONS: Final = frozenset(_TABLES["populations"])
_PART: Final = re.compile(r"\b(?:part|cohort|arm|group|phase|groupe)s?\s+\(?[a-z0-9]{1,3}\b", re.IGNORECASE)
# Words with which a criterion usually begins.
STARTERS: Final = frozenset(_TABLES["starters"])
_WORD: Final = re.compile(r"[^\W\d_]+")
_NOT: Final = r"(?:not|never|cannot|neither|pas|non)"
_IN: Final = (
    r"(?:eligible|included?|enrol+ed|enrol+|entered|entry|considered|admitted|participate|take part|qualify|recruited)"
)
_OUT_EN: Final = (
    r"exclud\w*|exclusions?|ineligib\w*|disqualif\w*"
    rf"|{_NOT}\W+(?:\w+\W+){{0,3}}?{_IN}|none of the (?:following|below)|must not|may not|should not|not have any"
)
_OUT_FR: Final = (
    r"exclu(?:s|e|es|re|sion|ant)?\b|non[- ]?inclusions?|non[- ]?inclus\w*|in[ée]ligibles?|non[- ][ée]ligibles?"
    r"|\bn(?:e|['’])\W*(?:\w+\W+){0,3}?pas\W+(?:\w+\W+){0,3}?(?:inclus\w*|[ée]ligibles?|participer|admis\w*|recrut\w*)"
    r"|aucun\w* des|ne\W+(?:peu(?:t|vent)|pourr(?:a|ont))\W+(?:[êe]tre\W+)?(?:inclus\w*|participer)"
    r"|contre-indications?\W+[àa]\W+(?:la\W+|l['’])?(?:participation|inclusion)"
)
_OUT: Final = re.compile(rf"\b(?:{_OUT_EN}|{_OUT_FR})", re.IGNORECASE)
_INTO: Final = re.compile(
    r"\b(?:eligib\w*|includ\w*|inclusions?|inclus\w*|enrol\w*|participat\w*|participer|[ée]ligibles?|enter\w*|qualif\w*"
    r"|recruit\w*|take part|must|required|doi(?:t|vent)|devront|admi\w*|meet\w*|fulfil\w*|satisf\w*|rempli\w*"
    r"|r[ée]pond\w*)\b",
    re.IGNORECASE,
)
# "All enrolled subjects:" names a population; it does not say who is included.
_ALREADY_IN: Final = re.compile(
    r"\b(?:enrol+ed|eligible|included|recruited)\W+(?=subjects|patients|participants|individuals|volunteers)",
    re.IGNORECASE,
)
_DOUBLE: Final = re.compile(
    r"\b(?:not|fail\w*|pas)\W+(?:to\W+)?(?:meet|meeting|fulfil\w*|satisf\w*|rempli\w*|r[ée]pond\w*)\W+"
    r"(?:all|the|any|one|each|tous|les|aux|ces|these)\b(?!\W+(?:of\W+)?(?:the\W+|following\W+)*exclusion)",
    re.IGNORECASE,
)
# A criterion that says itself whom it excludes. "Unless" and "except" may follow.
_EXCLUDES: Final = re.compile(
    r"\b(?:are|is|be|were)\s+(?:also\s+|therefore\s+)?(?:excluded|ineligible|not\s+(?:be\s+)?(?:eligible|included|enrolled))"
    r"|\b(?:cannot|will\s+not|may\s+not|should\s+not|must\s+not)\s+be\s+(?:included|enrolled|eligible|entered)"
    r"|\b(?:sont|seront|est|sera|[êe]tre)\s+(?:aussi\s+|[ée]galement\s+)?(?:exclu(?:e?s?)|non\s+inclus\w*|in[ée]ligibles?)\b"
    r"|\bne\s+(?:peu(?:t|vent)|pourr(?:a|ont)|ser(?:a|ont)|sont|doi(?:t|vent)|devr(?:a|ont))\s+pas\s+(?:[êe]tre\s+)?"
    r"(?:inclus\w*|[ée]ligibles?|participer|recrut\w*)",
    re.IGNORECASE,
)
_INCLUDES: Final = re.compile(
    r"\b(?:are|is|be)\s+(?:also\s+)?(?:eligible|included|enrolled)\b"
    r"|\b(?:sont|seront|[êe]tre)\s+(?:aussi\s+|[ée]galement\s+)?(?:inclus\w*|[ée]ligibles?)",
    re.IGNORECASE,
)
_ONE_OF: Final = re.compile(
    r"\b(?:one of|at least one|any one|either|l['’]une? des|au moins une?)\b|\bany of\b(?!.*\beligible\b)",
    re.IGNORECASE,
)
_PATIENTS: Final = re.compile(
    r"\b(?:subjects?|patients?|participants?|individuals?|persons?|people|volunteers?|candidates?|donors?|wom[ae]n|m[ae]n"
    r"|females?|males?|child(?:ren)?|adults?|infants?|adolescents?|those|anyone|sujets?|malades?|personnes?|patientes?"
    r"|participantes?|enfants?|adultes?|femmes?|hommes?|volontaires?|donneurs?)\b",
    re.IGNORECASE,
)
_NOT_EXCLUDED: Final = re.compile(
    r"\bnot\s+(?:be\s+)?(?:automatically\s+|necessarily\s+)?exclu\w+|\bpas\s+(?:[êe]tre\s+)?exclu\w*", re.IGNORECASE
)
# Where a title ends: at its punctuation, or where its list begins on the same line.
_CLOSE: Final = re.compile(r":|[.;](?=[\s\x00]|$)|[\s\x00]+(?=[-–—*][\s\x00]|\(?1\s?[.)][\s\x00])|$")
_SENTENCES: Final = re.compile(r"(?<=[.;?!])\s+")
_MOST_TITLE_WORDS: Final = 16
_SHORT_TITLE: Final = 3
_MOST_POPULATION_WORDS: Final = 5
_GROUPS: Final = frozenset(("cohort", "group", "arm", "part", "cohorte", "groupe", "bras"))
_LONGEST: Final = 400
_MOST_WORDS_BEFORE: Final = 8
# A title inside a line: its list, or nothing, follows; and a sentence ends before it, or a colon closes it.
_AFTER_INNER: Final = re.compile(
    r"[\s\x00]*(?:\([^()]{0,60}\)[\s\x00]*)?(?:(?P<colon>:)|[.;]|$|[-–•][\s\x00]|\(?1[.)])"
)
_BEFORE_INNER: Final = re.compile(r"(?:^|(?<=[\s\x00.;:)\]•*-]))(?:[A-ZÀ-Ý][\w/-]*[\s\x00]+){0,3}$")
# A line that holds a list already: what follows is no first title.
_CROWDED: Final = re.compile(r"[•▪●]|[.;:][\s\x00]|[\s\x00][-–*][\s\x00]|\d[.)][\s\x00]")
_BARE_INNER: Final = re.compile(
    r"(?<=[.;:)\]])[\s\x00]*(?=(?:[A-ZÀ-Ý]\w+[\s\x00]+)?"
    r"(?:(?:Non[- ]?)?(?:In|Ex)clusions?|(?:NON[- ]?)?(?:IN|EX)CLUSIONS?|Non[- ]inclusions?)[\s\x00]*:)"
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading at the start of a text. ``end``: where its words end; what follows belongs to the list.

    ``title``: it names its criteria, so it begins a section; a sentence may only introduce the bullets below it.
    ``qualifier``: its words, if it is about some of the patients or criteria ("Donor exclusion criteria"), else None.
    """

    kind: HeadingKind
    end: int
    title: bool
    qualifier: str | None = None


def heading(text: str, *, bullet: bool = False, follows: bool = False) -> Heading | None:
    """Return the heading at the start of a text; None if the text is a criterion.

    ``bullet``: the text is an item of a list. ``follows``: a list follows, so that no colon is needed.
    """
    start = text[:_LONGEST]
    return _title(start, bullet=bullet) or _sentence(start, follows=follows and len(text) <= _LONGEST)


def inner_headings(view: str) -> list[int]:
    """Return where titles begin inside a line, after its start. ``view``: with NUL characters in place of markup."""
    places = [found.end() for found in _BARE_INNER.finditer(view)]
    for name in _NAME.finditer(view):
        after = _AFTER_INNER.match(view, name.end())
        offset = max(0, name.start() - 80)
        before = _BEFORE_INNER.search(view[offset : name.start()])
        start = offset + before.start() if before is not None else name.start()
        if after is None or not view[:start].strip(" \0\t*"):
            continue
        ended = view[max(0, start - 20) : start].rstrip(" \0\t")[-1:] in set(".;:)]!?•,")
        crowded = _CROWDED.search(view[:start]) is not None or len(view[:start].split()) > _MOST_WORDS_BEFORE
        capital = view[name.start()].isupper()
        words = _WORD.findall(without_accents(view[start : name.start()]))
        if not capital or not (_GENERAL | _POPULATIONS).issuperset(words):
            start = name.start()
        if (ended and (capital or after["colon"])) or (
            crowded and capital and (after["colon"] or name.group().isupper())
        ):
            places.append(start)
    return sorted(set(places))


def _title(text: str, *, bullet: bool) -> Heading | None:
    name = _NAME.search(text)
    if name is not None:
        found = _named(text, name, bullet=bullet)
        if found is not None:
            return found
    bare = _BARE.match(text)
    if bare is None or _VERBS.search(bare.group()):
        return None
    closed = text[bare.end() : bare.end() + 1]
    if closed == ":" or (not text[bare.end() :].strip(" .;:\x00") and (not bullet or text.isupper())):
        end = bare.end() + (1 if closed else 0)
        return Heading(_kind_of_name(bare.group()), end, True, _qualifier(bare.group()))
    return None


def _named(text: str, name: re.Match[str], *, bullet: bool) -> Heading | None:
    """Return the title around the name of the criteria, with the words before and after it."""
    before = text[: name.start()]
    # "Patient history: exclusion criteria" has a colon before the name; a sentence ends there instead.
    if _VERBS.search(before) or len(before.split()) > _MOST_TITLE_WORDS - 4 or re.search(r"[.;?!]\s+\S{4,}", before):
        return None
    rest = text[name.end() :]
    close = _CLOSE.search(rest)
    assert close is not None
    suffix = rest[: close.start()]
    ends = not rest[close.end() :].strip(" \x00")
    # "Inclusion criteria for patients who have had a transplant:" is a title, though it has a verb.
    begins = not before.strip() and close.group() == ":" and ends
    if (_VERBS.search(suffix) and not begins) or len(suffix.split()) > _MOST_TITLE_WORDS - 4:
        return None
    short = ends and len(text.split()) <= _SHORT_TITLE
    if bullet and close.group() != ":" and not short and not name.group().isupper():
        return None
    if close.group() != ":" and not ends and (suffix.strip(" \x00()") or len(before.split()) > 4):
        return None
    if before and before[0].islower() and close.group() != ":":
        return None
    end = name.end() + close.end()
    return Heading(_kind_of_name(name.group()), end + _note(text[end:]), True, _qualifier(text[:end]))


def _note(rest: str) -> int:
    """Return how many characters after a title's colon still belong to it: a remark, not a criterion."""
    remark = re.match(
        r"[\s\x00]*(?:[^:.;\n]{0,60}\beligibility\b[^:.;\n]{0,60}(?::|\.|$)"
        r"|(?:none|n/?a|not applicable|aucun|sans objet)\b[\s.]*$"
        r"|all answers must be \w+ to be eligible[^.:\n]*[.:]?)",
        rest,
        re.IGNORECASE,
    )
    if remark is not None:
        return remark.end()
    sentence = re.match(r"[^.:\n]*(?:[.:]|$)", rest)
    if sentence is not None and sentence.group().strip() and _is_general(sentence.group()):
        return sentence.end()
    return 0


def _kind_of_name(name: str) -> HeadingKind:
    excludes = re.search(_EXCLUSION, name, re.IGNORECASE) is not None
    includes = re.search(_INCLUSION, re.sub(_EXCLUSION, "", name, flags=re.IGNORECASE), re.IGNORECASE) is not None
    if excludes != includes:
        return "exclude" if excludes else "include"
    if excludes or re.search(_ELIGIBILITY, name, re.IGNORECASE) is None:
        return "either"
    return "eligibility"


def _sentence(text: str, *, follows: bool) -> Heading | None:
    """Return the sentence of general words that introduces a list."""
    for close in re.finditer(r"[:?]|[.;](?=\s|$)|$", text):
        part = text[: close.start()]
        if not _is_general(part + close.group()):
            continue
        if close.group() not in {":", "?"} and not (follows and not text[close.end() :].strip(" \x00")):
            continue
        kind = _declared(part)
        if kind == "include" and _ONE_OF.search(part):
            # A choice: its list is one criterion.
            return None
        return Heading(kind, close.end(), False, _qualifier(part))
    return None


def _is_general(text: str) -> bool:
    """Return whether a text says nothing but who is included or excluded, and points to a list."""
    words = _WORD.findall(without_accents(text.replace("\0", "")))
    points_on = text.endswith((":", "?")) or not _POINTS_ON.isdisjoint(words)
    if not _GENERAL.issuperset(words) or not points_on:
        # "Study participants: participants are excluded if ..." names a population before its sentence.
        before, colon, after = text.partition(":")
        return bool(colon and after.strip(" \0:.;") and len(before.split()) <= 3 and _is_general(after))
    return _OUT.search(text) is not None or _INTO.search(_ALREADY_IN.sub("", text)) is not None


def _declared(text: str) -> HeadingKind:
    if _DOUBLE.search(text):
        return "either"
    if _OUT.search(text):
        return "exclude"
    return "include"


def own_kind(text: str) -> OwnKind | None:
    """Return what a criterion says of its own kind; None where it says nothing, or its sentences do not all say so."""
    sentences = [sentence for sentence in _SENTENCES.split(text) if len(sentence) > 3]
    kinds = {_own_kind(sentence) for sentence in sentences}
    return kinds.pop() if len(kinds) == 1 else None


def _own_kind(text: str) -> OwnKind | None:
    if _NOT_EXCLUDED.search(text):
        return "exception"
    found = _EXCLUDES.search(text)
    if found is not None:
        # "Other causes are excluded" rules causes out, not patients.
        about_patients = _PATIENTS.search(text) is not None
        return "exclude" if about_patients and not _DOUBLE.search(text) else "exception"
    if not _INCLUDES.search(text) or not _PATIENTS.search(text):
        return None
    return "exception" if text.startswith(("No ", "Aucun")) else "include"


def _qualifier(title: str) -> str | None:
    words = _WORD.findall(without_accents(title.replace("\0", "")))
    if _PLAIN.issuperset(words) and _PART.search(title) is None:
        return None
    return title.strip(" \0")


def is_population(text: str) -> bool:
    """Return whether a text names a part of the patients and nothing else: "[Adult Patients]", "Cohort 2"."""
    words = _WORD.findall(without_accents(text))
    if not words or len(words) > _MOST_POPULATION_WORDS or text.endswith((".", ";")):
        return False
    bracketed = text.startswith("[") and text.endswith("]")
    return bracketed or _POPULATIONS.issuperset(words) or words[-1] in _GROUPS
