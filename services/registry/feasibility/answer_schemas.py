"""Questionnaires and their answers on the wire."""

from typing import Annotated

from pydantic import Field

from services.registry.feasibility.model import Answer, PrefillSource, Value
from services.registry.feasibility.questionnaire import QuestionType
from services.registry.feasibility.schemas import RequestReference, RequestState
from services.registry.model.texts import ShortLine
from shared.values.wire import ApiModel, Code, Day, Label

MAX_ANSWERS = 1000


class FeasibilityAnswer(ApiModel):
    """An answer to one question."""

    question: ShortLine = Field(description="The code of the question.")
    condition: Code | None = Field(default=None, description="The disease, where the question is put for each.")
    value: Value = Field(
        description="A number, the code of an option, or a text of at most 2,000 characters in which no one is named."
    )

    @property
    def answer(self) -> Answer:
        return Answer(self.question, self.value, self.condition)


class FeasibilityAnswersInput(ApiModel):
    """The draft of all answers: what is left out is no longer there."""

    answers: Annotated[list[FeasibilityAnswer], Field(max_length=MAX_ANSWERS)] = Field(description="The answers.")
    may_be_named: bool = Field(
        default=False, description="Whether the sponsor may know that the answers are those of this centre."
    )


class QuestionOption(ApiModel):
    """A possible answer."""

    code: str = Field(description="Its code.")
    label: Label = Field(description="Its text.")


class QuestionnaireSection(ApiModel):
    """A part of the questionnaire."""

    code: str = Field(description="Its code.")
    label: Label = Field(description="Its name.")


class QuestionnaireQuestion(ApiModel):
    """A question, with what is known of its answer."""

    question: str = Field(description="The code of the question.")
    condition: str | None = Field(description="The disease of which it asks; null: none.")
    section: str = Field(description="The code of its part.")
    type: QuestionType = Field(description="`number`, `months`, `choice` (the code of an option) or `text`.")
    label: Label = Field(description="The question.")
    required: bool = Field(description="Whether it must be answered to submit.")
    maximum: int | None = Field(description="The highest number; null: it asks for none.")
    options: list[QuestionOption] = Field(description="The options of a choice.")
    value: Value | None = Field(description="The answer of the draft, or else a suggestion; null: none.")
    prefilled_from: PrefillSource | None = Field(
        description="Where a suggestion comes from: `centre` (its document), `registry` (its sites) or `last_answer`; "
        "null: the draft has an answer, or nothing is known. A suggestion counts only once it is saved."
    )
    prefilled_on: Day | None = Field(description="The day from which the suggestion is.")
    submitted: Value | None = Field(description="The answer that was submitted; null: none.")


class FeasibilityAnswers(ApiModel):
    """The questionnaire of a request with its answers."""

    reference: RequestReference = Field(description="The reference of the request.")
    state: RequestState = Field(description="The state of the request: answers can be saved in `questionnaire_sent`.")
    version: int = Field(description="The version of the answers, as in the `ETag`.")
    deadline: Day | None = Field(description="The last day to answer.")
    submitted_on: Day | None = Field(description="The day on which they were submitted; null: not yet.")
    may_be_named: bool = Field(description="Whether the sponsor may know that they are those of this centre.")
    sections: list[QuestionnaireSection] = Field(description="The parts of the questionnaire, in their order.")
    questions: list[QuestionnaireQuestion] = Field(description="The questions, in their order.")
    missing: list[str] = Field(
        description="Required questions that the draft does not answer: the code, and the disease after a slash."
    )
