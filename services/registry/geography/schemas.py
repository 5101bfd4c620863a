"""Request and response bodies of the internal routes for loaded geographies."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from services.registry.geography.model import Kind, LoadedFile
from shared.values.wire import ApiModel


class FileInput(ApiModel):
    """A file of a geography, as the command line has read it."""

    kind: Kind = Field(description="What it describes.")
    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="The name of the file.")
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] = Field(description="The hash of the file.")
    content: str = Field(description="The file, compressed (gzip) and in base64.")


class FilesInput(ApiModel):
    """Files to store together."""

    files: Annotated[list[FileInput], Field(min_length=1, max_length=3)] = Field(
        description="The files, one of a kind."
    )


class FileDocument(ApiModel):
    """A loaded file."""

    version: int = Field(description="The load: files that were loaded together have the same.")
    kind: Kind = Field(description="What it describes.")
    name: str = Field(description="The name of the file.")
    sha256: str = Field(description="The hash of the file.")
    rows: int = Field(description="The number of its places.")
    loaded_at: datetime = Field(description="When it was loaded.")


class FilesDocument(ApiModel):
    """Loaded files, the first one loaded first."""

    files: list[FileDocument] = Field(description="The files. Of each kind the last one is in use.")

    @classmethod
    def of(cls, files: Iterable[LoadedFile]) -> Self:
        return cls(files=[FileDocument.model_validate(one, from_attributes=True) for one in files])
