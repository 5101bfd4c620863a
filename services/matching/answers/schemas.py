"""The parts of an answer on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from services.matching.patients.schemas import Kind
from shared.criteria.model import CriterionKind
from shared.criteria.parts import ExonSkipping
from shared.criteria.values import Domain, Exon, Frame, Gene, Operator, Origin, Relative, VariantType, Zygosity
from shared.values.wire import ApiModel, Code, Day, Duration, Label

Verdict = Literal["compatible", "possible", "not_yet", "not_now", "excluded"]
Reason = Literal["missing", "stale", "unit", "no_reference_range", "partial_detail", "conflict", "needs_human"]
Grade = Annotated[
    Literal["signed", "registry"],
    Field(
        description="`signed`: encoded by one person and signed by another. `registry`: derived from the public record "
        "(age, sex, conditions); such a trial is never more than `possible`."
    ),
]
CriteriaVersion = Annotated[int | None, Field(description="The version of the criteria document in the registry.")]
OutdatedCriteria = Annotated[
    bool,
    Field(
        description="Whether the source's text has changed since the criteria were signed: they are unconfirmed until "
        "they are signed again, and the trial is never more than `possible`."
    ),
]
IllustrativeCriteria = Annotated[
    bool,
    Field(
        description="Whether the criteria are an illustration: author and signer are invented, and no sponsor has "
        "reviewed them."
    ),
]
TrialVerdict = Annotated[
    Verdict,
    Field(
        description="`compatible`: every counted criterion is met. `possible`: none fails, some are unknown. "
        "`not_yet`: becomes possible on a later day if nothing changes. `not_now`: a new test, a treatment or a stop "
        "could make it possible. `excluded`: none of these."
    ),
]
From = Annotated[Day | None, Field(description="The first day that is `compatible` or `possible`; null without any.")]
Until = Annotated[
    Day | None, Field(description="The first day after `from` that is neither; null: none within 20 years.")
]
Retest = Annotated[
    Day | None, Field(description="With `not_now`: the first day on which failed measurements may be repeated.")
]
CohortId = Annotated[
    str | None,
    Field(
        description="The cohort that gives the verdict, the dates and the criteria; null in a trial without cohorts."
    ),
]


class LimitAnswer(ApiModel):
    """A bound that a criterion compares with."""

    op: Operator = Field(description="The operator between what is found and `value`.")
    value: float | str = Field(description="The bound: a number, or the ISO duration of an age or of a time.")
    unit: str | None = Field(description="The UCUM unit; null: none.")
    basis: Literal[
        "absolute",
        "xULN",
        "xLLN",
        "pct_predicted",
        "reciprocal",
        "days",
        "dose",
        "last_dose",
        "half_lives",
        "first_event",
        "change",
        "relative_change",
        "ratio",
        "points",
    ] = Field(
        description="What the bound is of: the value itself (`absolute`), a multiple of a reference limit, % of the "
        "predicted value, the reciprocal of a titre, a number of days, a dose, the time since the last dose in itself "
        "or in half-lives (the longer counts), the time since the first event, a change, a change in % of the earlier "
        "value, a ratio, or the points of a score."
    )


class FoundAnswer(ApiModel):
    """A fact that a question rests on."""

    fact: str = Field(description="The id of the fact.")
    status: Literal["present", "absent", "unconfirmed", "ordered"] = Field(description="Its status.")
    date: Day | None = Field(description="Its date, or the first day of an exposure; null where it is not a full date.")
    comparator: Literal["<", "<=", ">", ">="] | None = Field(description="The comparator of the value.")
    value: float | str | None = Field(description="Its value, or its dose; null without one.")
    unit: str | None = Field(description="The unit of the value, as sent.")
    not_counted: Label | None = Field(
        description="Why it does not count, or may not: what falsifies such a result; null where nothing does."
    )


class ComputedAnswer(ApiModel):
    """A value that was computed from the facts found: of a formula, a change, a ratio, or the points of a score."""

    value: float = Field(description="The value, to eight significant digits.")
    unit: str | None = Field(description="The UCUM unit, that of the limit; null: none.")


class DetailAnswer(ApiModel):
    """One question inside a criterion: what was asked, the limit, and what was found."""

    asked: Label = Field(description="What is asked, generated from the computable criterion.")
    state: Literal["met", "not_met", "unknown"] = Field(
        description="The answer to this question alone; for an exclusion it is not negated."
    )
    reasons: list[Reason] = Field(description="Why it is unknown; empty otherwise.")
    limits: list[LimitAnswer] = Field(description="The bounds that it compares with; empty where there is none.")
    found: list[FoundAnswer] = Field(description="The facts that the answer rests on, at most 10.")
    computed: ComputedAnswer | None = Field(
        description="The value that was computed and compared with the limit. null: nothing is computed, no single "
        "value follows, or a recorded result counts instead."
    )


class CriterionAnswer(ApiModel):
    """A criterion on the day of the match."""

    id: str = Field(description="The id of the criterion in the criteria document.")
    kind: CriterionKind = Field(
        description="Whether it is an inclusion or an exclusion criterion; `unclear`: the registry does not say."
    )
    role: Literal["indication"] | None = Field(
        description="`indication`: it says for which patients the trial is at all; null: any other criterion."
    )
    stage: Literal["prescreen", "screening", "consent"] = Field(description="When it is checked in the trial.")
    state: Literal["met", "not_met", "unknown"] = Field(
        description="Seen from the patient: `met` never stands in the way. Of an exclusion it is therefore negated: "
        "`met` means that the exclusion does not apply, `not_met` that it does. `satisfied` says the same as a boolean."
    )
    satisfied: bool | None = Field(
        description="Whether the patient passes the criterion: an inclusion that is fulfilled, or an exclusion that "
        "does not apply. null: unknown."
    )
    reason: Reason | None = Field(
        description="Why the state is unknown; null otherwise. `missing`: no fact. `stale`: too old. `unit`: not "
        "convertible. `no_reference_range`: `ref_low` or `ref_high` is needed. `partial_detail`: not precise or not "
        "confirmed enough. `conflict`: facts contradict each other. `needs_human`: a person must decide."
    )
    text: Label = Field(description="The text of the criterion.")
    asks: Label = Field(
        description="What the computable criterion asks, as a sentence generated from it. Where it differs in meaning "
        "from `text`, the criterion was encoded wrongly: please report it."
    )
    details: list[DetailAnswer] = Field(
        description="Each question inside the criterion with the limit and the facts found; empty for a question to a "
        "person."
    )
    evidence: list[str] = Field(
        description="What the state rests on: ids of facts, or `#birth`, `#gestation`, `#sex`, `#complete:<domain>`."
    )
    clears_on: Day | None = Field(
        description="The day on which a failure ends by the passing of time alone; null where there is none."
    )
    left_to_investigator: bool = Field(
        description="Whether the investigator decides it during inclusion: unknown, it does not lower the verdict."
    )


class IntervalAnswer(ApiModel):
    """A verdict from one day until the day before `until`."""

    from_: Day = Field(alias="from", description="The first day of the interval.")
    until: Day | None = Field(description="The first day after it; null: the interval lasts 20 years or longer.")
    verdict: Verdict = Field(description="The verdict on each of its days.")


class CohortDates(ApiModel):
    """The verdict of one cohort and its own dates."""

    verdict: Verdict = Field(description="The verdict of the cohort on the day of the match.")
    from_: From = Field(alias="from")
    until: Until
    refer_before: Day | None = Field(
        description="The last day to refer the patient for this cohort; null where `until` is null."
    )
    retest: Retest
    timeline: list[IntervalAnswer] = Field(description="The verdict of the cohort over time, if no fact changes.")


class ConsentLineAnswer(ApiModel):
    """What national law adds to every trial at consent. It is for the investigator and never computed."""

    code: str = Field(description="A stable code.")
    text: Label = Field(description="The text.")


class WantedExons(ApiModel):
    """Where a variant must lie: all inside one interval, or touching one of several; one of the two is given."""

    within: list[Exon] | None = Field(description="The first and the last exon of the interval.")
    overlaps: list[list[Exon]] | None = Field(description="Intervals, each with its first and its last exon.")


class WantedVariant(ApiModel):
    """The variant that a criterion looks for. Attributes that are null do not matter; report all others."""

    gene: Gene = Field(description="The symbol of the gene (HGNC).")
    types: list[VariantType] | None = Field(description="Types of variants.")
    exons: WantedExons | None = Field(description="Where it must lie: report `exon_from` and `exon_to`.")
    zygosity: list[Zygosity] | None = Field(description="Zygosities.")
    copies: bool = Field(description="Whether the number of copies matters.")
    frame: Frame | None = Field(description="The effect on the reading frame.")
    hgvs: list[str] | None = Field(description="HGVS expressions.")
    origin: Origin = Field(description="Germline or somatic.")
    amenable_to: ExonSkipping | None = Field(
        description="The therapy that must restore the reading frame: report `exon_from` and `exon_to`."
    )


class WantedAttributes(ApiModel):
    """Further attributes that a present fact must give. Those that are null do not matter."""

    outcome: list[str] | None = Field(description="Values of `outcome` that count.")
    body_site: list[str] | None = Field(description="Values of `body_site` that count.")
    severity: list[str] | None = Field(description="Values of `severity` that count.")


class Comparison(ApiModel):
    """A comparison that a criterion makes."""

    op: Operator = Field(description="The operator between the fact and `value`.")
    value: float = Field(description="The bound, in `unit` or relative to the reference range.")
    basis: Literal["absolute", "xULN", "xLLN", "pct_predicted", "change", "relative_change"] = Field(
        description="`xULN`, `xLLN`: a multiple of `ref_high`, `ref_low`. `pct_predicted`: % of the predicted value. "
        "`change`, `relative_change`: the latest value minus an earlier one; relative: in % of the earlier one."
    )


class WantedFact(ApiModel):
    """A fact, or a field of the patient, that answers a question. Date a fact as of the day that it is about."""

    field: Literal["birth_date", "gestation", "sex", "dosing_date"] | None = Field(
        description="Set where no fact is wanted but this field of the patient (`dosing_date`: query parameter)."
    )
    kind: Kind | None = Field(description="The `kind` of the fact; null with `field`.")
    codes: list[Code] = Field(
        description="Codes of the fact: one of them (or of a descendant) where it is present, all where it is absent."
    )
    question: str | None = Field(description="The `question` of a fact of kind `answer`; its `answer` is in `values`.")
    text: Label | None = Field(description="What a fact of kind `answer` answers, in words; null: no words.")
    statuses: list[Literal["present", "absent"]] = Field(description="Which `status` of the fact answers.")
    value: Literal["number", "level", "dose", "occurrences", "first_day", "last_day"] | None = Field(
        description="What a present fact must have: `number` and `level` in `value`, `dose` in `dose`. `occurrences`: "
        "give one fact for each day on which it happened. `first_day`: give the first one, with its full `date` or "
        "`start`. `last_day`: give every one with its `end`, or with `start` and `end` on the day of a single dose. "
        "null: nothing."
    )
    values: list[str] = Field(description="The allowed values of a level, an answer or a field; empty: not restricted.")
    comparisons: list[Comparison] = Field(
        description="What criteria compare the number, the dose or the number of days with. Without `domain`, a number "
        "or count that meets none of them may leave the question open."
    )
    unit: str | None = Field(description="A UCUM unit of the number or dose; convertible ones are accepted too.")
    per_kg: bool = Field(description="Whether the dose is per kilogram of body weight.")
    reference_range: bool = Field(description="Whether the fact needs `ref_low` and `ref_high`.")
    assay: str | None = Field(description="The `assay` of the fact; null: any or none.")
    variant: WantedVariant | None = Field(description="The `variant` of a fact of kind `variant`.")
    attributes: WantedAttributes | None = Field(description="Further attributes; null: none.")
    relative: Relative | None = Field(description="The relative whom the fact is about; null: the patient.")
    within: Duration | None = Field(description="How old the fact may be on the day of the match; null: any age.")
    each: Duration | None = Field(
        description="Occurrences are counted in each such part of `within`; null: in the whole."
    )
    over: Duration | None = Field(
        description="A measurement of an earlier day is wanted too, at most so long before the latest one; null: none."
    )
    duration: Duration | None = Field(
        description="The exposure must have lasted, unchanged, at least so long: give `start`."
    )
    domain: Domain | None = Field(
        description="Declaring this domain complete in `domains_complete` answers that there is no (other) such fact."
    )


class QuestionAnswer(ApiModel):
    """A question to ask next."""

    code: str = Field(description="A stable code: the same for every patient and trial.")
    text: Label = Field(description="The question for a person.")
    who: Literal["patient", "clinician", "lab", "sponsor_lab"] = Field(
        description="Who can answer: the patient, a clinician, a laboratory, or a laboratory of the sponsor."
    )
    cost: Literal[0, 1, 2, 3, 4, 5] = Field(
        description="The effort, from 0 (asking) and 2 (a blood test) to 5 (an invasive procedure such as a biopsy).",
        json_schema_extra={"format": "int32", "minimum": 0, "maximum": 5},
    )
    trials: int = Field(description="How many trials of the answer the question helps to decide.")
    facts: list[WantedFact] = Field(
        description="What answers the question. Give all of them to settle it; several measurements, of one day."
    )


class WarningAnswer(ApiModel):
    """What of the patient was not understood or not used. It never repeats a value."""

    pointer: str = Field(description="Its place in the body that was sent, as a JSON Pointer; empty: the whole body.")
    reason: str = Field(
        description="A stable code, such as `unknown_code`, `unknown_unit`, `placeholder` or `after_as_of`; all are "
        "listed in `docs/patient-records.md`."
    )
    count: int = Field(description="How many places are alike, such as those of one code. `pointer` is the first.")
    message: Label = Field(description="The reason in words, and what to do about it.")
