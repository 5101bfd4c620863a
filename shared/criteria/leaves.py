"""The leaves of the eligibility language that read facts one by one (`docs/eligibility.md` §5)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from shared.criteria.durations import parse, whole_parts
from shared.criteria.nodes import Leaf
from shared.criteria.parts import Copies, Exons, ExonSkipping, NotAfter, Where
from shared.criteria.scales import SCALES
from shared.criteria.values import (
    Codes,
    Domain,
    Frame,
    Gene,
    Hgvs,
    Number,
    Operator,
    Origin,
    Relative,
    Token,
    Unit,
    VariantType,
    Zygosity,
)
from shared.values.wire import Code, Duration


class Age(Leaf):
    """The age of the patient."""

    type: Literal["age"] = Field(description="The kind of leaf.")
    min: Duration | None = Field(default=None, description="The lowest age.")
    max: Duration | None = Field(default=None, description="The highest age.")
    min_inclusive: bool = Field(default=True, description="Whether the day of the birthday `min` counts.")
    max_inclusive: bool = Field(default=False, description="Whether the day of the birthday `max` counts.")
    max_unclear_until: Duration | None = Field(
        default=None, description="From `max` to this age the leaf is unknown, for ages in whole years of a registry."
    )
    at: Literal["screening", "dosing"] = Field(default="screening", description="When the age counts.")
    corrected: bool = Field(
        default=False, description="Whether the age of a child born before 37 weeks counts from the due date."
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.min is None and self.max is None:
            raise PydanticCustomError("age_unbounded", "an age leaf has a min, a max or both")
        if self.max_unclear_until is not None and self.max is None:
            raise PydanticCustomError("age_unclear_without_max", "max_unclear_until goes with a max")
        if self.max_unclear_until is not None and self.corrected:
            raise PydanticCustomError(
                "age_unclear_corrected",
                "an age of a registry is not a corrected age",
                {"fr": "un âge de registre n'est pas un âge corrigé"},
            )
        return self


class Sex(Leaf):
    """The sex of the patient."""

    type: Literal["sex"] = Field(description="The kind of leaf.")
    value: Literal["male", "female"] = Field(description="The sex.")


class Has(Leaf):
    """A condition, procedure, treatment or event is recorded."""

    type: Literal["has"] = Field(description="The kind of leaf.")
    codes: Codes = Field(description="The codes, one of which must be present; equivalents count too.")
    descendants: bool = Field(default=True, description="Whether descendants of the codes count.")
    within: Duration | None = Field(
        default=None,
        description="Whether it was so on a day of this time; none: ever, or now for a state that can end.",
    )
    evidence_within: Duration | None = Field(
        default=None, description="How old a fact that denies it may be; none: as `within`."
    )
    domain: Domain | None = Field(
        default=None, description="The domain whose declared completeness shows that there is no such fact."
    )
    relative: Relative | None = Field(default=None, description="The relative whom it is about; none: the patient.")
    where: Where | None = Field(default=None, description="Attributes that the fact must have.")

    @model_validator(mode="after")
    def _domain_is_of_the_patient(self) -> Self:
        if self.relative is not None and self.domain is not None:
            raise PydanticCustomError("domain_of_relative", "domain applies to the patient, not to a relative")
        return self


class Variant(Leaf):
    """A variant of a gene is reported."""

    type: Literal["variant"] = Field(description="The kind of leaf.")
    gene: Gene = Field(description="The symbol of the gene (HGNC).")
    types: list[VariantType] | None = Field(default=None, min_length=1, description="Accepted types; none: any.")
    exons: Exons | None = Field(default=None, description="Where the variant must lie.")
    zygosity: list[Zygosity] | None = Field(default=None, min_length=1, description="Accepted zygosities; none: any.")
    copies: Copies | None = Field(default=None, description="The number of copies of the gene.")
    frame: Frame | None = Field(default=None, description="The effect on the reading frame.")
    hgvs: list[Hgvs] | None = Field(
        default=None, min_length=1, max_length=200, description="Accepted HGVS expressions; none: any."
    )
    origin: Origin = Field(default="germline", description="Germline or somatic.")
    closed: bool = Field(
        default=False, description="Whether another causal variant of the gene shows that there is none of this kind."
    )
    amenable_to: ExonSkipping | None = Field(
        default=None, description="A therapy that must restore the reading frame; of the gene DMD only."
    )

    @model_validator(mode="after")
    def _exons_of_the_gene(self) -> Self:
        if self.amenable_to is not None and self.gene != "DMD":
            raise PydanticCustomError(
                "exon_skipping_gene",
                "the lengths of the exons are known for DMD only",
                {"fr": "la longueur des exons n'est connue que pour le gène DMD"},
            )
        return self


class Value(Leaf):
    """A measurement compares to a bound."""

    type: Literal["value"] = Field(description="The kind of leaf.")
    codes: Codes = Field(description="The codes; descendants and equivalents count too.")
    op: Operator = Field(description="The operator between the measurement and `value`.")
    value: Number = Field(description="The bound.")
    unit: Unit | None = Field(default=None, description="The UCUM unit of the bound; measurements are converted.")
    basis: Literal["absolute", "xULN", "xLLN", "pct_predicted"] = Field(
        default="absolute",
        description="`xULN`, `xLLN`: a multiple of the reference limit. `pct_predicted`: % of the predicted value.",
    )
    within: Duration | None = Field(default=None, description="How old the fact may be; none: any age.")
    pick: Literal["latest", "any", "all"] = Field(default="latest", description="Which measurements decide.")
    domain: Domain | None = Field(
        default=None, description="The domain whose declared completeness shows that there is no such fact."
    )
    not_after: list[NotAfter] = Field(
        default=[], max_length=20, description="Events after which measurements do not count for some time."
    )

    @model_validator(mode="after")
    def _basis_has_its_unit(self) -> Self:
        if self.basis in ("xULN", "xLLN") and self.unit is not None:
            raise PydanticCustomError("unit_of_ratio", "a multiple of a reference limit has no unit")
        if self.basis == "pct_predicted" and self.unit not in (None, "%"):
            raise PydanticCustomError("unit_of_predicted", "a share of the predicted value is in %")
        return self


class Titre(Leaf):
    """An antibody titre compares to a bound."""

    type: Literal["titre"] = Field(description="The kind of leaf.")
    codes: Codes = Field(description="The codes; descendants and equivalents count too.")
    assay: Token | None = Field(default=None, description="The assay that must have been used; none: any.")
    op: Operator = Field(description="The operator between the reciprocal titre and `reciprocal`.")
    reciprocal: Annotated[Number, Field(gt=0)] = Field(description="The reciprocal of the dilution: 50 for 1:50.")
    within: Duration | None = Field(default=None, description="How old the fact may be; none: any age.")


class Ordinal(Leaf):
    """The latest level on an ordinal scale."""

    type: Literal["ordinal"] = Field(description="The kind of leaf.")
    scale: Code = Field(description="The code of the scale.")
    in_: list[Token] | None = Field(
        default=None, alias="in", min_length=1, max_length=50, description="Accepted levels or groups of levels."
    )
    min: Token | None = Field(default=None, description="The lowest accepted level.")
    max: Token | None = Field(default=None, description="The highest accepted level.")
    within: Duration | None = Field(default=None, description="How old the fact may be; none: any age.")

    @model_validator(mode="after")
    def _levels_of_the_scale(self) -> Self:
        if (self.in_ is None) == (self.min is None and self.max is None):
            raise PydanticCustomError("ordinal_form", "an ordinal leaf has levels in a list, or a min, a max or both")
        scale = SCALES.get(self.scale)
        if scale is None:
            raise PydanticCustomError("scale_unknown", "unknown scale")
        if not all(scale.expand(level) for level in (*(self.in_ or ()), self.min, self.max) if level is not None):
            raise PydanticCustomError("level_unknown", "this scale has no such level")
        return self


class Count(Leaf):
    """The number of days on which something happened."""

    type: Literal["count"] = Field(description="The kind of leaf.")
    codes: Codes = Field(description="The codes; descendants and equivalents count too.")
    op: Operator = Field(description="The operator between the number of days and `value`.")
    value: Annotated[int, Field(ge=0, le=1000)] = Field(description="The bound.")
    within: Duration = Field(description="The time in which days with such a fact are counted.")
    each: Duration | None = Field(
        default=None, description="Count in each such part of `within`, all of which must be met; none: in the whole."
    )
    domain: Domain | None = Field(
        default=None, description="The domain whose declared completeness shows that there is no such fact."
    )

    @model_validator(mode="after")
    def _whole_parts(self) -> Self:
        if self.each is not None and not 1 <= (whole_parts(parse(self.within), parse(self.each)) or 0) <= 120:
            raise PydanticCustomError("each_not_whole", "within is a whole multiple of each, at most 120 times")
        return self


class Stable(Leaf):
    """An ongoing treatment that has not changed for some time."""

    type: Literal["stable"] = Field(description="The kind of leaf.")
    codes: Codes = Field(description="The codes of the medication; descendants and equivalents count too.")
    for_: Duration = Field(alias="for", description="How long the treatment must have been unchanged.")
    min: Number | None = Field(default=None, description="The lowest dose.")
    max: Number | None = Field(default=None, description="The highest dose.")
    unit: Unit | None = Field(default=None, description="The UCUM unit of the dose, with the time: `mg/d`.")
    per_kg: bool = Field(default=False, description="Whether the dose is for each kilogram of body weight.")
    equivalent: Literal["prednisone"] | None = Field(
        default=None, description="The medicine to whose dose others are converted; none: each counts as it is."
    )
    domain: Domain | None = Field(
        default=None, description="The domain whose declared completeness shows that there is no such fact."
    )

    @model_validator(mode="after")
    def _dose_has_a_unit(self) -> Self:
        if (self.min is not None or self.max is not None) and self.unit is None:
            raise PydanticCustomError("dose_without_unit", "a dose bound has a unit")
        return self


class Human(Leaf):
    """A yes-or-no question to a person."""

    type: Literal["human"] = Field(description="The kind of leaf.")
    question: Token = Field(description="The code of the question that a fact of kind `answer` answers.")
    role: Literal["investigator", "clinician"] = Field(
        default="clinician", description="Who decides; what is left to the investigator does not lower the verdict."
    )
    within: Duration | None = Field(default=None, description="How old the fact may be; none: any age.")
