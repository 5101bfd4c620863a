"""The statements of anonymous reads of trials."""

import json
from collections.abc import Sequence
from typing import Any

from services.registry.trials.listing.repository import documents_statement, in_order, joined, keys_of
from services.registry.trials.repository import BY_ALIAS, IS_PUBLIC_NAME, PLAIN_COUNT, PLAIN_PAGE, is_one_trial
from services.registry.trials.sites.repository import STATES, by_trial
from services.registry.trials.tables import trials
from shared.persistence.direct import DirectReads, DirectStatement
from shared.vocabulary.identifiers import alias_of

_BY_ALIAS = BY_ALIAS.with_only_columns(
    trials.c.number, trials.c.document, trials.c.version, IS_PUBLIC_NAME, maintain_column_froms=True
).where(trials.c.published.is_(True))


class PublicTrials:
    """Published trials: a statement for their documents, and one for the present state of their sites."""

    def __init__(self, reads: DirectReads) -> None:
        self._reads = reads
        compiled = {
            "find": _BY_ALIAS,
            "sites": STATES[reads.is_sqlite],
            "documents": documents_statement(is_sqlite=reads.is_sqlite, published_only=True),
            "plain": PLAIN_PAGE[True, True],
            "plain without demo": PLAIN_PAGE[True, False],
            "plain count": PLAIN_COUNT[True, True],
            "plain count without demo": PLAIN_COUNT[True, False],
        }
        self._statements = {name: DirectStatement(one, is_sqlite=reads.is_sqlite) for name, one in compiled.items()}

    async def find(self, identifier: str) -> tuple[str, int] | None:
        """Return document and version of the trial with this name, in any spelling."""
        found = await self._fetch("find", alias=alias_of(identifier))
        if not is_one_trial([row[3] for row in found]):
            return None
        ((_, document),) = await self._joined(found[:1])
        return document, found[0][2]

    async def plain(self, after: int, limit: int, *, demo: bool) -> Sequence[Sequence[Any]]:
        """Return (number, document) of trials with numbers above ``after``, in their order; ``demo``: also those."""
        return await self._joined(
            await self._fetch("plain" if demo else "plain without demo", after=after, limit=limit)
        )

    async def plain_count(self, *, demo: bool) -> int:
        """Return how many trials there are."""
        found = await self._fetch("plain count" if demo else "plain count without demo")
        return int(found[0][0])

    async def documents(self, numbers: Sequence[int]) -> dict[int, str]:
        """Return the documents of trials by number, in this order, without those that are not public any more."""
        return in_order(numbers, await self._joined(await self._fetch("documents", numbers=json.dumps(numbers))))

    async def _joined(self, rows: Sequence[Sequence[Any]]) -> list[tuple[int, str]]:
        states = by_trial(await self._fetch("sites", keys=json.dumps(keys_of(rows)))) if rows else {}
        return joined(rows, states)

    async def _fetch(self, name: str, **values: Any) -> Sequence[Sequence[Any]]:
        statement = self._statements[name]
        return await self._reads.fetch(statement, {**statement.constants, **values})
