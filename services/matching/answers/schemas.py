"""The parts of an answer on the wire."""

from typing import Literal

from pydantic import Field

from shared.values.wire import ApiModel, Day, Label

Verdict = Literal["compatible", "possible", "not_yet", "not_now", "excluded"]
Reason = Literal["missing", "stale", "unit", "no_reference_range", "partial_detail", "conflict", "needs_human"]


class CriterionAnswer(ApiModel):
    """A criterion on the day of the match. ``clears_on``: the day on which time alone ends its failure."""

    id: str
    kind: Literal["include", "exclude"]
    role: Literal["indication"] | None
    stage: Literal["prescreen", "screening", "consent"]
    state: Literal["met", "not_met", "unknown"]
    reason: Reason | None
    text: Label
    evidence: list[str]
    clears_on: Day | None
    left_to_investigator: bool


class IntervalAnswer(ApiModel):
    """A verdict from one day until the day before ``until``; null: for 20 years or longer."""

    from_: Day = Field(alias="from")
    until: Day | None
    verdict: Verdict


class QuestionAnswer(ApiModel):
    """A question to ask next. ``trials``: how many trials its answer would help to decide."""

    code: str
    text: Label
    who: str
    cost: int
    trials: int


class IgnoredAnswer(ApiModel):
    """A fact, by its id, or a part of another format, by its JSON Pointer, that was not used."""

    id: str
    reason: str
