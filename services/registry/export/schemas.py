"""The lines of the export. They describe it in OpenAPI only: the service writes stored documents."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from services.registry.centres.schemas import Centre
from services.registry.model.shown import Trial
from services.registry.model.site import Site
from shared.criteria.model import CriteriaDocument


class ExportHeader(BaseModel):
    """The first line."""

    kind: Literal["header"] = Field(description="The kind of line.")
    following: str = Field(
        description="The path of the feed from a cursor taken before anything was read: follow it after loading."
    )
    terminology: str = Field(description="The version of the terminology.")


class ExportCentre(BaseModel):
    """A centre."""

    kind: Literal["centre"] = Field(description="The kind of line.")
    centre: Centre = Field(description="The centre.")


class ExportTrial(BaseModel):
    """A trial with its criteria and sites."""

    kind: Literal["trial"] = Field(description="The kind of line.")
    id: str = Field(description="The `id` of the trial.")
    version: int = Field(description="The version of the trial.")
    trial: Trial = Field(description="The trial.")
    criteria: CriteriaDocument | None = Field(description="The computable criteria in force; null: there are none.")
    sites: list[Site] = Field(description="The sites of the trial.")
    provenance: dict[str, list[list[str | int | None]]] = Field(
        description="Where each field comes from, by path: lists of source, id there, day, and number of the statement."
    )


class ExportEnd(BaseModel):
    """The last line. A file without it is incomplete."""

    kind: Literal["end"] = Field(description="The kind of line.")
    count: int = Field(description="The number of lines between the first and this one.")


ExportLine: TypeAlias = Annotated[ExportHeader | ExportCentre | ExportTrial | ExportEnd, Field(discriminator="kind")]
