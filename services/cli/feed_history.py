"""`cleio feed new-generation`: after a fail-over, make consumers of a feed load their copy again."""

import importlib
from dataclasses import dataclass

from services.cli.copying import opened
from services.cli.databases import metadata_of, settings_of, tree_of
from shared.feed.log import FeedLog, Position, next_generation
from shared.persistence import Database
from shared.persistence.copying import check_reachable
from shared.persistence.migrations import check_schema


class NoFeedError(RuntimeError):
    """The service has no feed."""


@dataclass(frozen=True, slots=True)
class NewGeneration:
    """The end of the feed before the change, and the number of its new history."""

    before: Position
    number: int


async def begin_generation(service: str, *, dry_run: bool) -> NewGeneration:
    """Begin a new history of the service's feed; a dry run only says what would happen.

    :raises NoFeedError: the service has no feed.
    :raises OwnedElsewhereError: the service runs on its SQLite file.
    :raises UnreachableDatabaseError: the database cannot be opened.
    :raises WrongSchemaError: the database is not at this program's schema.
    """
    log = _feed_of(service)
    async with opened(settings_of(service).database, must_exist=True) as database:
        await check_reachable(database)
        await check_schema(database, tree_of(service), metadata_of(service))
        return await (_preview(database, log) if dry_run else _begin(database, log))


async def _preview(database: Database, log: FeedLog) -> NewGeneration:
    async with database.read() as connection:
        position = await log.position(connection)
    return NewGeneration(position, next_generation(position.generation))


async def _begin(database: Database, log: FeedLog) -> NewGeneration:
    async with database.transaction() as connection:
        position = await log.position(connection)
        return NewGeneration(position, await log.new_generation(connection))


def _feed_of(service: str) -> FeedLog:
    if service not in {"registry", "matching", "notifications"}:
        raise NoFeedError(f"{service} is not a service; the registry has a feed")
    try:
        log: FeedLog = importlib.import_module(f"services.{service}.schema").FEED
    except (ImportError, AttributeError):
        raise NoFeedError(f"{service} has no feed; the registry has one") from None
    return log
