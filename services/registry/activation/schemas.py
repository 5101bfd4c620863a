"""The opening of sites on the wire: GMO declaration, regulatory path, checklist."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.registry.activation.checklist import WORDS
from services.registry.activation.model import Declaration, Found, GmoState, ItemName, Owner, StepState
from services.registry.model.texts import ImpersonalLine
from shared.values.wire import ApiModel, Day, Instant, Label
from shared.vocabulary.identifiers import CentreId

ContainmentClass = Literal["C1", "C2", "C3", "C4"]
ItemState = Literal["open", "overdue", "done"]
_TRIAL = "The preferred public number of the trial."


class DeclarationInput(ApiModel):
    """The declaration of a GMO by the sponsor: one for the trial, with its list of sites."""

    containment_class: ContainmentClass | None = Field(default=None, description="The class of containment.")
    regime: Literal["contained_use", "deliberate_release"] | None = Field(
        default=None, description="The regime; null: none, the product is no GMO."
    )
    state: GmoState = Field(
        description="Where the declaration stands. `accepted`: the agency accepted or authorised it."
    )
    reference: ImpersonalLine | None = Field(default=None, description="The reference of the agency.")
    declared_on: Day | None = Field(default=None, description="When it was declared.")
    decided_on: Day | None = Field(default=None, description="When it was accepted or refused.")
    expires_on: Day | None = Field(default=None, description="The last day on which it is valid; null: no end.")
    sites: Annotated[list[CentreId], Field(max_length=200)] = Field(
        default_factory=list, description="The centres that it lists: another one cannot open."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if len({*self.sites}) < len(self.sites):
            raise PydanticCustomError("duplicate", "{field} has the same item twice", {"field": "sites"})
        if self.state == "not_required":
            if self.sites or self.regime or self.declared_on:
                raise PydanticCustomError("not_required", "what is not required has no regime, day or sites")
            return self
        if self.regime is None or self.declared_on is None:
            raise PydanticCustomError("declared", "a declaration has a regime and declared_on")
        if self.regime == "contained_use" and self.containment_class is None:
            raise PydanticCustomError("class", "contained use has a containment_class")
        if self.state in {"accepted", "refused"} and self.decided_on is None:
            raise PydanticCustomError("decided", "an accepted or refused declaration has decided_on")
        days = [day for day in (self.declared_on, self.decided_on, self.expires_on) if day is not None]
        if days != sorted(days):
            raise PydanticCustomError("order", "declared_on, decided_on and expires_on follow one another")
        return self

    @property
    def declaration(self) -> Declaration:
        """Return it as the rules take it."""
        return Declaration(self.state, self.expires_on, frozenset(self.sites))


class DeclarationDocument(DeclarationInput):
    """The declaration of a GMO, with its version."""

    trial: str = Field(description=_TRIAL)
    version: int = Field(description="The version, as in the `ETag`.")
    at: Instant = Field(description="When it was stated.")


class EntryInput(ApiModel):
    """What is known of a step."""

    state: StepState = Field(description="Where the step stands.")
    on: Day | None = Field(
        default=None, description="When it began, was done or refused, or is planned; null: it is not required."
    )
    reference: ImpersonalLine | None = Field(default=None, description="The reference of the application or decision.")

    @model_validator(mode="after")
    def _has_a_day(self) -> Self:
        if (self.on is None) != (self.state == "not_required"):
            raise PydanticCustomError("day", "a step has a day, unless it is not required")
        return self


class PathStepDocument(ApiModel):
    """A step of the regulatory path."""

    step: str = Field(description="The step. `gmo` follows from the GMO declaration.")
    label: Label | None = Field(description="What it is; null: the name says it.")
    basis: str | None = Field(description="The article that sets the clock; null: no clock.")
    required: bool = Field(description="Whether this trial needs it.")
    state: str | None = Field(description="What was entered; null: nothing.")
    on: Day | None = Field(description="The day that was entered.")
    reference: str | None = Field(description="The reference that was entered.")
    earliest: Day | None = Field(description="The first day on which it can be done; null: not known.")
    latest: Day | None = Field(description="The last day on which it is due; null: not known.")
    estimated: bool = Field(description="Whether these days are estimated or planned, and not actual.")
    version: int | None = Field(description="The version of what was entered, for `If-Match`; null: nothing was.")


class Finding(ApiModel):
    """A blocker or an alarm."""

    code: str = Field(description="A stable code.")
    step: str = Field(description="The step that it concerns.")
    on: Day | None = Field(description="The day that matters; null: none.")
    detail: Label = Field(description="What is wrong.")
    action: Label = Field(description="What to do.")

    @classmethod
    def of(cls, one: Found) -> "Finding":
        """Return a finding as readers get it."""
        words = WORDS[one.code]
        return cls(code=one.code, step=one.step, on=one.on, detail=words.detail, action=words.action)


class RegulatoryPath(ApiModel):
    """The regulatory path of a trial in France."""

    trial: str = Field(description=_TRIAL)
    trial_id: str = Field(description="The id of the trial.")
    interventional: bool | None = Field(description="Whether it is under EU Regulation 536/2014; null: not known.")
    gmo: bool | None = Field(description="Whether the product is a GMO, by its typed fields; null: not known.")
    steps: list[PathStepDocument] = Field(description="The steps.")
    blockers: list[Finding] = Field(description="What keeps sites from opening.")
    alarms: list[Finding] = Field(description="What needs attention.")
    lapses_on: Day | None = Field(
        description="When the authorisation lapses without inclusion in France: two years after the decision."
    )


class ItemInput(ApiModel):
    """What is stated of an item of the checklist."""

    owner: Owner | None = Field(default=None, description="Whose task it is; null: as usual for the item.")
    due: Day | None = Field(default=None, description="When it is due.")
    done_on: Day | None = Field(default=None, description="When it was done; null: it is not.")
    reference: ImpersonalLine | None = Field(default=None, description="The reference of the document.")


class ChecklistItem(ApiModel):
    """An item of the opening checklist of a site."""

    item: ItemName = Field(description="The item.")
    label: Label = Field(description="What it is.")
    owner: Owner = Field(description="Whose task it is.")
    required: bool = Field(description="Whether this trial needs it.")
    state: ItemState = Field(description="Today: `open`, `overdue` or `done`.")
    due: Day | None = Field(description="When it is due.")
    done_on: Day | None = Field(description="When it was done.")
    reference: str | None = Field(description="The reference of the document.")
    version: int | None = Field(description="The version, as in the `ETag`; null: nothing was stated.")


class Checklist(ApiModel):
    """The opening checklist of a site."""

    trial: str = Field(description=_TRIAL)
    trial_id: str = Field(description="The id of the trial.")
    centre: str = Field(description="The id of the centre.")
    items: list[ChecklistItem] = Field(description="The items, in order.")
    missing: list[ItemName] = Field(description="Required items that are not done: no green light before.")
    blockers: list[Finding] = Field(description="What keeps the site from opening.")
    green_light: Day | None = Field(description="When the green light was given; null: it is not.")
