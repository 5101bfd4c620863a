"""Events of the registry's feed as readers get them: CloudEvents 1.0. They describe the feed in OpenAPI."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from shared.values.wire import Instant
from shared.vocabulary.recruitment import RecruitmentStatus


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


class TrialChangeData(ChangeData):
    """A change of a trial."""

    identifier: str = Field(description="The preferred public number of the trial.")


class StatusChangeData(TrialChangeData):
    """A change of the recruitment status of a trial."""

    from_: RecruitmentStatus = Field(alias="from", description="The status before.")
    to: RecruitmentStatus = Field(description="The status after.")


class SiteChangeData(ChangeData):
    """A change of a site."""

    trial: str = Field(description="The preferred public number of the trial.")
    trial_id: str = Field(description="The id of the trial.")
    centre: str = Field(description="The id of the centre.")
    status: RecruitmentStatus = Field(
        description="The effective recruitment status of the site: what was declared, else what the sources say."
    )


class RemovalData(BaseModel):
    """A subject that the reader may no longer see, or that no longer matches the filter."""

    op: Literal["delete"] = Field(description="`delete`: remove the copy of the subject.")
    id: str = Field(description="The id of the subject.")


class TrialEvent(CloudEvent):
    """A trial was published, changed or withdrawn, or its criteria were signed or became outdated."""

    type: Literal["trial.published", "trial.updated", "trial.withdrawn", "criteria.signed", "criteria.outdated"] = (
        Field(
            description="`trial.withdrawn` is for readers who may see unpublished trials; others get `trial.removed`. "
            "`criteria.outdated`: the source's eligibility changed after the criteria were signed."
        )
    )
    data: TrialChangeData = Field(description="What changed.")


class TrialStatusEvent(CloudEvent):
    """The recruitment status of a trial changed."""

    type: Literal["trial.status_changed"] = Field(description="The type of the event.")
    data: StatusChangeData = Field(description="What changed.")


class SiteEvent(CloudEvent):
    """A site opened or closed, its status or open places changed in another way, or nobody confirmed it in time."""

    type: Literal["site.opened", "site.slots_changed", "site.closed", "site.stale"] = Field(
        description="`site.stale`: what was declared is 30 days old; the version of the site stays."
    )
    data: SiteChangeData = Field(description="What changed.")


class CentreEvent(CloudEvent):
    """A centre was created or changed."""

    type: Literal["centre.updated"] = Field(description="The type of the event.")
    data: ChangeData = Field(description="What changed.")


class ClientEvent(CloudEvent):
    """The rights of a client or member changed or ended. For its own organisation and the coordination."""

    type: Literal["client.revoked"] = Field(description="The type of the event.")
    data: ChangeData = Field(description="What changed.")


class TerminologyEvent(CloudEvent):
    """The terminology changed: read it again from `/terminology/document`."""

    type: Literal["terminology.updated"] = Field(description="The type of the event.")
    data: ChangeData = Field(description="What changed.")


class ConflictData(ChangeData):
    """New conflicts about a trial. ``changed``: the fields in conflict."""

    trial: str = Field(description="The preferred public number of the trial.")
    trial_id: str = Field(description="The id of the trial.")


class ConflictEvent(CloudEvent):
    """Sources, or a source and a person, disagree about a trial. For the coordination and authorities."""

    type: Literal["source.conflict"] = Field(description="The type of the event.")
    data: ConflictData = Field(description="What is in conflict: read the conflicts of the trial.")


class RemovalEvent(CloudEvent):
    """The tombstone of a subject. It passes every filter of types, so that copies can be deleted."""

    type: Literal["trial.removed", "site.removed", "centre.removed", "client.removed"] = Field(
        description="The kind of the subject, and `removed`."
    )
    data: RemovalData = Field(description="What to remove.")


RegistryEvent: TypeAlias = Annotated[
    TrialEvent
    | TrialStatusEvent
    | SiteEvent
    | CentreEvent
    | ClientEvent
    | TerminologyEvent
    | ConflictEvent
    | RemovalEvent,
    Field(discriminator="type"),
]
