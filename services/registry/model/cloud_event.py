"""What every event of the registry's feed has: CloudEvents 1.0."""

from typing import Literal

from pydantic import BaseModel, Field

from shared.values.wire import Instant


class CloudEvent(BaseModel):
    """The attributes of every event (CloudEvents 1.0)."""

    specversion: Literal["1.0"] = Field(description="The version of CloudEvents.")
    id: str = Field(description="The id of the event: recognise repeated deliveries by it.")
    source: str = Field(description="The service that sends the event.")
    subject: str = Field(description="The kind and the id of what changed: `trial/CL00000012`.")
    time: Instant = Field(description="When the change was made.")
    datacontenttype: Literal["application/json"] = Field(description="The media type of `data`.")


class ChangeData(BaseModel):
    """What changed: ids, version and names of fields, never contents. Read the subject to get its new state."""

    op: Literal["upsert"] = Field(description="`upsert`: read the subject again.")
    id: str = Field(description="The id of the subject.")
    version: int = Field(description="The version that the change made.")
    changed: list[str] = Field(description="The fields that changed.")
