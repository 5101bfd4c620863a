"""Expressions of the eligibility language: combinators and leaves (`docs/eligibility.md` §1 and §5)."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, WrapValidator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from typing_extensions import TypeAliasType

from shared.criteria.durations import parse, whole_parts
from shared.criteria.scales import SCALES
from shared.values.wire import ApiModel, Code, Duration

Domain = Literal["conditions", "procedures", "medications", "immunizations", "encounters", "observations"]
Relative = Literal["mother", "father", "sibling", "child", "other"]
VariantType = Literal[
    "deletion", "duplication", "insertion", "nonsense", "frameshift", "missense", "splice", "copy_number", "other"
]
Zygosity = Literal["homozygous", "heterozygous", "compound_heterozygous", "hemizygous", "mosaic"]
Origin = Literal["germline", "somatic"]
Frame = Literal["in", "out"]
Operator = Literal["<", "<=", ">", ">=", "="]
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:+\-/]{0,127}$")]
Gene = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9\-]{0,19}$")]
Hgvs = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:()>*=+\-\[\];?]{3,128}$")]
Unit = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9%*/.\[\]{}_']{1,32}$")]
Number = Annotated[int | float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
Codes = Annotated[list[Code], Field(min_length=1, max_length=200)]
Exon = Annotated[int, Field(ge=1, le=999)]


def _expression(value: Any) -> "Node":
    """Choose the form of an expression by its key or leaf type, so that errors point into that form only."""
    if isinstance(value, Node):
        return value
    if not isinstance(value, dict):
        raise PydanticCustomError("expression_form", "an expression is an object")
    if "type" not in value:
        for key, combinator in COMBINATORS.items():
            if key in value:
                return combinator.model_validate(value)
        raise PydanticCustomError(
            "expression_form", "an expression is a leaf with a type, or one of all, any, at_least, not, if"
        )
    kind = value["type"]
    leaf = LEAVES.get(kind) if isinstance(kind, str) else None
    if leaf is None:
        error = PydanticCustomError("leaf_type_unknown", "unknown leaf type")
        raise ValidationError.from_exception_data(
            "Expression", [InitErrorDetails(type=error, loc=("type",), input=None)]
        )
    return leaf.model_validate(value)


# The union gives the JSON Schema and the types; the validator chooses inside it without trying every form.
Expression = TypeAliasType(
    "Expression",
    Annotated[
        "AllOf | AnyOf | AtLeast | Not | If"
        " | Age | Sex | Has | Variant | Value | Titre | Ordinal | Count | Stable | Human",
        WrapValidator(lambda value, _: _expression(value)),
    ],
)
Expressions: TypeAlias = Annotated[list[Expression], Field(min_length=1, max_length=100)]


class Node(ApiModel):
    """Any expression. JSON keys that are Python keywords have a trailing underscore here."""

    model_config = ConfigDict(serialize_by_alias=True)

    def operands(self) -> Mapping[str, "Node"]:
        """Return the expressions directly inside this one, by their JSON Pointer relative to it."""
        return {}


class AllOf(Node):
    all_: Expressions = Field(alias="all")

    def operands(self) -> Mapping[str, Node]:
        return {f"/all/{index}": operand for index, operand in enumerate(self.all_)}


class AnyOf(Node):
    any_: Expressions = Field(alias="any")

    def operands(self) -> Mapping[str, Node]:
        return {f"/any/{index}": operand for index, operand in enumerate(self.any_)}


class AtLeast(Node):
    at_least: Annotated[int, Field(ge=1, le=100)]
    of: Expressions

    def operands(self) -> Mapping[str, Node]:
        return {f"/of/{index}": operand for index, operand in enumerate(self.of)}

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.at_least > len(self.of):
            raise PydanticCustomError("at_least_unreachable", "at_least asks for more expressions than there are")
        return self


class Not(Node):
    not_: Expression = Field(alias="not")

    def operands(self) -> Mapping[str, Node]:
        return {"/not": self.not_}


class If(Node):
    if_: Expression = Field(alias="if")
    then: Expression
    else_: Expression | None = Field(default=None, alias="else")

    def operands(self) -> Mapping[str, Node]:
        return {"/if": self.if_, "/then": self.then} | ({"/else": self.else_} if self.else_ else {})


class Leaf(Node):
    """An expression about the patient's facts."""

    type: str


class Age(Leaf):
    type: Literal["age"]
    min: Duration | None = None
    max: Duration | None = None
    min_inclusive: bool = True
    max_inclusive: bool = False
    max_unclear_until: Duration | None = None
    at: Literal["screening", "dosing"] = "screening"

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.min is None and self.max is None:
            raise PydanticCustomError("age_unbounded", "an age leaf has a min, a max or both")
        if self.max_unclear_until is not None and self.max is None:
            raise PydanticCustomError("age_unclear_without_max", "max_unclear_until goes with a max")
        return self


class Sex(Leaf):
    type: Literal["sex"]
    value: Literal["male", "female"]


class Where(ApiModel):
    """Further conditions on a fact: accepted values, and how long an exposure must have lasted."""

    outcome: list[Token] | None = Field(default=None, min_length=1, max_length=50)
    body_site: list[Token] | None = Field(default=None, min_length=1, max_length=50)
    severity: list[Token] | None = Field(default=None, min_length=1, max_length=50)
    duration: Duration | None = None


class Has(Leaf):
    type: Literal["has"]
    codes: Codes
    descendants: bool = True
    within: Duration | None = None
    domain: Domain | None = None
    relative: Relative | None = None
    where: Where | None = None

    @model_validator(mode="after")
    def _domain_is_of_the_patient(self) -> Self:
        if self.relative is not None and self.domain is not None:
            raise PydanticCustomError("domain_of_relative", "domain applies to the patient, not to a relative")
        return self


class Exons(ApiModel):
    """Exons of a variant: all inside one interval, or overlapping one of several."""

    within: Annotated[list[Exon], Field(min_length=2, max_length=2)] | None = None
    overlaps: (
        Annotated[list[Annotated[list[Exon], Field(min_length=2, max_length=2)]], Field(min_length=1, max_length=20)]
        | None
    ) = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.within is None) == (self.overlaps is None):
            raise PydanticCustomError("exons_form", "give exons by within or by overlaps, not by both")
        return self


class Copies(ApiModel):
    op: Operator
    value: Annotated[int, Field(ge=0, le=99)]


class Variant(Leaf):
    type: Literal["variant"]
    gene: Gene
    types: list[VariantType] | None = Field(default=None, min_length=1)
    exons: Exons | None = None
    zygosity: list[Zygosity] | None = Field(default=None, min_length=1)
    copies: Copies | None = None
    frame: Frame | None = None
    hgvs: list[Hgvs] | None = Field(default=None, min_length=1, max_length=200)
    origin: Origin = "germline"
    closed: bool = False


class NotAfter(ApiModel):
    """An event, such as a transfusion, that invalidates a measurement made within a duration after it."""

    model_config = ConfigDict(serialize_by_alias=True)

    codes: Codes
    for_: Duration = Field(alias="for")
    domain: Domain | None = None


class Value(Leaf):
    type: Literal["value"]
    codes: Codes
    op: Operator
    value: Number
    unit: Unit | None = None
    basis: Literal["absolute", "xULN", "xLLN", "pct_predicted"] = "absolute"
    within: Duration | None = None
    pick: Literal["latest", "any", "all"] = "latest"
    domain: Domain | None = None
    not_after: list[NotAfter] = Field(default=[], max_length=20)

    @model_validator(mode="after")
    def _basis_has_its_unit(self) -> Self:
        if self.basis in ("xULN", "xLLN") and self.unit is not None:
            raise PydanticCustomError("unit_of_ratio", "a multiple of a reference limit has no unit")
        if self.basis == "pct_predicted" and self.unit not in (None, "%"):
            raise PydanticCustomError("unit_of_predicted", "a share of the predicted value is in %")
        return self


class Titre(Leaf):
    type: Literal["titre"]
    codes: Codes
    assay: Token | None = None
    op: Operator
    reciprocal: Annotated[Number, Field(gt=0)]
    within: Duration | None = None


class Ordinal(Leaf):
    type: Literal["ordinal"]
    scale: Code
    in_: list[Token] | None = Field(default=None, alias="in", min_length=1, max_length=50)
    min: Token | None = None
    max: Token | None = None
    within: Duration | None = None

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
    type: Literal["count"]
    codes: Codes
    op: Operator
    value: Annotated[int, Field(ge=0, le=1000)]
    within: Duration
    each: Duration | None = None
    domain: Domain | None = None

    @model_validator(mode="after")
    def _whole_parts(self) -> Self:
        if self.each is not None and not 1 <= (whole_parts(parse(self.within), parse(self.each)) or 0) <= 120:
            raise PydanticCustomError("each_not_whole", "within is a whole multiple of each, at most 120 times")
        return self


class Stable(Leaf):
    type: Literal["stable"]
    codes: Codes
    for_: Duration = Field(alias="for")
    min: Number | None = None
    max: Number | None = None
    unit: Unit | None = None
    per_kg: bool = False
    domain: Domain | None = None

    @model_validator(mode="after")
    def _dose_has_a_unit(self) -> Self:
        if (self.min is not None or self.max is not None) and self.unit is None:
            raise PydanticCustomError("dose_without_unit", "a dose bound has a unit")
        return self


class Human(Leaf):
    type: Literal["human"]
    question: Token
    role: Literal["investigator", "clinician"] = "clinician"
    within: Duration | None = None


COMBINATORS: dict[str, type[Node]] = {
    "all": AllOf,
    "any": AnyOf,
    "at_least": AtLeast,
    "of": AtLeast,
    "not": Not,
    "if": If,
}
LEAVES: dict[str, type[Leaf]] = {
    "age": Age,
    "sex": Sex,
    "has": Has,
    "variant": Variant,
    "value": Value,
    "titre": Titre,
    "ordinal": Ordinal,
    "count": Count,
    "stable": Stable,
    "human": Human,
}
for _form in (*COMBINATORS.values(), *LEAVES.values()):
    _form.model_rebuild()
