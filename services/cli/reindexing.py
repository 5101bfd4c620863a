"""`cleio db reindex`: write the search words of all trials anew."""

from services.cli.copying import opened
from services.cli.databases import metadata_of, settings_of, tree_of
from shared.persistence.copying import check_reachable
from shared.persistence.migrations import check_schema


async def reindex_trials() -> int:
    """Write the search words of every trial as this version makes them; return how many have changed.

    Trials, their versions and the feed stay as they are. Each slice is a transaction of its own, so that a run that was
    interrupted can be repeated.

    :raises OwnedElsewhereError: the registry runs on its SQLite file.
    :raises UnreachableDatabaseError: the database cannot be opened.
    :raises WrongSchemaError: the database is not at this program's schema.
    """
    from services.registry.terminology.terminology import builtin
    from services.registry.trials.repository import TrialRepository
    from services.registry.trials.search import words_of

    terminology, written, after = builtin(), 0, 0
    async with opened(settings_of("registry").database, must_exist=True) as database:
        await check_reachable(database)
        await check_schema(database, tree_of("registry"), metadata_of("registry"))
        while True:
            async with database.transaction() as connection:
                count, after = await TrialRepository(connection).write_words(
                    lambda trial: words_of(trial, terminology), after
                )
            written += count
            if not after:
                return written
