"""The index of trials in memory (tantivy): filled from the database, lost at the end of the process."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, NamedTuple

from tantivy import Document, FieldType, Index, Occur, Order, Query, Schema, SchemaBuilder, Searcher

from services.registry.search.documents import Fields

WORDS: Final = ("disease", "title", "text", "sponsor")
FACETS: Final = (
    "status", "phase", "atmp_class", "vector", "gene", "delivery", "cell_origin", "sponsor_kind", "disease_code",
    "centre", "departement", "region", "open_centre", "open_departement", "open_region", "country", "sex", "age_band",
    "scope", "state", "source", "owner",
)  # fmt: skip
VALUES: Final = (
    "key", "alias", "topic", "product", "condition", "target", "own", "open_places", "open", "in_france", "published",
    "demo",
)  # fmt: skip
NUMBERS: Final = ("minimum_age", "maximum_age", "updated_day", "confirmed_day")
ORDERS: Final = ("by_relevance", "by_updated", "by_start", "by_identifier")
# With less the index of 30,000 trials is in many pieces, and every search asks each of them.
WRITER_BYTES: Final = 50_000_000


def _schema() -> Schema:
    builder = SchemaBuilder()
    for name in WORDS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in FACETS:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    for name in VALUES:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in (*NUMBERS, *ORDERS):
        builder.add_integer_field(name, indexed=True, fast=True)
    builder.add_integer_field("number", stored=True)
    return builder.build()


SCHEMA: Final = _schema()
EVERYTHING: Final = Query.all_query()
NOTHING: Final = Query.empty_query()


def term(field: str, value: str) -> Query:
    """Return the query for the trials with a value."""
    return Query.term_query(SCHEMA, field, value, "basic")


def any_term(field: str, values: Iterable[str]) -> Query:
    """Return the query for the trials with one of some values."""
    # Ten times as fast as a query of a set of terms, which goes through the dictionary.
    return any_of(*(term(field, value) for value in values))


def beginning(field: str, word: str, errors: int = 0) -> Query:
    """Return the query for the trials with a word that begins so. ``errors``: how many letters may differ."""
    return Query.const_score_query(Query.fuzzy_term_query(SCHEMA, field, word, errors, True, True), 1.0)


def between(field: str, least: int | None, most: int | None) -> Query:
    """Return the query for the trials with a number in these bounds, both included."""
    return Query.range_query(SCHEMA, field, FieldType.Integer, least, most)


# Each query is copied into the one around it: a part alone is left as it is.
def all_of(*parts: Query) -> Query:
    if len(parts) == 1:
        return parts[0]
    return Query.boolean_query([(Occur.Must, part) for part in parts]) if parts else EVERYTHING


def any_of(*parts: Query) -> Query:
    return parts[0] if len(parts) == 1 else Query.boolean_query([(Occur.Should, part) for part in parts])


def but(part: Query, *excluded: Query) -> Query:
    """Return the query for the trials of one part without those of others."""
    return Query.boolean_query([(Occur.Must, part), *((Occur.MustNot, one) for one in excluded)])


# Groups of a list, level by level: no two queries of one level match the same trial.
Levels = Sequence[Sequence[Query]]


class Place(NamedTuple):
    """A place in a list: the number of its group, and its place in the order of the group."""

    group: int
    order: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A trial that was found, and its place in the list."""

    number: int
    place: Place


class View:
    """The index at one moment: all that is asked of one view agrees."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    def count(self, query: Query) -> int:
        """Return how many trials match."""
        found: Any = self._searcher.search(query, limit=1, count=True)  # its stub lacks `count`
        return int(found.count)

    def page(
        self, query: Query, levels: Levels, order: str, after: Place | None, limit: int, *, rising: bool = False
    ) -> list[Hit]:
        """Return the matching trials after a place, at most ``limit``: group by group, in each by its order.

        ``order``: one of `ORDERS`; the greatest comes first, or the least where it is ``rising``.
        """
        hits: list[Hit] = []
        first = after.group if after else 0
        for place, group in self._groups(query, levels, first, hits):
            parts = [group]
            if after and place == first:
                parts.append(between(order, after.order + 1, None) if rising else between(order, None, after.order - 1))
            found = self._searcher.search(
                all_of(*parts),
                limit=limit - len(hits),
                count=False,
                order_by_field=order,
                order=Order.Asc if rising else Order.Desc,
            )
            hits += [Hit(self._searcher.doc(where)["number"][0], Place(place, at)) for at, where in found.hits]
            if len(hits) >= limit:
                break
        return hits

    def _groups(
        self, query: Query, levels: Levels, first: int, hits: Sequence[Hit], begin: int = 0, most: int | None = None
    ) -> Iterator[tuple[int, Query]]:
        """Yield the groups from number ``first`` on: all combinations of the levels that can have a trial.

        ``hits``: what was found in the groups so far. ``most``: how many match, where that is known; with them all
        found, no group is left to be asked.
        """
        if not levels:
            yield begin, query
            return
        width, before = prod(len(level) for level in levels[1:]), len(hits)
        for number, part in enumerate(levels[0]):
            start, narrowed = begin + number * width, all_of(query, part)
            if start + width <= first:
                continue
            if len(hits) - before == most:
                return
            count = self.count(narrowed) if width > 1 else None
            if count != 0:
                yield from self._groups(narrowed, levels[1:], first, hits, start, count)

    def facets(self, query: Query, names: Sequence[str], size: int) -> tuple[int, dict[str, list[tuple[str, int]]]]:
        """Return how many trials match, and for each of these facets its most frequent values with their counts."""
        if not names:
            return self.count(query), {}
        asked: dict[str, Any] = {name: {"terms": {"field": name, "size": size}} for name in names}
        asked["total"] = {"value_count": {"field": "by_updated"}}  # every trial has one: it saves another search
        found: Mapping[str, Any] = self._searcher.aggregate(query, asked)
        return int(found["total"]["value"]), {
            name: sorted(
                ((one["key"], one["doc_count"]) for one in found[name]["buckets"]), key=lambda pair: (-pair[1], pair[0])
            )
            for name in names
        }


class TrialIndex:
    """The index, written by one task at a time and read by any thread."""

    def __init__(self) -> None:
        self._index = Index(SCHEMA)
        self._writer = self._index.writer(WRITER_BYTES, 1)

    @property
    def view(self) -> View:
        """What the index had at the last commit."""
        return View(self._index.searcher())

    def put(self, documents: Iterable[Fields]) -> None:
        """Add trials in place of what the index has of them, up to the next commit unseen."""
        for fields in documents:
            self._writer.delete_documents_by_term("key", fields["key"][0])
            self._writer.add_document(Document.from_dict(fields, SCHEMA))

    def remove(self, keys: Iterable[str]) -> None:
        """Remove trials, up to the next commit still seen."""
        for key in keys:
            self._writer.delete_documents_by_term("key", key)

    def commit(self) -> None:
        """Show what was put to those who ask from now on."""
        self._writer.commit()
        self._index.reload()
