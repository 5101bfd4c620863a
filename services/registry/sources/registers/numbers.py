"""Finds the numbers of a trial in other registries."""

import re
from collections.abc import Iterable
from typing import Final

from services.registry.model.trial import Identifier
from services.registry.sources.reading import Section, escape
from shared.vocabulary.identifiers import recognise_identifier

# Also inside a longer text, such as "IRAS 1005191, 2021-001234-56".
_WITHIN: Final = re.compile(
    r"(?<![0-9A-Za-z-])(?:NCT ?[0-9]{8}|[0-9]{4}-[0-9A]{6}-[0-9]{2}(?:-[0-9]{2})?|ISRCTN ?[0-9]{8}"
    r"|U1111-[0-9]{4}-[0-9]{4})(?![0-9-])"
)
_NONE: Final = re.compile(
    r"(?:nil|none|not|n/?a|na|-+|unknown|pending|to be|tbc|tbd|aucun|non)\b.*|[-.0]*", re.IGNORECASE
)
_NO_NUMBER: Final = frozenset("0")


def public_numbers(section: Section, *keys: str) -> list[Identifier]:
    """Return the public numbers in some members. A number of zeros stands for none, with a warning."""
    found = []
    for key in keys:
        text = section.line(key, 1000)
        whole = recognise_identifier(text or "")
        numbers = [whole] if whole else [recognise_identifier(part) for part in _WITHIN.findall(text or "")]
        for number in numbers:
            if number is None:
                continue
            if _is_placeholder(*number):
                section.reader.warn(
                    f"{section.pointer}/{escape(key)}",
                    "no_number",
                    "un numéro fait de zéros n'est pas un numéro",
                    "a number of zeros is no number",
                )
            else:
                found.append(Identifier(type=number[0], value=number[1]))
    return found


def sponsor_code(section: Section, key: str) -> list[Identifier]:
    """Return the sponsor's own code, if it is one."""
    written = section.line(key, 100)
    if written is None or _NONE.fullmatch(written) or recognise_identifier(written) is not None:
        return []
    return [Identifier(type="sponsor", value=written)]


def distinct(identifiers: Iterable[Identifier]) -> list[Identifier]:
    """Return each identifier once, at most 100."""
    return list(dict.fromkeys(identifiers))[:100]


def _is_placeholder(kind: str, value: str) -> bool:
    digits = value.removeprefix("U1111") if kind == "utn" else value
    return {mark for mark in digits if mark.isdigit()} <= _NO_NUMBER
