"""The statements of anonymous reads of trials."""

from collections.abc import Sequence
from typing import Any

from services.registry.search.model import SearchQuery
from services.registry.search.repository import SearchStatements
from services.registry.trials.repository import BY_ALIAS, PLAIN_COUNT, PLAIN_PAGE, is_one_trial
from services.registry.trials.tables import trial_aliases, trials
from shared.persistence.direct import DirectReads, DirectStatement
from shared.vocabulary.identifiers import alias_of

_BY_ALIAS = BY_ALIAS.with_only_columns(
    trials.c.document, trials.c.version, trial_aliases.c.is_public, maintain_column_froms=True
).where(trials.c.published.is_(True))


class PublicTrials:
    """Published trials, each call one statement."""

    def __init__(self, reads: DirectReads) -> None:
        self._reads = reads
        compiled = {
            "find": _BY_ALIAS,
            "search": SearchStatements.page(is_sqlite=reads.is_sqlite, published_only=True),
            "count": SearchStatements.count(is_sqlite=reads.is_sqlite, published_only=True),
            "plain": PLAIN_PAGE[True, True],
            "plain without demo": PLAIN_PAGE[True, False],
            "plain count": PLAIN_COUNT[True, True],
            "plain count without demo": PLAIN_COUNT[True, False],
        }
        self._statements = {name: DirectStatement(one, is_sqlite=reads.is_sqlite) for name, one in compiled.items()}

    async def find(self, identifier: str) -> tuple[str, int] | None:
        """Return document and version of the trial with this name, in any spelling."""
        found = await self._fetch("find", alias=alias_of(identifier))
        return (found[0][0], found[0][1]) if is_one_trial([row[2] for row in found]) else None

    async def page(self, query: SearchQuery, after: int, limit: int) -> Sequence[Sequence[Any]]:
        """Return (number, document) of matching trials with numbers above ``after``, in their order."""
        if query.never:
            return []
        if query.is_plain:
            return await self._fetch("plain" if query.demo else "plain without demo", after=after, limit=limit)
        return await self._fetch("search", query=self._render(query), after=after, limit=limit)

    async def count(self, query: SearchQuery) -> int:
        """How many trials match."""
        if query.never:
            return 0
        if query.is_plain:
            found = await self._fetch("plain count" if query.demo else "plain count without demo")
        else:
            found = await self._fetch("count", query=self._render(query))
        return int(found[0][0])

    def _render(self, query: SearchQuery) -> str:
        return SearchStatements.render(query, is_sqlite=self._reads.is_sqlite)

    async def _fetch(self, name: str, **values: Any) -> Sequence[Sequence[Any]]:
        statement = self._statements[name]
        return await self._reads.fetch(statement, {**statement.constants, **values})
