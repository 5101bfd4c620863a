"""Requests of CDS Hooks on the wire. EHRs add members of their own: those are not read."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Open(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class HookContext(_Open):
    """The context of `patient-view`."""

    patient_id: str = Field(alias="patientId", max_length=256, description="The id of the patient in the EHR; unused.")


class HookRequest(_Open):
    """A call of the service."""

    hook: Literal["patient-view"] = Field(description="The hook.")
    hook_instance: str = Field(alias="hookInstance", max_length=100, description="A UUID of this call; unused.")
    context: HookContext = Field(description="The context of the hook.")
    prefetch: dict[str, Any] | None = Field(
        default=None, description="Resources and Bundles by the keys of `/cds-services`; null where there is none."
    )


class FeedbackItem(_Open):
    """What a clinician did with one card."""

    outcome: Literal["accepted", "overridden"] = Field(description="What was done with the card.")


class Feedback(_Open):
    """What clinicians did with cards. It is counted; nothing else of it is kept."""

    feedback: list[FeedbackItem] = Field(max_length=100, description="One item for each card.")
