"""Needs of trials, and the centres that are able, on the wire."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.registry.capabilities.codes import CODES, CapabilityCode
from services.registry.capabilities.fit.judging import CentreFit, FitAnswer, Item, ItemState, Reason
from services.registry.capabilities.fit.needs import Need, Population, Statement
from services.registry.capabilities.schemas import CentreCapability
from services.registry.model.texts import ImpersonalLine
from shared.values.wire import ApiModel, Instant, Label

_MAX = 100
_ABOUT_WEEKS = "until it is met, in weeks; null: not known."


class NeededCapability(ApiModel):
    """A capability that the sponsor needs of each site."""

    code: CapabilityCode = Field(description="A code of `/capabilities/codes`.")
    population: Population | None = Field(default=None, description="Only where such patients are treated; null: all.")
    reason: ImpersonalLine | None = Field(default=None, description="Why.")


class UnneededCapability(ApiModel):
    """A capability that the rules ask for by the product, and that this trial does not need."""

    code: CapabilityCode = Field(description="A code of `/capabilities/codes`.")
    reason: ImpersonalLine = Field(description="Why it is not needed.")


class NeedsInput(ApiModel):
    """What the sponsor states that a site needs."""

    needed: Annotated[list[NeededCapability], Field(max_length=_MAX)] = Field(
        default_factory=list, description="What is needed beside what the rules ask for by the product."
    )
    not_needed: Annotated[list[UnneededCapability], Field(max_length=_MAX)] = Field(
        default_factory=list, description="What is not needed although the rules ask for it."
    )
    complete: bool = Field(
        default=False, description="Whether nothing more is needed, also by what is not known of the product."
    )

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        needed = [(one.code, one.population) for one in self.needed]
        not_needed = [one.code for one in self.not_needed]
        if len({*needed}) < len(needed) or len({*not_needed}) < len(not_needed):
            raise PydanticCustomError("duplicate", "a code is listed twice")
        if {code for code, _ in needed} & {*not_needed}:
            raise PydanticCustomError("contradiction", "a code is both needed and not needed")
        return self

    @property
    def statement(self) -> Statement:
        """Return it as the rules take it."""
        needed = tuple((one.code, one.population) for one in self.needed)
        return Statement(needed, frozenset(one.code for one in self.not_needed), self.complete)


class StatedNeeds(NeedsInput):
    """What the sponsor or the coordination stated, with its version."""

    trial: str = Field(description="The preferred public number of the trial.")
    version: int = Field(description="The version, as in the `ETag`.")
    at: Instant = Field(description="When it was stated.")


class NeedRow(ApiModel):
    """Something that a site needs."""

    code: str = Field(description="The code.")
    label: Label = Field(description="What it is.")
    population: Population | None = Field(description="Only where such patients are treated; null: all.")
    by: str = Field(description="The rule that asks for it, or `sponsor`.")
    basis: Label | None = Field(description="Why the rule asks for it; null: the sponsor states it.")

    @classmethod
    def of(cls, need: Need) -> "NeedRow":
        """Return a need as readers get it."""
        label = CODES[need.code].label
        return cls(code=need.code, label=label, population=need.population, by=need.by, basis=need.basis)


class FitItem(ApiModel):
    """A need at a centre."""

    code: str = Field(description="The code.")
    population: Population | None = Field(description="For these patients; null: for all.")
    state: ItemState = Field(
        description="`met`; `planned`: stated for a day; `expired`; `absent`: stated, or not for these patients; "
        "`to_confirm`: nothing is known."
    )
    weeks: int | None = Field(description=f"The time {_ABOUT_WEEKS}")
    estimated: bool = Field(description="Whether the weeks are the usual lead time of the code, which no one stated.")
    never: bool = Field(description="Whether it is absent and no time is stated or usual.")
    evidence: CentreCapability | None = Field(description="What the centre stated; null: nothing.")

    @classmethod
    def of(cls, item: Item, today: date) -> "FitItem":
        """Return an item as readers get it on a day."""
        row = item.evidence
        return cls(
            code=item.code, population=item.population, state=item.state, weeks=item.weeks, estimated=item.estimated,
            never=item.never, evidence=None if row is None else CentreCapability.of(row, today),
        )  # fmt: skip


class CentreFitDocument(ApiModel):
    """Whether a centre is able to give the product."""

    centre: str = Field(description="The id of the centre.")
    answer: FitAnswer = Field(
        description="`able`: everything is met and known. `able_after`: when what is missing is there, or confirmed. "
        "`unable`: it is stated as absent without a date and no usual time, or the centre does not take such patients."
    )
    populations: list[Population] = Field(description="The patients of the trial that the centre takes.")
    weeks: int | None = Field(description=f"The longest time {_ABOUT_WEEKS}")
    estimated: bool = Field(description="Whether a usual lead time is among them.")
    reasons: list[Reason] = Field(description="Why it is not able today.")
    items: list[FitItem] = Field(description="Each need at this centre.")

    @classmethod
    def of(cls, fit: CentreFit, today: date) -> "CentreFitDocument":
        """Return an answer as readers get it on a day."""
        return cls(
            centre=fit.centre, answer=fit.answer, populations=[*fit.populations], weeks=fit.weeks,
            estimated=fit.estimated, reasons=[*fit.reasons], items=[FitItem.of(one, today) for one in fit.items],
        )  # fmt: skip


class TrialFit(ApiModel):
    """What a trial needs of a site, and which centres are able."""

    trial: str = Field(description="The preferred public number of the trial.")
    trial_id: str = Field(description="The id of the trial.")
    populations: list[Population] = Field(description="The patients that the trial takes.")
    not_known: list[str] = Field(description="Facts of the product on which further needs depend: no centre is able.")
    needs: list[NeedRow] = Field(description="What a site needs.")
    centres: list[CentreFitDocument] = Field(description="The centres, by id.")
