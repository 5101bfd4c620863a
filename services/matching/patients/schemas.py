"""The native patient on the wire (`docs/eligibility.md` §3): coded facts, no identity and no free text."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from shared.criteria.values import (
    Domain,
    Exon,
    Frame,
    Gene,
    Hgvs,
    Number,
    Origin,
    Relative,
    VariantType,
    Zygosity,
)
from shared.values.forms import described
from shared.values.wire import ApiModel, Code, Day, Duration, PartialDate
from shared.vocabulary.geography import Departement

MAX_FACTS = 1000

FactId = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[A-Za-z0-9][A-Za-z0-9_.:\-/]{0,63}$",
            fr="au plus 64 caractères : lettres, chiffres et _ . : - /, p. ex. fact-1",
            en="at most 64 characters: letters, digits and _ . : - /, e.g. fact-1",
        )
    ),
]
Level = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[A-Za-z0-9][A-Za-z0-9_.+\-/]{0,31}$",
            fr="au plus 32 caractères : lettres, chiffres et _ . + - /, p. ex. II",
            en="at most 32 characters: letters, digits and _ . + - /, e.g. II",
        )
    ),
]
Kind = Literal["condition", "observation", "procedure", "medication", "immunization", "event", "variant", "answer"]
QuestionCode = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[A-Za-z0-9][A-Za-z0-9_.:+\-/]{0,127}$",
            fr="au plus 128 caractères : lettres, chiffres et _ . : + - /, p. ex. HP:0003236",
            en="at most 128 characters: letters, digits and _ . : + - /, e.g. HP:0003236",
        )
    ),
]

GESTATION = r"^P(2[0-9]|3[0-9]|4[0-4])W([0-6]D)?$"
Gestation = Annotated[
    str,
    StringConstraints(
        pattern=described(
            GESTATION,
            fr="une durée de 20 à 44 semaines, et de jours, p. ex. P30W4D",
            en="a duration of 20 to 44 weeks, and days, e.g. P30W4D",
        )
    ),
]


def _in_the_calendar(value: str) -> str:
    try:
        date.fromisoformat(f"{value}-01-01"[:10] if len(value) < 10 else value)
    except ValueError:
        raise PydanticCustomError("date_form", "this day does not exist") from None
    return value


CalendarDate = Annotated[PartialDate, AfterValidator(_in_the_calendar)]
# What is not understood is reported and does not refuse the patient.
SentUnit = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Dose(ApiModel):
    """A dose as taken, such as 0.75 mg/d for each kilogram."""

    value: Annotated[Number, Field(ge=0, description="The amount.")]
    unit: SentUnit = Field(description="The unit, with the time: `mg/d`; UCUM or a common spelling.")
    per_kg: bool = Field(default=False, description="Whether it is for each kilogram of body weight.")


class ReportedVariant(ApiModel):
    """A variant as a laboratory reports it. Leave out what the report does not say."""

    gene: Gene = Field(description="The symbol of the gene (HGNC), such as `DMD`.")
    type: VariantType | None = Field(default=None, description="The type of the variant.")
    exon_from: Exon | None = Field(default=None, description="The first exon concerned.")
    exon_to: Exon | None = Field(default=None, description="The last exon concerned.")
    zygosity: Zygosity | None = Field(default=None, description="The zygosity.")
    copies: Annotated[int, Field(ge=0, le=99)] | None = Field(
        default=None, description="The number of copies of the gene, for `copy_number`."
    )
    frame: Frame | None = Field(default=None, description="Whether the reading frame is kept (`in`) or lost (`out`).")
    hgvs: Hgvs | None = Field(default=None, description="The HGVS expression.")
    origin: Origin = Field(default="germline", description="Germline or somatic.")
    significance: Literal["pathogenic", "likely_pathogenic", "uncertain", "benign"] = Field(
        default="pathogenic", description="The classification by the laboratory."
    )
    assay: Level | None = Field(
        default=None,
        description="The method: `mlpa`, `array`, `sequencing`, `panel` or `genome`. Each can detect certain types.",
    )

    @model_validator(mode="after")
    def _exons_in_order(self) -> Self:
        if self.exon_from is not None and self.exon_to is not None and self.exon_from > self.exon_to:
            raise PydanticCustomError("exons_form", "exon_from is not after exon_to")
        return self


class Fact(ApiModel):
    """One coded fact. `date` is its day; `start` and `end` make it an exposure, which is ongoing without `end`."""

    id: FactId = Field(description="An id chosen by the caller; the evidence of the answer refers to it.")
    kind: Literal[
        "condition", "observation", "procedure", "medication", "immunization", "event", "variant", "answer"
    ] = Field(description="What the fact is: `variant` has `variant`; `answer` has `question` and `answer`.")
    codes: Annotated[list[Code], Field(max_length=20)] = Field(
        default=[],
        description="Codes of the same concept, as `SYSTEM:code` in any spelling: `ORPHA:98896`, `ICD10:G710`. Codes "
        "that are not understood are reported; where they could be what a criterion asks, it stays unknown.",
    )
    status: Literal["present", "absent", "unconfirmed", "ordered", "entered_in_error"] = Field(
        default="present",
        description="`absent` denies the codes. `unconfirmed` and `ordered` are neither present nor absent.",
    )
    date: CalendarDate | None = Field(default=None, description="The day, full or partial: `2024-05-03`, `2024`.")
    start: CalendarDate | None = Field(default=None, description="The first day of an exposure, full or partial.")
    end: CalendarDate | None = Field(
        default=None, description="Its last day, maybe planned; none: it is ongoing; before the start: unknown."
    )
    value: Number | Level | None = Field(default=None, description="The result: a number, or a level of a scale.")
    comparator: Literal["<", "<=", ">", ">="] | None = Field(
        default=None, description="Where the laboratory gives a bound only, as in `<5`."
    )
    unit: SentUnit | None = Field(
        default=None, description="The unit of `value`, UCUM or a common spelling: `10*9/L`, `G/L`, `UI/L`, `%`."
    )
    ref_low: Number | None = Field(default=None, description="The lower limit of the reference range, in `unit`.")
    ref_high: Number | None = Field(default=None, description="The upper limit of the reference range, in `unit`.")
    assay: Level | None = Field(default=None, description="The method or kit, where criteria depend on it.")
    dose: Dose | None = Field(default=None, description="The dose of a medication.")
    outcome: Level | None = Field(default=None, description="The outcome, such as `failed`.")
    body_site: Level | None = Field(default=None, description="The site on the body.")
    severity: Level | None = Field(default=None, description="The severity, such as `severe`.")
    relative: Relative | None = Field(default=None, description="The relative whom it is about; none: the patient.")
    variant: ReportedVariant | None = Field(default=None, description="The variant, of kind `variant` only.")
    question: QuestionCode | None = Field(default=None, description="The code of the question, of kind `answer` only.")
    answer: Literal["yes", "no"] | None = Field(default=None, description="The answer, of kind `answer` only.")

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
        return self

    @model_validator(mode="after")
    def _dated_once(self) -> Self:
        if self.date is not None and (self.start is not None or self.end is not None):
            raise PydanticCustomError("date_twice", "a fact has a date, or a start and an end")
        return self

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if self.comparator is not None and not isinstance(self.value, int | float):
            raise PydanticCustomError("comparator_without_number", "a comparator goes with a number")
        if self.ref_low is not None and self.ref_high is not None and self.ref_low > self.ref_high:
            raise PydanticCustomError("reference_range_reversed", "a reference range goes from ref_low to ref_high")
        return self


class CompleteDomain(ApiModel):
    """A declaration that all facts of a domain between two days are given, so that what is not given is absent."""

    domain: Domain = Field(description="The domain.")
    from_: Day | None = Field(default=None, alias="from", description="The first day; none: since birth.")
    to: Day = Field(description="The last day.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is not None and self.from_ > self.to:
            raise PydanticCustomError("interval_reversed", "a declaration goes from an earlier to a later day")
        return self


class Patient(ApiModel):
    """A patient to match: coded facts only, no identity and no free text."""

    as_of: Day | None = Field(default=None, description="The day of evaluation; none: today in Paris.")
    birth_date: CalendarDate | None = Field(
        default=None, description="The birth date, full or partial. Give this or `age`, not both."
    )
    age: Duration | None = Field(
        default=None, description="The age on `age_on`, as precise as it may be known: `P3Y`, `P3Y4M`, `P3Y4M10D`."
    )
    age_at_most: Duration | None = Field(
        default=None, description="The greatest possible age on `age_on`, where `age` is the least possible one."
    )
    age_on: Day | None = Field(
        default=None, description="The day on which `age` was right, such as that of an old record; none: `as_of`."
    )
    gestation: Gestation | None = Field(
        default=None, description="How long the pregnancy of which the patient was born had lasted: `P30W4D`."
    )
    deceased: Literal[True] | Day | None = Field(default=None, description="`true` or the day of death.")
    sex: Literal["male", "female", "other"] | None = Field(default=None, description="The sex; none: not known.")
    place: Departement | None = Field(
        default=None, description="The French département or territory where the patient lives: `59`, `2A`, `971`."
    )
    facts: list[Fact] = Field(default=[], max_length=MAX_FACTS, description="The facts, each with its own id.")
    domains_complete: list[CompleteDomain] = Field(
        default=[], max_length=100, description="Domains whose facts are given completely."
    )

    @field_validator("as_of", "birth_date", "age_on")
    @classmethod
    def _in_this_age(cls, value: date | str | None) -> date | str | None:
        year = int(value[:4]) if isinstance(value, str) else None if value is None else value.year
        if year is not None and not 1880 <= year <= 2200:
            raise PydanticCustomError("date_out_of_range", "a day lies between 1880 and 2200")
        return value

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.birth_date is not None and self.age is not None:
            raise PydanticCustomError("age_twice", "a patient has a birth date or an age, not both")
        if self.age is None and (self.age_at_most is not None or self.age_on is not None):
            raise PydanticCustomError("age_missing", "age_at_most and age_on go with an age")
        if self.birth_date is not None and self.as_of is not None and self.birth_date > self.as_of.isoformat():
            raise PydanticCustomError("birth_after_as_of", "the birth date is not after the day of evaluation")
        if len({fact.id for fact in self.facts}) != len(self.facts):
            raise PydanticCustomError("id_duplicate", "ids of facts are unique")
        return self
