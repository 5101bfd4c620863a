"""Safety holds on the wire."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.registry.model.references import HoldReference
from services.registry.model.texts import ImpersonalLine
from services.registry.model.trial import PublicNumber, Version
from services.registry.safety_holds.model import Agreement, Basis, Hold, Kind, Party, Reason, Scope
from shared.values.wire import ApiModel, Day, Instant

_SCOPE = (
    "`trial`; `country`: its sites there; `site`: a centre; `cohort`; `product`: every trial of its owner "
    "with a product of this name."
)
_KIND = (
    "`sponsor_halt_safety`, `sponsor_halt_other`: the sponsor halts it. `authority_suspension`, "
    "`authority_revocation`: the authority's measure. `precaution`: a centre or the coordination, before they decide."
)
_BASIS = "`substantial_modification`: an authorised one. `measure_lifted`: the authority lifted its measure."


class HoldInput(ApiModel):
    """A hold to impose. It has effect at once."""

    scope: Scope = Field(description=_SCOPE)
    target: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = Field(
        default=None, description="The country, centre or cohort; null with the scopes `trial` and `product`."
    )
    kind: Kind = Field(description=_KIND)
    reason: Reason = Field(description="Why.")
    decided_on: Day | None = Field(default=None, description="The day of the sponsor's or authority's decision.")
    reference: ImpersonalLine | None = Field(default=None, description="The number of that decision.")

    @model_validator(mode="after")
    def _names_its_target(self) -> Self:
        if (self.target is None) != (self.scope in {"trial", "product"}):
            raise PydanticCustomError("target", "give target with the scopes country, site and cohort, and no other")
        return self


class LiftInput(ApiModel):
    """What allows the restart."""

    basis: Basis = Field(description=_BASIS)
    reference: ImpersonalLine = Field(description="Its number. Both organisations name the same one.")
    decided_on: Day = Field(description="The day on which it was authorised or lifted.")


class AgreementDocument(ApiModel):
    """An organisation agrees to lift a hold."""

    party: Party = Field(description="For whom: the sponsor, the coordination, or a centre of a trial without owner.")
    organisation: str = Field(description="The id of the organisation.")
    author: str | None = Field(description="Who agreed; null: the caller may not see it.")
    at: Instant = Field(description="When.")
    basis: Basis = Field(description=_BASIS)
    reference: str = Field(description="The number of what allows the restart.")
    decided_on: Day = Field(description="The day on which it was authorised or lifted.")

    @classmethod
    def of(cls, one: Agreement, *, with_author: bool) -> "AgreementDocument":
        """Return an agreement as readers get it."""
        author = one.author if with_author else None
        return cls(
            party=one.party, organisation=one.organisation, author=author, at=one.at, basis=one.basis,
            reference=one.reference, decided_on=one.decided_on,
        )  # fmt: skip


class HoldDocument(ApiModel):
    """A safety hold. What the caller may not see is null: others than the parties see scope and time only."""

    id: HoldReference = Field(description="The id of the hold.")
    trial: PublicNumber = Field(
        description="The preferred public number of the trial on which it was imposed, or that it is merged into."
    )
    trial_id: str = Field(description="The id of that trial.")
    version: Version = Field(description="The version, as in the `ETag`.")
    scope: Scope = Field(description=_SCOPE)
    target: str | None = Field(description="The country, centre, cohort or product; null: the whole trial.")
    in_force: bool = Field(description="Whether it is in force.")
    since: Instant = Field(description="When it was imposed.")
    kind: Kind | None = Field(description=_KIND)
    reason: Reason | None = Field(description="Why.")
    decided_on: Day | None = Field(description="The day of the sponsor's or authority's decision.")
    reference: str | None = Field(description="The number of that decision.")
    organisation: str | None = Field(description="The organisation that imposed it.")
    author: str | None = Field(description="Who imposed it; only the coordination sees it.")
    agreements: list[AgreementDocument] | None = Field(description="Who agreed to lift it. It takes two of them.")
    lifted_at: Instant | None = Field(description="When it was lifted; null: it is in force.")

    @classmethod
    def of(cls, hold: Hold, trial: tuple[str, str], *, whole: bool, with_authors: bool) -> "HoldDocument":
        """Return a hold as readers get it. ``trial``: id and public number; ``whole``: more than scope and time."""
        return cls(
            id=hold.id, trial=trial[1], trial_id=trial[0], version=hold.version, scope=hold.scope,
            target=hold.target, in_force=hold.lifted_at is None, since=hold.imposed_at,
            kind=hold.kind if whole else None,
            reason=hold.reason if whole else None,
            decided_on=hold.decided_on if whole else None,
            reference=hold.reference if whole else None,
            organisation=hold.organisation if whole else None,
            author=hold.author if with_authors else None,
            agreements=[AgreementDocument.of(one, with_author=with_authors) for one in hold.agreements]
            if whole
            else None,
            lifted_at=hold.lifted_at,
        )  # fmt: skip


class HoldList(ApiModel):
    """The holds that concern a trial."""

    items: list[HoldDocument] = Field(description="The holds, newest first: at most 200.")


class HoldPage(ApiModel):
    """A page of holds."""

    items: list[HoldDocument] = Field(description="The holds of this page, newest first.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")
