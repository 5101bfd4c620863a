"""Concepts as answers have them, and the bodies of the internal routes for loaded releases."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from services.registry.terminology.model import LoadedRelease
from shared.values.wire import ApiModel, Label


class ConceptDocument(ApiModel):
    """A concept of the terminology."""

    code: str = Field(description="The code, as `SYSTEM:code`.")
    system: str = Field(description="The code system.")
    label: Label = Field(description="The preferred name. French falls back to English.")
    synonyms: dict[str, list[str]] = Field(description="Other names, by language.")
    parents: list[str] = Field(description="The codes of more general concepts.")
    same_as: list[str] = Field(description="Codes of the same concept in other systems.")
    exclusive_with: list[str] = Field(description="Codes that a patient cannot have together with this one.")
    children: list[str] = Field(description="Narrower codes of other systems; ranges of ICD-10 (`ICD10:C00-C97`) too.")
    covers: list[str] = Field(description="Systems in which `children` has every code of the concept.")
    uncertain: list[str] = Field(description="Codes that may or may not be the concept.")
    state: str | None = Field(
        description="How long the state lasts: `permanent`, `persists` until shown ended, `passing`, `exposure` or "
        "`event`; null: as a more general concept says."
    )
    longest: str | None = Field(description="The longest plausible duration of a passing state (ISO 8601).")


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
