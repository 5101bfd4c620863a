"""`cleio terminology`: reads release files and stores what they say in the registry's database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.cli.copying import opened
from services.cli.databases import metadata_of, settings_of, tree_of
from services.registry.terminology.model import LoadedRelease
from services.registry.terminology.releases.draft import Draft
from services.registry.terminology.releases.opening import UnknownReleaseError, read_release
from services.registry.terminology.repository import TerminologyRepository
from services.registry.terminology.service import TerminologyService
from shared.persistence.copying import check_reachable
from shared.persistence.migrations import check_schema


class UnreadableReleaseError(OSError):
    """A file is none of the known releases, or it is damaged."""


@dataclass(frozen=True, slots=True)
class ReadRelease:
    """A release file and what it says. ``new``: how many of its codes the terminology does not have yet."""

    path: Path
    kind: str
    draft: Draft
    new: int


def read_releases(paths: Sequence[Path], *, progress: bool) -> list[ReadRelease]:
    """Read the files, all before anything is stored.

    :raises UnreadableReleaseError: one is none of the known releases.
    """
    from services.registry.terminology.terminology import builtin

    known = builtin().graph
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    found = []
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        task = bar.add_task("files", total=len(paths))
        for path in paths:
            bar.update(task, description=path.name)
            try:
                kind, draft = read_release(path)
            except (UnknownReleaseError, OSError) as error:
                raise UnreadableReleaseError(
                    f"{path}: not a release that can be read ({type(error).__name__})"
                ) from None
            found.append(ReadRelease(path, kind, draft, sum(code not in known.nodes.number for code in draft.codes)))
            bar.advance(task)
    return found


async def store_releases(releases: Sequence[ReadRelease]) -> None:
    """Store the releases in one transaction.

    :raises OwnedElsewhereError: the registry runs on its SQLite file.
    :raises WrongSchemaError: the database is not at this program's schema.
    """
    async with _service() as service:
        for one in releases:
            await service.load(one.path, one.draft, one.kind)


async def undo_last() -> LoadedRelease | None:
    """Remove the release that was loaded last and return it."""
    async with _service() as service:
        return await service.undo()


async def list_releases() -> list[LoadedRelease]:
    """Return the loaded releases, the first one loaded first."""
    async with _service() as service:
        return await service.releases()


@asynccontextmanager
async def _service() -> AsyncIterator[TerminologyService]:
    async with opened(settings_of("registry").database, must_exist=True) as database:
        await check_reachable(database)
        await check_schema(database, tree_of("registry"), metadata_of("registry"))
        async with database.transaction() as connection:
            yield TerminologyService(TerminologyRepository(connection))
