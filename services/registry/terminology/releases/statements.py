"""Writes the statements of a release as text, and reads them."""

import gzip
from collections.abc import Iterator

from services.registry.terminology.releases.draft import Draft

_LINKS = {"S": "same", "R": "replaced", "B": "broader"}


def write_statements(draft: Draft) -> bytes:
    """Return the names and links as compressed lines."""
    return gzip.compress("\n".join(_lines(draft)).encode(), 6, mtime=0)


def _lines(draft: Draft) -> Iterator[str]:
    for key in dict.fromkeys((*draft.labels, *draft.synonyms)):
        yield "\t".join(("N", *key, draft.labels.get(key, ""), "|".join(draft.synonyms.get(key, ()))))
    for letter, name in _LINKS.items():
        yield from (f"{letter}\t{one}\t{two}" for one, two in getattr(draft, name))


def read_statements(content: bytes) -> Draft:
    """Return what `write_statements` wrote."""
    draft = Draft()
    for line in gzip.decompress(content).decode().split("\n"):
        letter, *columns = line.split("\t")
        if letter == "N":
            code, language, label, synonyms = columns
            if label:
                draft.labels[code, language] = label
            if synonyms:
                draft.synonyms[code, language] = synonyms.split("|")
        elif letter in _LINKS:
            getattr(draft, _LINKS[letter]).append((columns[0], columns[1]))
    return draft
