"""Expressions of the eligibility language: combinators and leaves (`docs/eligibility.md` §1 and §5)."""

from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeAlias

from pydantic import Field, ValidationError, WrapValidator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from typing_extensions import TypeAliasType

from shared.criteria.derived_leaves import Computed, Delta, Ratio, Score, Since, Washout
from shared.criteria.leaves import Age, Count, Has, Human, Ordinal, Sex, Stable, Titre, Value, Variant
from shared.criteria.nodes import Leaf, Node

__all__ = (
    "COMBINATORS",
    "LEAVES",
    "Age",
    "AllOf",
    "AnyOf",
    "AtLeast",
    "Computed",
    "Count",
    "Delta",
    "Expression",
    "Expressions",
    "Has",
    "Human",
    "If",
    "Leaf",
    "Node",
    "Not",
    "Ordinal",
    "Ratio",
    "Score",
    "Sex",
    "Since",
    "Stable",
    "Titre",
    "Value",
    "Variant",
    "Washout",
)


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
        " | Age | Sex | Has | Variant | Value | Titre | Ordinal | Count | Stable | Human"
        " | Washout | Since | Delta | Computed | Ratio | Score",
        WrapValidator(lambda value, _: _expression(value)),
    ],
)
Expressions: TypeAlias = Annotated[list[Expression], Field(min_length=1, max_length=100)]


class AllOf(Node):
    """All of several expressions."""

    all_: Expressions = Field(alias="all", description="Expressions that must all be met.")

    def operands(self) -> Mapping[str, Node]:
        return {f"/all/{index}": operand for index, operand in enumerate(self.all_)}


class AnyOf(Node):
    """At least one of several expressions."""

    any_: Expressions = Field(alias="any", description="Expressions of which one must be met.")

    def operands(self) -> Mapping[str, Node]:
        return {f"/any/{index}": operand for index, operand in enumerate(self.any_)}


class AtLeast(Node):
    """At least so many of several expressions."""

    at_least: Annotated[int, Field(ge=1, le=100)] = Field(description="How many of the expressions must be met.")
    of: Expressions = Field(description="The expressions.")

    def operands(self) -> Mapping[str, Node]:
        return {f"/of/{index}": operand for index, operand in enumerate(self.of)}

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.at_least > len(self.of):
            raise PydanticCustomError("at_least_unreachable", "at_least asks for more expressions than there are")
        return self


class Not(Node):
    """The negation of an expression."""

    not_: Expression = Field(alias="not", description="The expression that must not be met.")

    def operands(self) -> Mapping[str, Node]:
        return {"/not": self.not_}


class If(Node):
    """One of two expressions, chosen by a third."""

    if_: Expression = Field(alias="if", description="The condition.")
    then: Expression = Field(description="What must be met where the condition is.")
    else_: Expression | None = Field(
        default=None, alias="else", description="What must be met where the condition is not; none: nothing."
    )

    def operands(self) -> Mapping[str, Node]:
        return {"/if": self.if_, "/then": self.then} | ({"/else": self.else_} if self.else_ else {})


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
    "washout": Washout,
    "since": Since,
    "delta": Delta,
    "computed": Computed,
    "ratio": Ratio,
    "score": Score,
}
for _form in (*COMBINATORS.values(), *LEAVES.values()):
    _form.model_rebuild()
