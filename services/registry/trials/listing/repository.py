"""SQL for the index of trials: what changed since a position of the feed, and the trials as the index needs them."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Select, TextClause, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.centres.repository import CentreRepository
from services.registry.schema import FEED
from services.registry.search.documents import COORDINATION, CentreFacts, SiteFacts, TrialFacts
from services.registry.trials.model import StoredSite
from services.registry.trials.repository import TrialRepository
from services.registry.trials.sites.joining import SiteRow, with_sites
from services.registry.trials.sites.repository import SiteRepository
from services.registry.trials.statements.model import load_origins
from services.registry.trials.tables import sites, trials
from shared.access.policy import Rows
from shared.feed.changes import TRIAL_FACET
from shared.feed.log import Position
from shared.persistence import Database
from shared.vocabulary.identifiers import trial_id

_PRESENT = select(
    trials.c.key, trials.c.number, trials.c.document, trials.c.side, trials.c.provenance, trials.c.owner
).where(trials.c.merged_into.is_(None))


class StoredTrials:
    """Documents of trials for a caller, each call in a transaction of its own."""

    def __init__(self, database: Database, rows: Rows) -> None:
        self._database = database
        self._rows = rows

    async def plain(self, after: int, limit: int, *, demo: bool) -> Sequence[tuple[int, str]]:
        """Return (number, document) of trials with numbers above ``after``, in their order; ``demo``: also those."""
        async with self._database.read() as connection:
            found = await TrialRepository(connection).page(self._rows, after, limit, demo=demo)
            return joined(found, await SiteRepository(connection).states(keys_of(found)))

    async def plain_count(self, *, demo: bool) -> int:
        """Return how many trials there are."""
        async with self._database.read() as connection:
            return await TrialRepository(connection).count(self._rows, demo=demo)

    async def documents(self, numbers: Sequence[int]) -> dict[int, str]:
        """Return the documents of trials by number, in this order, without those that the caller no longer sees."""
        statement = documents_statement(is_sqlite=self._database.is_sqlite, published_only=self._rows != "all")
        async with self._database.read() as connection:
            rows = (await connection.execute(statement, {"numbers": json.dumps(numbers)})).all()
            states = await SiteRepository(connection).states(keys_of(rows))
        return in_order(numbers, joined(rows, states))


class IndexRepository:
    """Reads for the index, in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def position(self) -> Position:
        """Return the newest committed position of the feed."""
        return await FEED.position(self._connection)

    async def changed(self, after: int, last: int, limit: int) -> tuple[list[str], int]:
        """Return the subjects of the next entries of the feed, and the number of the last of them."""
        entries = FEED.entries.c
        statement = (
            select(entries.seq, entries.subject)
            .where(entries.seq > after, entries.seq <= last)
            .order_by(entries.seq)
            .limit(limit)
        )
        rows = (await self._connection.execute(statement)).all()
        return [row.subject for row in rows], rows[-1].seq if len(rows) == limit else last

    async def after(self, number: int, limit: int) -> list[TrialFacts]:
        """Return the next trials by number."""
        return await self._facts(_PRESENT.where(trials.c.number > number).order_by(trials.c.number).limit(limit))

    async def of_keys(self, keys: Collection[str]) -> list[TrialFacts]:
        """Return the trials with these ids, but for those that are merged into others."""
        return await self._facts(_PRESENT.where(trials.c.key.in_(keys)))

    async def of_centres(self, centres: Collection[str]) -> set[str]:
        """Return the ids of the trials with a site at one of these centres."""
        statement = select(sites.c.trial_key).where(sites.c.centre.in_(centres)).distinct()
        return set((await self._connection.execute(statement)).scalars())

    async def centres(self) -> dict[str, CentreFacts]:
        """Return the centres by id."""
        found = await CentreRepository(self._connection).page(None, 100_000)
        return {
            one.id: CentreFacts(one.id, one.name, one.city, one.departement, one.region, one.lat, one.lon)
            for one in found
        }

    async def _facts(self, statement: Select[Any]) -> list[TrialFacts]:
        rows = (await self._connection.execute(statement)).all()
        found: dict[str, list[SiteFacts]] = defaultdict(list)
        of_trials = select(sites).where(sites.c.trial_key.in_([row.key for row in rows]))
        for row in await self._connection.execute(of_trials):
            site = StoredSite.of_row(row)
            if site.is_known:
                places = sum(one.open for one in site.slots)
                found[row.trial_key].append(SiteFacts(site.centre, site.status, places, site.confirmed_at))
        return [
            TrialFacts(
                row.number,
                from_json(row.document),
                found[row.key],
                from_json(row.side)["facets"][TRIAL_FACET],
                {one.source for origins in load_origins(row.provenance).values() for one in origins} - {"declared"},
                row.owner or COORDINATION,
            )
            for row in rows
        ]


def documents_statement(*, is_sqlite: bool, published_only: bool) -> TextClause:
    """Return the statement for (number, document) of trials; it takes ``numbers``, a JSON list."""
    listed = (
        "SELECT value FROM json_each(:numbers)"
        if is_sqlite
        else "SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(CAST(:numbers AS text) AS json))"
    )
    condition = "published" if published_only else "merged_into IS NULL"
    return text(f"SELECT number, document FROM trials WHERE number IN ({listed}) AND {condition}")  # noqa: S608  no value


def keys_of(rows: Iterable[Sequence[Any]]) -> list[str]:
    """Return the ids of trials of which the rows have the numbers."""
    return [trial_id(row[0]) for row in rows]


def joined(rows: Iterable[Sequence[Any]], states: Mapping[str, Sequence[SiteRow]]) -> list[tuple[int, str]]:
    """Return rows (number, document) with the present state of the sites. ``states``: sites by trial."""
    now = datetime.now(UTC)
    return [(row[0], with_sites(row[1], states.get(trial_id(row[0]), ()), now)) for row in rows]


def in_order(numbers: Sequence[int], rows: Iterable[Sequence[Any]]) -> dict[int, str]:
    """Return the documents of rows (number, document) in the order of these numbers; what is gone is left out."""
    found = {row[0]: row[1] for row in rows}
    return {number: found[number] for number in numbers if number in found}
