"""Feasibility requests, steps, agreements and results on the wire."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.registry.centres.schemas import CapabilityCode
from services.registry.feasibility.model import GateState
from services.registry.model.references import SubmissionReference, reference_pattern
from services.registry.model.texts import ImpersonalLine, ImpersonalText, Line
from services.registry.model.trial import Phase
from services.registry.submissions.content import SubmissionTrial
from shared.values.forms import described
from shared.values.wire import ApiModel, Day, Instant
from shared.vocabulary.events import AgeBand
from shared.vocabulary.identifiers import CentreId

RequestReference = Annotated[str, reference_pattern("FEA")]
RequestState = Literal[
    "received", "triaged", "cda_sent", "cda_signed", "questionnaire_sent", "answered", "shortlisted", "selected",
    "contract", "green_light", "activated", "first_patient_in", "declined", "not_selected", "withdrawn",
]  # fmt: skip
StepAction = Literal[
    "triage", "send_cda", "sign_cda", "send_questionnaire", "ask_question", "answer_question", "submit", "ask_again",
    "shortlist", "select", "not_select", "start_contract", "sign_contract", "green_light", "activate", "first_patient",
    "decline", "withdraw",
]  # fmt: skip
ReasonCode = Literal[
    "no_patients", "competing_trial", "no_staff", "no_investigator", "lacking_capability", "start_too_early", "terms",
    "no_interest", "no_answer", "enough_centres", "too_few_patients", "unsuitable", "starts_too_late",
    "no_site_in_france",
]  # fmt: skip
Criterion = Literal["indication", "age", "capability"]
Party = Literal["centre", "sponsor", "coordination", "registry"]
FinessEj = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[0-9][0-9A-Z][0-9]{7}$",
            fr="un numéro FINESS de neuf caractères, p. ex. 750712184",
            en="a FINESS number of nine characters, e.g. 750712184",
        )
    ),
]
_STATE = (
    "`received`, `triaged`, `cda_sent`, `cda_signed`, `questionnaire_sent`, `answered`, `shortlisted`, `selected`, "
    "`contract`, `green_light`, `activated`, `first_patient_in`; or an end: `declined` by the centre, `not_selected` "
    "by the sponsor, `withdrawn` with the dossier."
)
_VERSION = "The version, as in the `ETag`; each change raises it by one."


class FeasibilityAsk(ApiModel):
    """Which centres to ask about a dossier."""

    centres: Annotated[list[CentreId], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="These centres: for the coordination only."
    )
    by: Annotated[list[Criterion], Field(min_length=1, max_length=3)] | None = Field(
        default=None,
        description="Instead of `centres`, those that fit. `indication`: with a trial of the same disease; `age`: that "
        "take patients of the age band; `capability`: that can do all of `capabilities`, which needs a confidentiality "
        "agreement in force.",
    )
    capabilities: Annotated[list[CapabilityCode], Field(max_length=20)] = Field(
        default_factory=list, description="With `capability`: what the centres must be able to do."
    )
    on: Day | None = Field(default=None, description="The day of the request; null: today.")

    @model_validator(mode="after")
    def _names_one_choice(self) -> Self:
        if (self.centres is None) == (self.by is None):
            raise PydanticCustomError(
                "one_of", "give either centres or by", {"fr": "choisissez des centres, ou ce qui les choisit (by)"}
            )
        if bool(self.capabilities) != ("capability" in (self.by or ())):
            raise PydanticCustomError(
                "capabilities",
                "capabilities go with capability in by",
                {"fr": "des capacités ne se donnent qu'avec le choix « capability » de by"},
            )
        return self


class FeasibilityAsked(ApiModel):
    """How many centres were asked."""

    asked: int = Field(description="The number of centres that were asked now.")
    centres: list[str] | None = Field(description="Which ones; null for a sponsor.")


class FeasibilityStepInput(ApiModel):
    """What was done about a request."""

    action: StepAction = Field(description="What was done. The request lists what is possible in its state.")
    on: Day | None = Field(
        default=None, description="The day when it happened: not in the future, nor before the last step; null: today."
    )
    reason: ReasonCode | None = Field(default=None, description="Why: required to decline and not to select.")
    text: ImpersonalText | None = Field(
        default=None, description="In words; required to ask a question and to answer it. No one is named in it."
    )
    days: Annotated[int, Field(ge=1, le=90)] | None = Field(
        default=None, description="With a questionnaire: the calendar days to answer it; null: 14."
    )


class FeasibilityStep(ApiModel):
    """A step of a request."""

    number: int = Field(description="The version of the request that it made.")
    action: str = Field(description="What was done.")
    state: RequestState = Field(description="The state after it.")
    on: Day | None = Field(description="The day when it happened, as stated.")
    at: Instant = Field(description="When it was recorded.")
    by: Party = Field(description="Whose step it was.")
    author: str | None = Field(description="The organisation with the person or program; null unless it is the caller's"
                               " own or the caller is the coordination.")  # fmt: skip
    reason: ReasonCode | None = Field(description="Why.")
    text: str | None = Field(description="In words.")


class FeasibilityStepPage(ApiModel):
    """The steps of a request."""

    items: list[FeasibilityStep] = Field(description="The steps, oldest first.")


class FeasibilityClock(ApiModel):
    """A measured interval of a request."""

    name: str = Field(
        description="`triage`, `cda` (sent to signed), `request_to_answer`, `answer` (questionnaire readable to "
        "submitted), `decision`, `contract`, `selection_to_activation`, `contract_to_activation`, `activation` and "
        "`first_patient` (both from the green light)."
    )
    start: Day = Field(description="Its first day.")
    end: Day | None = Field(description="Its last day; null: it is open.")
    outcome: Literal["completed", "open", "stopped"] = Field(description="`stopped`: the case ended otherwise.")
    days: int = Field(description="Calendar days, without those paused; so far, while it is open.")
    working_days: int = Field(description="French working days, without those paused.")
    paused: int = Field(description="Calendar days on which the sponsor owed an answer.")


class IndicationShown(ApiModel):
    """A disease that the study treats."""

    code: str | None = Field(description="Its code; null: none.")
    text: str = Field(description="Its name, as the sponsor wrote it.")


class StudyShown(ApiModel):
    """A study as one party sees it."""

    conditions: list[IndicationShown] = Field(description="The diseases.")
    phase: Phase | None = Field(description="The phase; null: not stated.")
    age_bands: list[AgeBand] = Field(description="The age bands.")
    countries: int = Field(description="The number of countries.")
    complete: bool = Field(description="Whether `trial` is all that the dossier says of the trial.")
    trial: SubmissionTrial = Field(
        description="The trial: before the confidentiality agreement only what the sponsor chose to show; all other "
        "fields are empty."
    )


class FeasibilitySummary(ApiModel):
    """What one centre is asked about one dossier."""

    reference: RequestReference = Field(description="The reference of the request.")
    submission: SubmissionReference = Field(description="The reference of the dossier.")
    centre: CentreId = Field(description="The id of the centre.")
    version: int = Field(description=_VERSION)
    state: RequestState = Field(description=_STATE)
    requested_at: Instant = Field(description="When the centre was asked.")
    deadline: Day | None = Field(description="The last day to answer the questionnaire; null: none waits for answers.")
    named: bool = Field(description="Whether the sponsor may know what this centre answers.")
    question_open: bool = Field(
        description="Whether the sponsor owes the answer to a question: the clock of the answer stands."
    )


class FeasibilityPage(ApiModel):
    """A page of requests."""

    items: list[FeasibilitySummary] = Field(description="The newest first.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


class FeasibilityDocument(FeasibilitySummary):
    """A request with the study, what can be done, and how long everything took."""

    gate: GateState = Field(description="The confidentiality gate: `closed` (not signed yet), `open` or `expired`.")
    actions: list[StepAction] = Field(description="The steps that the caller can take now.")
    dossier: StudyShown = Field(description="The study, as far as the caller may see it.")
    clocks: list[FeasibilityClock] = Field(description="What is measured, in the order of the work.")


class LegalEntityInput(ApiModel):
    """The legal entity of a centre."""

    finess_ej: FinessEj = Field(description="Its FINESS number (FINESS EJ).")
    name: Line = Field(description="Its name.")


class LegalEntityDocument(LegalEntityInput):
    """The legal entity that signs for a centre."""

    centre: CentreId = Field(description="The id of the centre.")
    version: int = Field(description=_VERSION)


class ConfidentialityAgreement(ApiModel):
    """A confidentiality agreement that the legal entity of a centre has signed."""

    finess_ej: FinessEj = Field(description="The FINESS number (FINESS EJ) of the entity that signed.")
    signed_by: ImpersonalLine = Field(description="The function of the signatory: no name of a person.")
    signed_on: Day = Field(description="The day of the last signature.")
    valid_until: Day = Field(description="The last day on which it is in force.")
    evidence: ImpersonalLine = Field(description="The reference of the signed document.")


class ConfidentialityGate(ApiModel):
    """The confidentiality gate of a centre on a dossier: it opens for every centre of the entity that signed."""

    submission: SubmissionReference = Field(description="The reference of the dossier.")
    state: GateState = Field(description="`closed` (not signed yet), `open` or `expired`, today.")
    entity: LegalEntityDocument | None = Field(description="The legal entity of the centre; null: not recorded.")
    agreement: ConfidentialityAgreement | None = Field(description="The agreement; null: none was signed.")
    version: int | None = Field(description="The version of the agreement, as in the `ETag`; null: there is none.")
