"""Writes the statements of a release as text, and reads them."""

import gzip
from collections.abc import Iterator

from services.registry.terminology.releases.draft import Draft

_LINKS = {"S": "same", "R": "replaced", "B": "broader"}


def write_statements(draft: Draft) -> bytes:
    """Return the names and links as compressed lines."""
    return gzip.compress("\n".join(_lines(draft)).encode(), 6, mtime=0)


def _lines(draft: Draft) -> Iterator[str]:
    for (code, language), label in draft.labels.items():
        yield "\t".join(("N", code, language, label, "|".join(draft.synonyms.get((code, language), ()))))
    for letter, name in _LINKS.items():
        yield from (f"{letter}\t{one}\t{two}" for one, two in getattr(draft, name))


def read_statements(content: bytes) -> Draft:
    """Return what `write_statements` wrote."""
    draft = Draft()
    for line in gzip.decompress(content).decode().split("\n"):
        letter, *columns = line.split("\t")
        if letter == "N":
            code, language, label, synonyms = columns
            draft.name(code, language, label, synonyms.split("|") if synonyms else ())
        elif letter in _LINKS:
            getattr(draft, _LINKS[letter]).append((columns[0], columns[1]))
    return draft
