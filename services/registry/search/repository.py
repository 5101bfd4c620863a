"""The index of words and facets: the only SQL that reads and writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.search.model import SearchQuery, fts5_expression, tsquery, tsvector

PUBLISHED, UNPUBLISHED = "search_published", "search_unpublished"


@dataclass(frozen=True, slots=True)
class SearchRepository:
    """The search index in one transaction. It knows a trial by its number, which is also the order of results."""

    connection: AsyncConnection

    @property
    def is_sqlite(self) -> bool:
        return self.connection.dialect.name == "sqlite"

    async def put(self, number: int, terms: Sequence[str], *, published: bool) -> None:
        """Index a trial under these terms, in place of those it had."""
        await self.remove(number)
        name = PUBLISHED if published else UNPUBLISHED
        value = " ".join(terms) if self.is_sqlite else tsvector(terms)
        await self.connection.execute(_insert(name, self.is_sqlite), {"number": number, "terms": value})

    async def remove(self, number: int) -> None:
        for name in (PUBLISHED, UNPUBLISHED):
            await self.connection.execute(_delete(name, self.is_sqlite), {"number": number})

    async def page(self, query: SearchQuery, *, published_only: bool, after: int, limit: int) -> list[tuple[int, str]]:
        """(number, document) of matching trials with greater numbers than ``after``, in order."""
        if query.never:
            return []
        statement = SearchStatements.page(is_sqlite=self.is_sqlite, published_only=published_only)
        rows = await self.connection.execute(
            statement,
            {"query": SearchStatements.render(query, is_sqlite=self.is_sqlite), "after": after, "limit": limit},
        )
        return [(row.number, row.document) for row in rows]

    async def count(self, query: SearchQuery, *, published_only: bool) -> int:
        """How many trials match."""
        if query.never:
            return 0
        statement = SearchStatements.count(is_sqlite=self.is_sqlite, published_only=published_only)
        return int(
            (
                await self.connection.execute(
                    statement, {"query": SearchStatements.render(query, is_sqlite=self.is_sqlite)}
                )
            ).scalar_one()
        )

    async def size(self) -> int:
        """How many trials are indexed."""
        statement = text(f"SELECT (SELECT count(*) FROM {PUBLISHED}) + (SELECT count(*) FROM {UNPUBLISHED})")
        return int((await self.connection.execute(statement)).scalar_one())


@cache
def _insert(name: str, is_sqlite: bool) -> TextClause:
    if is_sqlite:
        return text(f"INSERT INTO {name} (rowid, terms) VALUES (:number, :terms)")
    return text(f"INSERT INTO {name} (number, terms) VALUES (:number, CAST(CAST(:terms AS text) AS tsvector))")


@cache
def _delete(name: str, is_sqlite: bool) -> TextClause:
    return text(f"DELETE FROM {name} WHERE {'rowid' if is_sqlite else 'number'} = :number")


@cache
def _page(is_sqlite: bool, published_only: bool) -> TextClause:
    # Find the matches by the index alone first: planners would scan the trials in order where they expect many matches.
    hits = " UNION ALL ".join(_hits(name, is_sqlite) for name in _names(published_only))
    kind = "" if is_sqlite else "MATERIALIZED "
    return text(
        f"WITH hits AS {kind}({hits}), page AS (SELECT number FROM hits ORDER BY number LIMIT :limit)"
        " SELECT trials.number, trials.document FROM page JOIN trials ON trials.number = page.number"
        " ORDER BY page.number"
    )


@cache
def _count(is_sqlite: bool, published_only: bool) -> TextClause:
    counts = " + ".join(
        f"(SELECT count(*) FROM {name} WHERE {_matches(name, is_sqlite)})" for name in _names(published_only)
    )
    return text(f"SELECT {counts}")


def _names(published_only: bool) -> tuple[str, ...]:
    return (PUBLISHED,) if published_only else (PUBLISHED, UNPUBLISHED)


def _hits(name: str, is_sqlite: bool) -> str:
    if is_sqlite:
        # In the order of the index, so that no more than a page is looked at.
        return (
            f"SELECT * FROM (SELECT rowid AS number FROM {name} WHERE {_matches(name, is_sqlite)}"
            " AND rowid > :after ORDER BY rowid LIMIT :limit)"
        )
    return f"SELECT number FROM {name} WHERE {_matches(name, is_sqlite)} AND number > :after"


def _matches(name: str, is_sqlite: bool) -> str:
    return f"{name} MATCH :query" if is_sqlite else "terms @@ CAST(CAST(:query AS text) AS tsquery)"


class SearchStatements:
    """The statements that read the index, and the form of a query that they take."""

    @staticmethod
    def page(*, is_sqlite: bool, published_only: bool) -> TextClause:
        """Takes ``query``, ``after`` and ``limit``."""
        return _page(is_sqlite, published_only)

    @staticmethod
    def count(*, is_sqlite: bool, published_only: bool) -> TextClause:
        """Takes ``query``."""
        return _count(is_sqlite, published_only)

    @staticmethod
    def render(query: SearchQuery, *, is_sqlite: bool) -> str:
        """The query as an FTS5 expression or a tsquery."""
        return fts5_expression(query) if is_sqlite else tsquery(query)
