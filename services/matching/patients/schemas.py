"""The native patient on the wire (`docs/eligibility.md` §3): coded facts, no identity and no free text."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from shared.criteria.expressions import (
    Domain,
    Exon,
    Frame,
    Gene,
    Hgvs,
    Number,
    Origin,
    Relative,
    Unit,
    VariantType,
    Zygosity,
)
from shared.values.wire import ApiModel, Code, Day, Duration, PartialDate
from shared.vocabulary.geography import Departement

MAX_FACTS = 1000

FactId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:\-/]{0,63}$")]
Level = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+\-/]{0,31}$")]
QuestionCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:+\-/]{0,127}$")]


def _in_the_calendar(value: str) -> str:
    try:
        date.fromisoformat(f"{value}-01-01"[:10] if len(value) < 10 else value)
    except ValueError:
        raise PydanticCustomError("date_form", "this day does not exist") from None
    return value


CalendarDate = Annotated[PartialDate, AfterValidator(_in_the_calendar)]


class Dose(ApiModel):
    """A dose as taken, such as 0.75 mg/d for each kg."""

    value: Annotated[Number, Field(ge=0)]
    unit: Unit
    per_kg: bool = False


class Variant(ApiModel):
    """A variant as a laboratory reports it; what the report does not say is left out."""

    gene: Gene
    type: VariantType | None = None
    exon_from: Exon | None = None
    exon_to: Exon | None = None
    zygosity: Zygosity | None = None
    copies: Annotated[int, Field(ge=0, le=99)] | None = None
    frame: Frame | None = None
    hgvs: Hgvs | None = None
    origin: Origin = "germline"
    significance: Literal["pathogenic", "likely_pathogenic", "uncertain", "benign"] = "pathogenic"
    assay: Level | None = None

    @model_validator(mode="after")
    def _exons_in_order(self) -> Self:
        if self.exon_from is not None and self.exon_to is not None and self.exon_from > self.exon_to:
            raise PydanticCustomError("exons_form", "exon_from is not after exon_to")
        return self


class Fact(ApiModel):
    """One fact. A `date` is its day; `start` and `end` make it an exposure, without `end` an ongoing one."""

    id: FactId
    kind: Literal["condition", "observation", "procedure", "medication", "immunization", "event", "variant", "answer"]
    codes: Annotated[list[Code], Field(max_length=20)] = Field(default=[])
    status: Literal["present", "absent", "unconfirmed", "ordered", "entered_in_error"] = "present"
    date: CalendarDate | None = None
    start: CalendarDate | None = None
    end: CalendarDate | None = None
    value: Number | Level | None = None
    comparator: Literal["<", "<=", ">", ">="] | None = None
    unit: Unit | None = None
    ref_low: Number | None = None
    ref_high: Number | None = None
    assay: Level | None = None
    dose: Dose | None = None
    outcome: Level | None = None
    body_site: Level | None = None
    severity: Level | None = None
    relative: Relative | None = None
    variant: Variant | None = None
    question: QuestionCode | None = None
    answer: Literal["yes", "no"] | None = None

    @model_validator(mode="after")
    def _says_what_its_kind_says(self) -> Self:
        if (self.kind == "variant") != (self.variant is not None):
            raise PydanticCustomError("variant_form", "a fact of kind variant, and no other, has a variant")
        if (self.kind == "answer") != (self.question is not None) or (self.kind == "answer") != (
            self.answer is not None
        ):
            raise PydanticCustomError(
                "answer_form", "a fact of kind answer, and no other, has a question and an answer"
            )
        if self.kind not in ("variant", "answer") and not self.codes:
            raise PydanticCustomError("codes_missing", "a fact has at least one code")
        return self

    @model_validator(mode="after")
    def _dated_once(self) -> Self:
        if self.date is not None and (self.start is not None or self.end is not None):
            raise PydanticCustomError("date_twice", "a fact has a date, or a start and an end")
        if self.start is not None and self.end is not None and self.end < self.start[: len(self.end)]:
            raise PydanticCustomError("end_before_start", "an exposure ends on or after its start")
        return self

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if self.comparator is not None and not isinstance(self.value, int | float):
            raise PydanticCustomError("comparator_without_number", "a comparator goes with a number")
        if self.ref_low is not None and self.ref_high is not None and self.ref_low > self.ref_high:
            raise PydanticCustomError("reference_range_reversed", "a reference range goes from ref_low to ref_high")
        return self


class CompleteDomain(ApiModel):
    """All facts of a domain between two days are given; without `from`, since birth."""

    domain: Domain
    from_: Day | None = Field(default=None, alias="from")
    to: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is not None and self.from_ > self.to:
            raise PydanticCustomError("interval_reversed", "a declaration goes from an earlier to a later day")
        return self


class Patient(ApiModel):
    """A patient to match. ``as_of`` is today in Paris when absent; at most one of ``birth_date`` and ``age``."""

    as_of: Day | None = None
    birth_date: Day | None = None
    age: Duration | None = None
    sex: Literal["male", "female", "other"] | None = None
    place: Departement | None = None
    facts: list[Fact] = Field(default=[], max_length=MAX_FACTS)
    domains_complete: list[CompleteDomain] = Field(default=[], max_length=100)

    @field_validator("as_of", "birth_date")
    @classmethod
    def _in_this_age(cls, value: date | None) -> date | None:
        if value is not None and not 1880 <= value.year <= 2200:
            raise PydanticCustomError("date_out_of_range", "a day lies between 1880 and 2200")
        return value

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.birth_date is not None and self.age is not None:
            raise PydanticCustomError("age_twice", "a patient has a birth date or an age, not both")
        if self.birth_date is not None and self.as_of is not None and self.birth_date > self.as_of:
            raise PydanticCustomError("birth_after_as_of", "the birth date is not after the day of evaluation")
        if len({fact.id for fact in self.facts}) != len(self.facts):
            raise PydanticCustomError("id_duplicate", "ids of facts are unique")
        return self
