"""Events of the registry's feed as readers get them: CloudEvents 1.0. They describe the feed in OpenAPI."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from services.registry.model.capability_events import ActivationEvent, CapabilityEvent, ExpiryEvent
from services.registry.model.cloud_event import ChangeData, CloudEvent
from shared.vocabulary.recruitment import RecruitmentStatus


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


class ProposalData(ChangeData):
    """Criteria that one person proposed and another person signs."""

    trial: str = Field(description="The preferred public number of the trial.")
    trial_id: str = Field(description="The id of the trial.")
    outcome: Literal["signed", "withdrawn"] | None = Field(default=None, description="What became of them.")


class ProposalEvent(CloudEvent):
    """Criteria were proposed, and wait for a second person, or they were signed or withdrawn. For the coordination."""

    type: Literal["criteria.proposed", "criteria.proposal_ended"] = Field(description="The type of the event.")
    data: ProposalData = Field(description="Which proposal: read it from `/criteria/proposals/{number}` of the trial.")


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
    """A hold on a trial with the same product, vector and serotype, promoter or dose band. For the parties."""

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


class ReferralData(ChangeData):
    """A step of a referral. ``id``: its reference; ``version``: the one that the reader sees."""

    state: str = Field(description="The state after it, as the reader sees it.")
    on: str = Field(description="The day of the step.")


class ReferralEvent(CloudEvent):
    """A referral was sent, answered, changed, or must be checked again. For its hospital, its centre, coordination."""

    type: Literal["referral.sent", "referral.answered", "referral.updated", "referral.check_again"] = Field(
        description="`referral.answered`: accepted, declined, more asked for, or not now."
    )
    data: ReferralData = Field(description="Which referral: read it again.")


class SubmissionData(ChangeData):
    """A change of a dossier."""

    state: str = Field(description="Where it stands now.")
    action: str = Field(description="What was done, such as `submit`, `comment` or `consent`.")
    owner: str = Field(description="The organisation that is responsible for it.")
    answer: Literal["accepted", "declined"] | None = Field(default=None, description="The answer of a decision.")
    trial_id: str | None = Field(default=None, description="The id of the trial that was published.")
    criteria: Literal["changed", "unchanged"] | None = Field(
        default=None, description="Of a publication: whether an amendment changed who can take part."
    )


class SubmissionEvent(CloudEvent):
    """Something was done about a dossier. For the coordination, its sponsor and those who act for it."""

    type: Literal[
        "submission.received",
        "submission.updated",
        "submission.decided",
        "submission.withdrawn",
        "submission.published",
    ] = Field(description="`submission.received`: a version was submitted. `submission.updated`: any other change.")
    data: SubmissionData = Field(description="Which dossier: read it from `/submissions/{id}`.")


class FeasibilityData(ChangeData):
    """A change of what one centre is asked about a dossier, or of the result of a dossier."""

    submission: str = Field(description="The reference of the dossier.")
    centre: str | None = Field(default=None, description="The id of the centre; absent: the result over all centres.")
    state: str | None = Field(default=None, description="Where the request stands now.")
    deadline: str | None = Field(default=None, description="The last day to answer the questionnaire.")
    reminder: Literal["week_before", "day_before", "overdue"] | None = Field(
        default=None, description="Of `feasibility.due`: which reminder it is."
    )


class FeasibilityEvent(CloudEvent):
    """Something was done about a feasibility request. For the centre and the coordination.

    The sponsor gets `feasibility.decided` of its dossier, without a centre.
    """

    type: Literal[
        "feasibility.requested",
        "feasibility.updated",
        "feasibility.answered",
        "feasibility.decided",
        "feasibility.due",
    ] = Field(
        description="`feasibility.requested`: the centre is asked, or gets the questionnaire. `feasibility.decided`: "
        "selected, not selected, declined or withdrawn. `feasibility.due`: the answer is due, or overdue. "
        "`feasibility.updated`: any other step."
    )
    data: FeasibilityData = Field(description="Which request: read it from `/feasibility/{submission}/{centre}`.")


class RemovalEvent(CloudEvent):
    """The tombstone of a subject. It passes every filter of types, so that copies can be deleted."""

    type: Literal[
        "trial.removed",
        "site.removed",
        "centre.removed",
        "capability.removed",
        "client.removed",
        "submission.removed",
        "referral.removed",
    ] = Field(description="The kind of the subject, and `removed`.")
    data: RemovalData = Field(description="What to remove.")


RegistryEvent: TypeAlias = Annotated[
    TrialEvent
    | TrialStatusEvent
    | ProposalEvent
    | MergeEvent
    | SiteEvent
    | HoldEvent
    | ClassAlertEvent
    | EnrolmentEvent
    | PlaceEvent
    | CentreEvent
    | CapabilityEvent
    | ExpiryEvent
    | ActivationEvent
    | ClientEvent
    | TerminologyEvent
    | ConflictEvent
    | SyncEvent
    | RecordEvent
    | ReviewEvent
    | ReferralEvent
    | SubmissionEvent
    | FeasibilityEvent
    | RemovalEvent,
    Field(discriminator="type"),
]
