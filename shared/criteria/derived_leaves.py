"""The leaves that combine several facts: times, changes, formulas and scores (`docs/eligibility.md` §5)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from shared.criteria.formulas import FORMULAS, FormulaName
from shared.criteria.nodes import Leaf
from shared.criteria.scores import SCORES
from shared.criteria.values import Codes, Domain, Inequality, Number, Operator, Unit
from shared.values.wire import Code, Duration


class Washout(Leaf):
    """The last dose of every such medicine lies far enough back."""

    type: Literal["washout"] = Field(description="The kind of leaf.")
    codes: Codes = Field(description="The codes of the medicines; descendants and equivalents count too.")
    for_: Duration | None = Field(default=None, alias="for", description="The shortest time since the last dose.")
    half_lives: Annotated[int | float, Field(gt=0, le=20, allow_inf_nan=False)] | None = Field(
        default=None, description="The number of half-lives of the medicine; the longer of both times counts."
    )
    domain: Domain | None = Field(
        default=None, description="The domain whose declared completeness shows that there is no such fact."
    )

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.for_ is None and self.half_lives is None:
            raise PydanticCustomError(
                "washout_without_time",
                "a washout has a duration, half-lives or both",
                {"fr": "un sevrage a une durée, un nombre de demi-vies, ou les deux"},
            )
        return self


class Since(Leaf):
    """The time since the first of several events."""

    type: Literal["since"] = Field(description="The kind of leaf.")
    codes: Codes = Field(description="The codes of the events; descendants and equivalents count too.")
    op: Inequality = Field(description="The operator between the time since the first event and `value`.")
    value: Duration = Field(description="The bound.")
    domain: Domain | None = Field(
        default=None, description="The domain whose declared completeness shows that there is no such fact."
    )


class Delta(Leaf):
    """The change of a measurement up to the latest one."""

    type: Literal["delta"] = Field(description="The kind of leaf.")
    codes: Codes = Field(description="The codes; descendants and equivalents count too.")
    op: Inequality = Field(description="The operator between the change and `value`.")
    value: Number = Field(description="The bound: above zero for a rise, below zero for a fall.")
    unit: Unit | None = Field(default=None, description="The UCUM unit of the bound; measurements are converted.")
    basis: Literal["absolute", "relative"] = Field(
        default="absolute", description="`relative`: the change in per cent of the earlier measurement."
    )
    over: Duration = Field(description="The time before the latest measurement in which the earlier ones lie.")
    within: Duration | None = Field(default=None, description="How old the latest may be; none: any age.")

    @model_validator(mode="after")
    def _unit_of_a_share(self) -> Self:
        if self.basis == "relative" and self.unit is not None:
            raise PydanticCustomError(
                "unit_of_ratio",
                "a relative change is in per cent and has no unit",
                {"fr": "une variation relative est en pourcentage et n'a pas d'unité"},
            )
        return self


class Computed(Leaf):
    """A value that a named formula gives."""

    type: Literal["computed"] = Field(description="The kind of leaf.")
    formula: FormulaName = Field(
        description="The formula; its unit: "
        + "; ".join(f"`{name}` {formula.unit}" for name, formula in FORMULAS.items())
        + "."
    )
    op: Operator = Field(description="The operator between the value and `value`.")
    value: Number = Field(description="The bound, in the unit of the formula.")
    within: Duration | None = Field(default=None, description="How old each measurement may be; none: any age.")


class Ratio(Leaf):
    """One measurement divided by another of the same day."""

    type: Literal["ratio"] = Field(description="The kind of leaf.")
    numerator: Codes = Field(description="The codes of the measurement that is divided.")
    denominator: Codes = Field(description="The codes of the measurement that divides it.")
    op: Operator = Field(description="The operator between the ratio and `value`.")
    value: Number = Field(description="The bound, without a unit: 0.5 for a half.")
    within: Duration | None = Field(default=None, description="How old the measurements may be; none: any age.")


class Score(Leaf):
    """The points of a set of classification criteria."""

    type: Literal["score"] = Field(description="The kind of leaf.")
    set: Code = Field(description="The code of the set: " + ", ".join(f"`{code}`" for code in SCORES) + ".")
    op: Operator = Field(description="The operator between the points and `value`.")
    value: Number = Field(description="The bound.")
    domain: Domain | None = Field(
        default=None, description="The domain whose declared completeness shows that there is no such fact."
    )

    @model_validator(mode="after")
    def _known_set(self) -> Self:
        if self.set not in SCORES:
            raise PydanticCustomError(
                "score_unknown",
                "unknown set of classification criteria",
                {"fr": "ensemble de critères de classification inconnu"},
            )
        return self
