"""A search as terms, and its two spellings: an FTS5 expression and a tsquery. Pure.

A trial is indexed under its words and under its facets. A word of a search matches the beginning of an indexed word. A
facet is a term with a leading underscore, which no word has: so words and facets share one index, and the database
intersects them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.vocabulary.text import fold

MAX_WORDS = 12
MAX_WORD = 60
# PostgreSQL reads every indexed word that begins with a prefix. Beginnings this short are terms of their own.
SHORT_PREFIX = 2
_NOT_PLAIN = re.compile(r"[^a-z0-9]")


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What a list of trials is narrowed to. All parts must match; ``condition`` is any of its codes."""

    words: tuple[str, ...] = ()
    status: str | None = None
    condition: frozenset[str] = frozenset()
    country: str | None = None
    centre: str | None = None
    demo: bool = True
    never: bool = False
    """Nothing can match: the text holds only punctuation."""

    @classmethod
    def parse(cls, text: str, **filters: object) -> "SearchQuery":
        """Return the query for a typed text. Accents, case and punctuation do not matter; 12 words count."""
        words = tuple(dict.fromkeys(word[:MAX_WORD] for word in fold(text).split()[:MAX_WORDS]))
        return cls(words, never=bool(text.strip()) and not words, **filters)  # type: ignore[arg-type]

    @property
    def is_plain(self) -> bool:
        """Nothing but the order of trials is asked for: no index of words is needed."""
        return not (self.words or self.facets)

    @property
    def facets(self) -> list[frozenset[str]]:
        """Groups of facet terms; of each group one must be there."""
        asked = (
            ("condition", self.condition),
            ("country", {self.country}),
            ("centre", {self.centre}),
            ("status", {self.status}),
        )
        groups = (frozenset(facet(name, value) for value in values if value) for name, values in asked)
        return [group for group in groups if group]


def facet(name: str, value: str) -> str:
    """Return the term of a facet: ``_country_fr``. Other signs than letters and digits become their code points."""
    return f"_{name}_" + _NOT_PLAIN.sub(lambda sign: f"_{ord(sign[0]):x}_", value.lower())


def indexed_terms(words: str, facets: Mapping[str, Iterable[str]]) -> list[str]:
    """All terms of one trial, sorted: its folded words and its facets."""
    terms = {word[:MAX_WORD] for word in words.split()}
    terms |= {facet(name, value) for name, values in facets.items() for value in values}
    return sorted(terms)


def fts5_expression(query: SearchQuery) -> str:
    """The query for ``MATCH``."""
    parts = [f'"{word}" *' for word in query.words]
    parts += ["(" + " OR ".join(f'"{term}"' for term in sorted(group)) + ")" for group in query.facets]
    expression = " AND ".join(parts)
    return expression if query.demo else f'({expression}) NOT "{DEMO}"'


def tsquery(query: SearchQuery) -> str:
    """The query for ``@@``."""
    parts = [f"'^{word}'" if len(word) <= SHORT_PREFIX else f"'{word}':*" for word in query.words]
    parts += ["(" + " | ".join(f"'{term}'" for term in sorted(group)) + ")" for group in query.facets]
    return " & ".join(parts if query.demo else [*parts, f"!'{DEMO}'"])


def tsvector(terms: Iterable[str]) -> str:
    """The terms as the text of a tsvector, with the short beginnings of words as terms of their own."""
    lexemes = set(terms)
    lexemes |= {
        f"^{term[:length]}" for term in terms if not term.startswith("_") for length in range(1, SHORT_PREFIX + 1)
    }
    return " ".join(f"'{lexeme}'" for lexeme in sorted(lexemes))


DEMO = facet("demo", "yes")
