"""Dossiers on the wire."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.registry.model.references import SubmissionReference
from services.registry.model.texts import ImpersonalText, PublicNumber
from services.registry.model.trial import ScopeAnswer
from services.registry.steps.model import Step, since_of
from services.registry.submissions.content import SubmissionContent
from services.registry.submissions.model import Answer, Comment, Delegate, Submission, SubmissionState
from shared.values.forms import described
from shared.values.wire import ApiModel, Day, Instant, Label

OrganisationName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Pointer = Annotated[
    str,
    StringConstraints(
        max_length=200,
        pattern=described(
            r"^(/[A-Za-z0-9_]+)*$", fr="un pointeur JSON, p. ex. /trial/phase", en="a JSON Pointer, e.g. /trial/phase"
        ),
    ),
]
StepAction = Literal[
    "submit", "screen", "return", "open_feasibility", "withdraw", "amend", "drop_amendment", "accept_transfer",
    "refuse_transfer",
]  # fmt: skip
DecisionAction = Literal["consent", "decide", "publish"]
_AUTHOR = "Who did it: the organisation, and the member or client, by their ids."


class SubmissionInput(ApiModel):
    """A new dossier: its content, or the number of a trial whose fields to begin with."""

    content: SubmissionContent = Field(default=SubmissionContent(), description="The content.")
    from_: PublicNumber | None = Field(
        default=None, alias="from", description="The number of a trial of this registry: its fields are taken over."
    )


class UsdmDocument(BaseModel):
    """A protocol in USDM 4 (CDISC, TransCelerate): the wrapper with `study`. What is not read may be left out."""

    model_config = ConfigDict(extra="allow")

    study: dict[str, Any] = Field(description="The study: its `versions`, of which the first is read.")


class SubmissionContentInput(ApiModel):
    """The content of a draft."""

    content: SubmissionContent = Field(description="The whole content: what is left out is no longer there.")


class SubmissionStepInput(ApiModel):
    """What is done about a dossier."""

    action: StepAction = Field(
        description="By the sponsor: `submit`; `withdraw`, before it is published; `amend` what is published, and "
        "`drop_amendment`; `accept_transfer` or `refuse_transfer` of a dossier that another sponsor offers. By the "
        "coordination: `screen`, `return` it to the sponsor, `open_feasibility`."
    )
    reason: ImpersonalText | None = Field(
        default=None, description="Why; required to return, to withdraw and to drop an amendment."
    )
    on: Day | None = Field(default=None, description="The day when it happened; null: today.")


class SubmissionDecisionInput(ApiModel):
    """A decision on a dossier."""

    action: DecisionAction = Field(
        description="`consent`: the sponsor agrees that the version submitted last is published. `decide`: the "
        "coordination accepts or declines it. `publish`: two people of the coordination must ask for it."
    )
    answer: Answer | None = Field(default=None, description="Required to decide.")
    reason: ImpersonalText | None = Field(default=None, description="Why; required to decide.")
    on: Day | None = Field(default=None, description="The day when it happened; null: today.")


class SubmissionTransferInput(ApiModel):
    """The sponsor to which a dossier is offered."""

    to: OrganisationName | None = Field(description="The id of its organisation; null: the offer is taken back.")
    reason: ImpersonalText = Field(description="Why.")


class SubmissionStep(ApiModel):
    """A step of a dossier."""

    action: str = Field(description="What was done.")
    state: SubmissionState = Field(description="The state after it.")
    at: Instant = Field(description="When it was recorded.")
    on: Day | None = Field(description="The day when it happened.")
    author: str = Field(description=_AUTHOR)
    reason: str | None = Field(description="Why.")
    detail: dict[str, Any] = Field(description="Codes and dates of the step, such as the answer of a decision.")

    @classmethod
    def of(cls, one: Step) -> "SubmissionStep":
        """Return a step as readers get it."""
        return cls.model_construct(
            action=one.action, state=cast("SubmissionState", one.state), at=one.at, on=one.on, author=one.author,
            reason=one.reason, detail=dict(one.detail),
        )  # fmt: skip


class SubmissionHead(ApiModel):
    """What a list shows of a dossier."""

    reference: SubmissionReference = Field(description="The reference that this registry gave it, at random.")
    version: int = Field(description="The version, as in the `ETag`; each change raises it by one.")
    owner: str = Field(description="The organisation that is responsible for it.")
    state: SubmissionState = Field(description="Where it stands.")
    since: Day | None = Field(description="The day since which it stands there.")
    answer: Answer | None = Field(description="The last decision on it; null: none since it was submitted.")
    title: str | None = Field(description="Its title, or that of the trial.")
    submitted: int = Field(description="The number of the version that was submitted last; 0: none.")
    published: int | None = Field(description="The number of the version that is public; null: none.")
    trial_id: str | None = Field(description="The id of the trial that it became.")
    transfer_to: str | None = Field(description="The organisation to which it is offered.")
    created_at: Instant = Field(description="When it was created.")
    updated_at: Instant = Field(description="When it was changed last.")

    @classmethod
    def of(cls, one: Submission, steps: Sequence[Step]) -> "SubmissionHead":
        """Return a dossier as lists show it. ``steps``: oldest first."""
        return cls(**head_of(one, steps))


def head_of(one: Submission, steps: Sequence[Step]) -> dict[str, Any]:
    """Return the fields of `SubmissionHead`."""
    return {
        "since": since_of(steps),
        "reference": one.reference, "version": one.version, "owner": one.owner, "state": one.state,
        "answer": one.answer, "title": one.title, "submitted": one.number, "published": one.published_number,
        "trial_id": one.trial_key, "transfer_to": one.transfer_to, "created_at": one.created_at,
        "updated_at": one.updated_at,
    }  # fmt: skip


class SubmissionPage(ApiModel):
    """A page of dossiers."""

    items: list[SubmissionHead] = Field(description="The dossiers, newest first.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


class SubmissionDocument(SubmissionHead):
    """A dossier."""

    amends: bool = Field(description="Whether it is an amendment of the version that is public.")
    actions: list[str] = Field(description="What the caller can do now.")
    consent_by: str | None = Field(description="Who consented to the publication of the version submitted last.")
    publication_asked_by: str | None = Field(
        description="Who asked for its publication: a second person must ask for it too."
    )
    steps: list[SubmissionStep] = Field(description="What was done, oldest first.")
    content: SubmissionContent = Field(description="The content: of the draft, or of the version submitted last.")


class SubmissionFinding(ApiModel):
    """Something that the screening found, and what to do about it."""

    pointer: str = Field(description="The field, a JSON Pointer into the content; empty: the whole content.")
    code: str = Field(description="A stable code.")
    severity: Literal["error", "warning", "info"] = Field(
        description="`error`: to be corrected. `warning`: to be checked. `info`: to know."
    )
    blocks: bool = Field(description="Whether it must be corrected before the dossier can be submitted.")
    detail: Label = Field(description="What is wrong, and what to do.")


class SubmissionMissingItem(ApiModel):
    """An item of the WHO registration data set that is missing."""

    item: int = Field(description="Its number in the data set, from 1 to 24.")
    label: Label = Field(description="Its name.")
    pointer: str = Field(description="Where to give it, a JSON Pointer into the content.")


class SubmissionScreening(ApiModel):
    """What the screening says of a content."""

    scope: ScopeAnswer = Field(description="Whether the trial belongs in this registry.")
    score: int = Field(description="How many of the items of the WHO registration data set are given.")
    of: int = Field(description="How many items it has.")
    missing: list[SubmissionMissingItem] = Field(description="The items that are missing.")
    findings: list[SubmissionFinding] = Field(description="What was found, errors first.")


class NewSubmission(ApiModel):
    """A dossier that was created, and what was not understood of what it was made from."""

    submission: SubmissionDocument = Field(description="The dossier.")
    findings: list[SubmissionFinding] = Field(
        description="What was left out of it, and why. Pointers lead into what was sent."
    )


class SubmissionVersion(ApiModel):
    """A version as it was submitted. It never changes."""

    number: int = Field(description="Its number, from 1.")
    at: Instant = Field(description="When it was submitted.")
    author: str = Field(description=_AUTHOR)
    content: SubmissionContent = Field(description="The content.")
    screening: SubmissionScreening = Field(description="What the screening found then.")


class SubmissionVersionList(ApiModel):
    """The submitted versions of a dossier."""

    items: list[SubmissionVersion] = Field(description="The versions, oldest first.")


class SubmissionChange(ApiModel):
    """A field that differs between two versions."""

    path: str = Field(description="The field: `title`, `trial.phase`, `trial.eligibility.maximum_age`.")
    before: Any = Field(description="The value in the earlier version; null: none.")
    after: Any = Field(description="The value in the later version; null: none.")


class SubmissionDiff(ApiModel):
    """What differs between two versions of a dossier."""

    from_: int = Field(alias="from", description="The earlier version.")
    to: int = Field(description="The later version; 0: the working content.")
    criteria_changed: bool = Field(
        description="Whether it changes who can take part: then the centres are asked again, and open referrals are to "
        "be looked at again."
    )
    items: list[SubmissionChange] = Field(description="The fields that differ.")


class SubmissionCommentInput(ApiModel):
    """A remark on a dossier."""

    text: ImpersonalText = Field(description="The remark.")
    pointer: Pointer | None = Field(default=None, description="The field that it is about; null: the whole dossier.")
    internal: bool = Field(default=False, description="Whether only the coordination reads it.")


class SubmissionComment(ApiModel):
    """A remark on a dossier."""

    number: int = Field(description="Its number in the dossier.")
    at: Instant = Field(description="When it was made.")
    author: str = Field(description=_AUTHOR)
    text: str = Field(description="The remark.")
    pointer: str | None = Field(description="The field that it is about; null: the whole dossier.")
    internal: bool = Field(description="Whether only the coordination reads it.")

    @classmethod
    def of(cls, one: Comment) -> "SubmissionComment":
        """Return a comment as readers get it."""
        return cls(
            number=one.number, at=one.at, author=one.author, text=one.text, pointer=one.pointer, internal=one.internal
        )


class SubmissionCommentPage(ApiModel):
    """A page of comments."""

    items: list[SubmissionComment] = Field(description="The comments, oldest first.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


class SubmissionDelegateInput(ApiModel):
    """How an organisation acts for the owner of a dossier."""

    may_consent: bool = Field(default=False, description="Whether it may also consent to the publication.")


class SubmissionDelegate(ApiModel):
    """An organisation that acts for the owner of a dossier."""

    organisation: str = Field(description="The id of the organisation.")
    may_consent: bool = Field(description="Whether it may also consent to the publication.")
    at: Instant = Field(description="Since when.")
    author: str = Field(description=_AUTHOR)

    @classmethod
    def of(cls, one: Delegate) -> "SubmissionDelegate":
        """Return a delegate as readers get it."""
        return cls(organisation=one.organisation, may_consent=one.may_consent, at=one.at, author=one.author)


class SubmissionDelegateList(ApiModel):
    """The organisations that act for the owner of a dossier."""

    items: list[SubmissionDelegate] = Field(description="The organisations, by id.")
