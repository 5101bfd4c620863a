"""`cleio terminology`: reads release files and stores what they say in the registry's database."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.cli.gateway import Gateway
from services.cli.registry_database import in_registry
from services.registry.terminology.model import LoadedRelease
from services.registry.terminology.releases.draft import Draft
from services.registry.terminology.releases.opening import UnknownReleaseError, read_release
from services.registry.terminology.releases.statements import write_statements
from services.registry.terminology.repository import TerminologyRepository
from services.registry.terminology.schemas import ReleaseInput, ReleasesDocument, ReleasesInput
from services.registry.terminology.service import TerminologyService
from shared.persistence import Writing

RELEASES: Final = "/registry/v1/internal/terminology/releases"


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


def store_releases(releases: Sequence[ReadRelease]) -> None:
    """Store the releases in one transaction: by the registry where it runs on its SQLite file.

    :raises CallError: the registry refuses them.
    :raises WrongSchemaError: the database is not at this program's schema.
    """
    given = [
        ReleaseInput(
            name=one.path.name,
            kind=one.kind,
            sha256=hashlib.sha256(one.path.read_bytes()).hexdigest(),
            codes=len(one.draft.codes),
            content=base64.b64encode(write_statements(one.draft)).decode(),
        )
        for one in releases
    ]
    body = ReleasesInput(releases=given).model_dump(mode="json")
    in_registry(lambda connection: _service(connection).load(given), lambda registry: _send(registry, body))


def undo_last() -> LoadedRelease | None:
    """Remove the release that was loaded last and return it."""
    return in_registry(
        lambda connection: _service(connection).undo(),
        lambda registry: next(iter(_releases(registry.send("DELETE", f"{RELEASES}/last").content)), None),
    )


def list_releases() -> list[LoadedRelease]:
    """Return the loaded releases, the first one loaded first."""
    return in_registry(
        lambda connection: _service(connection).releases(),
        lambda registry: _releases(registry.send("GET", RELEASES).content),
    )


def _service(connection: Writing) -> TerminologyService:
    return TerminologyService(TerminologyRepository(connection))


def _send(registry: Gateway, body: object) -> None:
    registry.send("POST", RELEASES, body=body)


def _releases(answer: bytes) -> list[LoadedRelease]:
    found = ReleasesDocument.model_validate_json(answer)
    return [LoadedRelease(**dict(one)) for one in found.releases]
