"""The parts of leaves that are objects of their own."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.criteria.values import Codes, Domain, Exon, Operator, Token
from shared.values.wire import ApiModel, Duration


class Where(ApiModel):
    """Further conditions on a fact: accepted values, and how long an exposure must have lasted."""

    outcome: list[Token] | None = Field(default=None, min_length=1, max_length=50, description="Accepted outcomes.")
    body_site: list[Token] | None = Field(default=None, min_length=1, max_length=50, description="Accepted body sites.")
    severity: list[Token] | None = Field(default=None, min_length=1, max_length=50, description="Accepted severities.")
    duration: Duration | None = Field(default=None, description="How long an exposure must have lasted.")


class Exons(ApiModel):
    """Exons of a variant: all inside one interval, or overlapping one of several."""

    within: Annotated[list[Exon], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="The first and the last exon of the interval."
    )
    overlaps: (
        Annotated[list[Annotated[list[Exon], Field(min_length=2, max_length=2)]], Field(min_length=1, max_length=20)]
        | None
    ) = Field(default=None, description="Intervals, each with its first and its last exon.")

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.within is None) == (self.overlaps is None):
            raise PydanticCustomError("exons_form", "give exons by within or by overlaps, not by both")
        return self


class ExonSkipping(ApiModel):
    """A therapy that makes the cell leave out one exon."""

    skip: Annotated[int, Field(ge=2, le=78)] = Field(description="The exon that is left out.")


class Copies(ApiModel):
    """A comparison of the number of copies of a gene."""

    op: Operator = Field(description="The operator between the number of copies and `value`.")
    value: Annotated[int, Field(ge=0, le=99)] = Field(description="The bound.")


class NotAfter(ApiModel):
    """An event, such as a transfusion, that invalidates a measurement made within a duration after it."""

    model_config = ConfigDict(serialize_by_alias=True)

    codes: Codes = Field(description="The codes of the event.")
    for_: Duration = Field(alias="for", description="How long it invalidates measurements.")
    domain: Domain | None = Field(
        default=None, description="The domain whose declared completeness shows that there is no such fact."
    )
