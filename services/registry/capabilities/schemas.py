"""Capabilities on the wire."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.registry.capabilities.codes import CodeRow, Requirement
from services.registry.capabilities.model import Capability, CapabilityState, CapabilityVersion, Evidence, Scope
from services.registry.model.texts import ImpersonalLine
from services.registry.places.schemas import Finess
from shared.values.wire import ApiModel, Day, Instant, Label

_HIDDEN = "Null: not stated, or the caller may not see it."


class CapabilityCodeRow(ApiModel):
    """A code of the list of capabilities."""

    code: str = Field(description="The code.")
    label: Label = Field(description="What the centre can do or has.")
    basis: Label = Field(description="The text or practice on which the item rests.")
    requires: Requirement = Field(description="What evidence it needs: an authorisation, an accreditation, …")
    validity_months: int | None = Field(description="How long an authorisation usually lasts, in months; null: no end.")
    lead_weeks: int | None = Field(
        description="How long a centre usually takes to get it, in weeks: an estimate; null: too long to count on."
    )
    scoped: bool = Field(description="Whether it is stated for adults and children apart.")
    covers: list[str] = Field(description="Codes whose needs it meets too.")

    @classmethod
    def of(cls, row: CodeRow) -> "CapabilityCodeRow":
        """Return a row as readers get it."""
        return cls(**{name: getattr(row, name) for name in CodeRow.__slots__ if name != "covers"}, covers=[*row.covers])


class CapabilityCodes(ApiModel):
    """The coded list of capabilities."""

    items: list[CapabilityCodeRow] = Field(description="All codes.")


class CapabilityInput(ApiModel):
    """What a centre states of one capability."""

    held: bool = Field(default=True, description="Whether the centre has it. False: it states that it does not.")
    scope: Scope = Field(description="The patients for whom it holds.")
    scope_note: ImpersonalLine | None = Field(
        default=None, description="A further limit, such as a product class or technique; null: none."
    )
    evidence: ImpersonalLine | None = Field(
        default=None, description="The reference of the authorisation, accreditation or document."
    )
    issuer: ImpersonalLine | None = Field(default=None, description="Who issued it.")
    finess_et: Finess | None = Field(default=None, description="The FINESS number of the place (FINESS ET).")
    valid_from: Day | None = Field(default=None, description="The first valid day; null: not known.")
    valid_until: Day | None = Field(default=None, description="The last valid day; null: no end.")
    planned_from: Day | None = Field(
        default=None, description="Only with `held: false`: from when the centre expects to have it."
    )
    note: ImpersonalLine | None = Field(default=None, description="A note for the parties of trials.")

    @model_validator(mode="after")
    def _dates_agree(self) -> Self:
        if self.valid_from is not None and self.valid_until is not None and self.valid_until < self.valid_from:
            raise PydanticCustomError("period", "the end is before the beginning", {"fr": "la fin précède le début"})
        if self.held and self.planned_from is not None:
            raise PydanticCustomError(
                "planned",
                "planned_from is only for what is not held",
                {"fr": "planned_from ne vaut que pour ce qui n'est pas encore là"},
            )
        if not self.held and (self.valid_from is not None or self.valid_until is not None):
            raise PydanticCustomError(
                "not_held",
                "what is not held has no validity: give planned_from",
                {"fr": "ce qui n'est pas encore là n'a pas de validité : donnez planned_from"},
            )
        return self


class CentreCapability(ApiModel):
    """A capability of a centre."""

    centre: str = Field(description="The id of the centre.")
    code: str = Field(description="The code, as in `/capabilities/codes`.")
    version: int = Field(description="The version, as in the `ETag`; each change raises it by one.")
    state: CapabilityState = Field(
        description="Today: `valid`; `expiring`: within 90 days; `expired`; `not_yet`: valid later; `absent`: the "
        "centre states that it does not have it."
    )
    held: bool = Field(description="Whether the centre states that it has it.")
    scope: Scope = Field(description="The patients for whom it holds.")
    scope_note: str | None = Field(description="A further limit; null: none.")
    valid_from: Day | None = Field(description="The first valid day; null: not known.")
    valid_until: Day | None = Field(description="The last valid day; null: no end.")
    planned_from: Day | None = Field(description="From when the centre expects to have it; null: not stated.")
    evidence: str | None = Field(description=f"The reference of the evidence. {_HIDDEN}")
    issuer: str | None = Field(description=f"Who issued it. {_HIDDEN}")
    finess_et: str | None = Field(description=f"The FINESS number of the place. {_HIDDEN}")
    note: str | None = Field(description=f"A note for the parties of trials. {_HIDDEN}")

    @classmethod
    def of(cls, one: Capability, today: date) -> "CentreCapability":
        """Return a capability as readers get it on a day."""
        evidence = one.evidence or Evidence()
        return cls(
            centre=one.centre, code=one.code, version=one.version, state=one.state(today), held=one.held,
            scope=one.scope, scope_note=one.scope_note, valid_from=one.valid_from, valid_until=one.valid_until,
            planned_from=one.planned_from, evidence=evidence.evidence, issuer=evidence.issuer,
            finess_et=evidence.finess_et, note=evidence.note,
        )  # fmt: skip


class CapabilityList(ApiModel):
    """The capabilities of a centre."""

    items: list[CentreCapability] = Field(description="What the centre stated, by code.")


class CapabilityVersionDocument(ApiModel):
    """A version of a capability."""

    version: int = Field(description="The version.")
    at: Instant = Field(description="When it was written.")
    author: str = Field(description="Who wrote it: the organisation, and the member or client, by their ids.")
    removed: bool = Field(description="Whether this version removed it.")
    stated: CentreCapability = Field(description="What was stated; `state` is that of today.")

    @classmethod
    def of(cls, one: CapabilityVersion, today: date) -> "CapabilityVersionDocument":
        """Return a version as readers get it on a day."""
        stated = one.capability
        return cls(
            version=stated.version, at=one.at, author=one.author, removed=stated.removed,
            stated=CentreCapability.of(stated, today),
        )  # fmt: skip


class CapabilityHistory(ApiModel):
    """The versions of a capability."""

    items: list[CapabilityVersionDocument] = Field(description="The versions, newest first.")
