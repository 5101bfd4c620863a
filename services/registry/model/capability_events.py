"""Events of capabilities, and of what the parties of a trial state to prepare its sites."""

from typing import Literal

from pydantic import Field

from services.registry.model.cloud_event import ChangeData, CloudEvent


class CapabilityData(ChangeData):
    """A capability of a centre."""

    centre: str = Field(description="The id of the centre.")
    code: str = Field(description="The code of the capability.")


class CapabilityEvent(CloudEvent):
    """A centre stated a capability, or changed what it had stated."""

    type: Literal["capability.changed"] = Field(description="The type of the event.")
    data: CapabilityData = Field(description="Which capability: read it again.")


class ExpiryData(CapabilityData):
    """A capability that expires. Its version stays."""

    days: Literal["90", "30", "0"] = Field(description="How many days before the last valid day it was sent, at most.")


class ExpiryEvent(CloudEvent):
    """A capability of a centre expires. For the centre and the coordination."""

    type: Literal["capability.expiring"] = Field(description="The type of the event.")
    data: ExpiryData = Field(description="Which capability.")


class ActivationData(ChangeData):
    """What a party of a trial stated to prepare its sites."""

    trial: str = Field(description="The preferred public number of the trial.")
    trial_id: str = Field(description="The id of the trial.")
    part: Literal["needs", "follow_up", "gmo", "path", "checklist"] = Field(
        description="What of it: needs of the product, schedule of follow-up, GMO declaration, regulatory path, "
        "opening checklist of a site."
    )
    centre: str | None = Field(default=None, description="The id of the centre; absent: of the whole trial.")
    item: str | None = Field(default=None, description="The step or item; absent: the part has one document.")


class ActivationEvent(CloudEvent):
    """A party of a trial stated something to prepare its sites. For its sponsor, its centres and the coordination."""

    type: Literal["activation.changed"] = Field(description="The type of the event.")
    data: ActivationData = Field(description="What changed: read it again.")
