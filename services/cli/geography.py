"""`cleio geo`: reads files of a geography and stores them in the registry's database."""

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
from services.registry.geography.files import Rows, UnreadableGeographyError, read_geography
from services.registry.geography.model import Commune, Kind, LoadedFile
from services.registry.geography.repository import GeographyRepository
from services.registry.geography.schemas import FileInput, FilesDocument, FilesInput
from services.registry.geography.service import GeographyService, packed
from services.registry.terminology.releases.opening import UnknownReleaseError, read_text
from shared.persistence import Writing

FILES: Final = "/registry/v1/internal/geography/files"


class UnusableFileError(OSError):
    """A file is none of the known ones, is damaged, or there are two of a kind."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file and what it describes."""

    path: Path
    kind: Kind
    text: str
    rows: Rows

    @property
    def inhabitants(self) -> int | None:
        """Of all communes; None: the file is of another kind."""
        found = [one.population for one in self.rows if isinstance(one, Commune) and not one.is_part]
        return sum(found) if self.kind == "communes" else None

    @property
    def unlocated(self) -> int:
        """The number of communes without coordinates."""
        return sum(isinstance(one, Commune) and one.place is None for one in self.rows)


def read_files(paths: Sequence[Path], *, progress: bool) -> list[ReadFile]:
    """Read the files, all before anything is stored.

    :raises UnusableFileError: one is none of the known files or is damaged, or there are two of a kind.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    found: dict[str, ReadFile] = {}
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        task = bar.add_task("files", total=len(paths))
        for path in paths:
            bar.update(task, description=path.name)
            try:
                text = read_text(path.read_bytes())
                kind, rows = read_geography(text)
            except (UnreadableGeographyError, UnknownReleaseError, OSError) as error:
                raise UnusableFileError(f"{path}: {error}") from None
            if kind in found:
                raise UnusableFileError(f"{path}: {found[kind].path.name} has {kind} too; name one file of a kind")
            found[kind] = ReadFile(path, kind, text, rows)
            bar.advance(task)
    return list(found.values())


def store_files(files: Sequence[ReadFile]) -> None:
    """Store the files in one transaction: by the registry where it runs on its SQLite file.

    :raises CallError: the registry refuses them.
    :raises WrongSchemaError: the database is not at this program's schema.
    """
    given = [
        FileInput(
            kind=one.kind,
            name=one.path.name,
            sha256=hashlib.sha256(one.text.encode()).hexdigest(),
            content=base64.b64encode(packed(one.text)).decode(),
        )
        for one in files
    ]
    body = FilesInput(files=given).model_dump(mode="json")
    in_registry(lambda connection: _service(connection).load(given), lambda registry: _send(registry, body))


def undo_last() -> list[LoadedFile]:
    """Remove the files that were loaded last and return them."""
    return in_registry(
        lambda connection: _service(connection).undo(),
        lambda registry: _files(registry.send("DELETE", f"{FILES}/last").content),
    )


def list_files() -> list[LoadedFile]:
    """Return the loaded files, the first one loaded first."""
    return in_registry(
        lambda connection: _service(connection).files(), lambda registry: _files(registry.send("GET", FILES).content)
    )


def _service(connection: Writing) -> GeographyService:
    return GeographyService(GeographyRepository(connection))


def _send(registry: Gateway, body: object) -> None:
    registry.send("POST", FILES, body=body)


def _files(answer: bytes) -> list[LoadedFile]:
    return [LoadedFile(**dict(one)) for one in FilesDocument.model_validate_json(answer).files]
