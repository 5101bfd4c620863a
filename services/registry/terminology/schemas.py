"""Request and response bodies of the internal routes for loaded releases."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from services.registry.terminology.model import LoadedRelease
from shared.values.wire import ApiModel


class ReleaseInput(ApiModel):
    """What a release file says, as the command line has read it."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="The name of the file.")
    kind: Annotated[str, Field(min_length=1, max_length=40)] = Field(description="Its format.")
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] = Field(description="The hash of the file.")
    codes: Annotated[int, Field(ge=0)] = Field(description="The number of its codes.")
    content: str = Field(description="Its statements, as compressed text in base64.")


class ReleasesInput(ApiModel):
    """Releases to store together."""

    releases: Annotated[list[ReleaseInput], Field(min_length=1, max_length=100)] = Field(description="The releases.")


class ReleaseDocument(ApiModel):
    """A loaded release."""

    number: int = Field(description="Its number; a later release has a higher one.")
    name: str = Field(description="The name of the file.")
    kind: str = Field(description="Its format.")
    sha256: str = Field(description="The hash of the file.")
    codes: int = Field(description="The number of its codes.")
    loaded_at: datetime = Field(description="When it was loaded.")


class ReleasesDocument(ApiModel):
    """Loaded releases, the first one loaded first."""

    releases: list[ReleaseDocument] = Field(description="The releases.")

    @classmethod
    def of(cls, releases: Sequence[LoadedRelease]) -> Self:
        return cls(releases=[ReleaseDocument.model_validate(one, from_attributes=True) for one in releases])
