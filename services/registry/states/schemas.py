"""States and owners on the wire."""

from typing import Literal

from pydantic import Field

from services.registry.model.state import StateAction, TrialState
from services.registry.model.trial import ScopeAnswer
from services.registry.review.schemas import DecisionDocument, ReasonText
from services.registry.trials.decisions.model import StoredDecision
from shared.values.wire import ApiModel

MAX_OWNER = 64


class ActionInput(ApiModel):
    """What a person does about a trial."""

    action: StateAction = Field(
        description="`publish`: takes two people. `withdraw`: not public from now on, whatever its sources say. "
        "`archive`: the same, for a trial that is no longer followed. `restore`: an archived trial is "
        "`withdrawn` again."
    )
    reason: ReasonText = Field(description="Why: kept with the decision.")


class OwnerInput(ApiModel):
    """The new owner of a trial."""

    owner: str | None = Field(
        max_length=MAX_OWNER, description="The id of an organisation; null: the coordination of the network."
    )
    reason: ReasonText = Field(description="Why: kept with the decision.")


class PossibleAction(ApiModel):
    """Something that can be done in the present state."""

    action: StateAction = Field(description="The `action` to send.")
    people: int = Field(description="How many people must ask for it on the same conditions, product and status.")


class WaitingAction(ApiModel):
    """Something that one person asked for, and that a second person must ask for too."""

    action: StateAction = Field(description="The action.")
    by: str = Field(description="Who asked for it: the organisation, and the member or client, by their ids.")


class TrialDecision(DecisionDocument):
    """What a person decided about the scope, the state or the owner of a trial."""

    kind: Literal["scope", "state", "owner"] = Field(description="What it was about.")
    owner: str | None = Field(description="The owner that it made; null: the coordination, or not about the owner.")

    @classmethod
    def of(cls, stored: StoredDecision) -> "TrialDecision":
        """Return a decision as readers get it."""
        one = stored.decision
        owner = one.item or None if one.kind == "owner" else None
        return cls(**dict(DecisionDocument.of(stored)), kind=one.kind, owner=owner)  # type: ignore[arg-type]


class StateDocument(ApiModel):
    """Where a trial stands, and why."""

    trial: str = Field(description="The preferred public number of the trial.")
    trial_id: str = Field(description="The id of the trial.")
    version: int = Field(description="The version of the trial.")
    state: TrialState = Field(
        description="`draft`: not to be published yet. `in_review`: a person must decide on the scope. `published`. "
        "`withdrawn`: by a person, or because it is out of scope. `archived`: kept, and no longer followed."
    )
    scope: ScopeAnswer = Field(description="Whether it belongs in this registry.")
    owner: str | None = Field(description="The organisation that is responsible for it; null: the coordination.")
    actions: list[PossibleAction] = Field(description="What can be done.")
    waiting: WaitingAction | None = Field(description="What waits for a second person.")
    decisions: list[TrialDecision] = Field(description="All decisions on scope, state and owner, oldest first.")
