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


class MergeData(TrialChangeData):
    """Two trials were merged or separated."""

    merged: str = Field(description="The id of the trial that was merged or separated.")
    into: str = Field(description="The id of the other trial.")


class MergeEvent(CloudEvent):
    """Two trials were merged, or are separate again: for the followers of both."""

    type: Literal["trial.merged", "trial.unmerged"] = Field(
        description="`trial.merged`: `into` answers for the subject, `merged`, from now on; its removal follows. "
        "`trial.unmerged`: the subject, `into`, no longer answers for `merged`; what became of each of them follows."
    )
    data: MergeData = Field(description="Which trials.")


class SiteEvent(CloudEvent):
    """A site opened or closed, its status or open places changed in another way, or it was not confirmed in time."""

    type: Literal["site.opened", "site.slots_changed", "site.closed", "site.stale"] = Field(
        description="`site.stale`: what was declared is 30 days old; the version of the site stays."
    )
    data: SiteChangeData = Field(description="What changed.")


class HoldData(ChangeData):
    """A safety hold. ``changed``: `imposed` or `lifted`."""

    trial: str = Field(description="The preferred public number of the trial.")
    trial_id: str = Field(description="The id of the trial.")
    scope: str = Field(description="Its scope, as in `/holds`.")
    target: str | None = Field(default=None, description="The country, centre or cohort, where it is only on that.")


class HoldEvent(CloudEvent):
    """A safety hold was imposed on a trial, or lifted."""

    type: Literal["trial.safety_hold"] = Field(description="The type of the event.")
    data: HoldData = Field(description="Which hold: read it from `/holds/{id}`.")


class ClassAlertData(ChangeData):
    """A trial shares properties with one that is on hold. ``changed``: which, by code."""

    trial: str = Field(description="The preferred public number of the trial that is alerted.")
    trial_id: str = Field(description="The id of that trial.")
    hold: str = Field(description="The id of the hold on the other trial.")


class ClassAlertEvent(CloudEvent):
    """A hold on a trial with the same product, or the same vector and serotype. For the parties of the trial."""

    type: Literal["trial.class_alert"] = Field(description="The type of the event. No status has changed.")
    data: ClassAlertData = Field(description="Which trial, and which hold.")


class EnrolmentData(ChangeData):
    """The places of a cohort at a centre."""

    trial: str = Field(description="The preferred public number of the trial.")
    trial_id: str = Field(description="The id of the trial.")
    centre: str = Field(description="The id of the centre.")
    cohort: str = Field(description="The id of the cohort; `all`: of a trial without cohorts.")


class EnrolmentEvent(CloudEvent):
    """The places of a cohort at a centre were declared or changed. The event has no numbers."""

    type: Literal["enrolment.changed"] = Field(description="The type of the event.")
    data: EnrolmentData = Field(description="Which places: read them from the enrolment of the trial.")


class PlaceData(EnrolmentData):
    """The place of a referral. ``id``: the reference of the referral."""

    state: str = Field(description="The state of the place.")


class PlaceEvent(CloudEvent):
    """A place was asked for, decided on, expired, or needs a decision. For the coordination and who allocates it."""

    type: Literal["enrolment.requested", "enrolment.decided", "enrolment.expired", "enrolment.decision_due"] = Field(
        description="`enrolment.decision_due`: also when a patient who waits can no longer be dosed in time "
        "(`changed`: `too_late`)."
    )
    data: PlaceData = Field(description="Which place.")


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


class SyncData(ChangeData):
    """The end of a run of synchronisation. ``version``: the number of the run."""

    source: str = Field(description="The name of the source.")


class SyncEvent(CloudEvent):
    """A source was synchronised. For the coordination and authorities."""

    type: Literal["source.synced"] = Field(description="The type of the event.")
    data: SyncData = Field(description="Which source: read its state.")


class RecordData(ChangeData):
    """A record that its source no longer has, or has again."""

    source: str = Field(description="The name of the source.")
    source_id: str = Field(description="The id of the record in its source.")
    trial: str | None = Field(default=None, description="The preferred public number of its trial, if it has one.")
    trial_id: str | None = Field(default=None, description="The id of that trial.")


class RecordEvent(CloudEvent):
    """A source no longer has a record, or has it again. For the coordination and authorities."""

    type: Literal["source.missing", "source.found"] = Field(description="The type of the event.")
    data: RecordData = Field(description="Which record.")


class ReviewData(ChangeData):
    """An item of the review queue. ``id``: of the item."""

    kind: str = Field(description="The kind of the item, as in `/reviews`.")
    trial: str | None = Field(default=None, description="The preferred public number of the trial.")
    trial_id: str | None = Field(default=None, description="The id of the trial; absent: a record that is no trial.")


class ReviewEvent(CloudEvent):
    """Something waits for a decision, was decided or undone, or does not wait any more. For the coordination."""

    type: Literal["review.opened", "review.decided", "review.closed"] = Field(description="The type of the event.")
    data: ReviewData = Field(description="Which item: read it from `/reviews/{id}`.")


class RemovalEvent(CloudEvent):
    """The tombstone of a subject. It passes every filter of types, so that copies can be deleted."""

    type: Literal["trial.removed", "site.removed", "centre.removed", "client.removed"] = Field(
        description="The kind of the subject, and `removed`."
    )
    data: RemovalData = Field(description="What to remove.")


RegistryEvent: TypeAlias = Annotated[
    TrialEvent
    | TrialStatusEvent
    | MergeEvent
    | SiteEvent
    | HoldEvent
    | ClassAlertEvent
    | EnrolmentEvent
    | PlaceEvent
    | CentreEvent
    | ClientEvent
    | TerminologyEvent
    | ConflictEvent
    | SyncEvent
    | RecordEvent
    | ReviewEvent
    | RemovalEvent,
    Field(discriminator="type"),
]
