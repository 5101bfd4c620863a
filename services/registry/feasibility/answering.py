"""Reads and saves the answers of a centre."""

from dataclasses import dataclass

from services.registry.centres.repository import CentreRepository
from services.registry.feasibility.answer_schemas import (
    FeasibilityAnswers,
    FeasibilityAnswersInput,
    QuestionnaireQuestion,
    QuestionnaireSection,
    QuestionOption,
)
from services.registry.feasibility.gate import codes_of
from services.registry.feasibility.indication import Indication
from services.registry.feasibility.model import WITHDRAWN, AnswerSheet, Dossier, FeasibilityRequest, Prefilled
from services.registry.feasibility.prefill import prefilled
from services.registry.feasibility.problems import ConfidentialityGateError
from services.registry.feasibility.questionnaire import Question, questionnaire
from services.registry.feasibility.session import Session
from services.registry.feasibility.sheets import by_question, missing_of, saved
from services.registry.feasibility.stepping import TABLE, shown_state
from services.registry.steps.problems import WrongStepError
from services.registry.trials.service import check_version
from shared.values.problems import ForbiddenError, NotFoundError


@dataclass(frozen=True, slots=True)
class AnswerService:
    """Answers in one transaction. ``indication``: which centres have trials in which diseases."""

    session: Session
    indication: Indication

    async def read(self, submission: str, centre: str) -> FeasibilityAnswers:
        """Return the questionnaire with its answers; to a sponsor only what was submitted.

        :raises NotFoundError: 404, also while no questionnaire was sent.
        """
        request = await self.session.request(submission, centre)
        sheet = await self._sheet(request)
        return await self._document(request, sheet, await self.session.dossier(submission))

    async def save(
        self, submission: str, centre: str, given: FeasibilityAnswersInput, expected: int | None, *, dry_run: bool
    ) -> FeasibilityAnswers:
        """Save a draft, made from version ``expected`` (None: from any). ``dry_run``: check it, and write nothing.

        :raises WrongStepError: 409, the questionnaire does not wait for answers.
        :raises ConfidentialityGateError: 409, no agreement is in force.
        :raises InvalidBodyError: 422.
        """
        session = self.session
        request = await session.request(submission, centre, lock=True)
        if session.kind == "sponsor":
            raise ForbiddenError
        sheet = await self._sheet(request)
        dossier = await session.dossier(submission)
        state = shown_state(request, dossier)
        if not request.is_asked or state == WITHDRAWN:
            raise WrongStepError(state, "save", TABLE.possible(state, session.kind))
        if await session.gate(submission, centre) != "open":
            raise ConfidentialityGateError
        check_version(expected, sheet.version)
        answers = [one.answer for one in given.answers]
        after = saved(questionnaire(), sheet, answers, dossier, named=given.may_be_named)
        if not dry_run:
            await session.requests.replace_sheet(after)
        return await self._document(request, after, dossier)

    async def _sheet(self, request: FeasibilityRequest) -> AnswerSheet:
        sheet = await self.session.requests.sheet(request.reference)
        if sheet is None:
            raise NotFoundError
        return sheet

    async def _document(self, request: FeasibilityRequest, sheet: AnswerSheet, dossier: Dossier) -> FeasibilityAnswers:
        questions = questionnaire()
        asked = questions.asked(codes_of(dossier.trial))
        of_sponsor = self.session.kind == "sponsor"
        known = [] if of_sponsor else await self._prefilled(request, dossier, asked)
        view = _View(sheet, {one.answer.key: one for one in known}, with_draft=not of_sponsor)
        return FeasibilityAnswers(
            reference=request.reference,
            state=shown_state(request, dossier),  # type: ignore[arg-type]
            version=sheet.version,
            deadline=request.deadline,
            submitted_on=sheet.submitted_on,
            may_be_named=sheet.may_be_named,
            sections=[QuestionnaireSection(code=code, label=label) for code, label in questions.sections.items()],
            questions=[view.question(question, condition) for question, condition in asked],
            missing=[] if of_sponsor else missing_of(questions, sheet, dossier),
        )

    async def _prefilled(
        self, request: FeasibilityRequest, dossier: Dossier, asked: list[tuple[Question, str | None]]
    ) -> list[Prefilled]:
        repository = self.session.requests
        centre = await CentreRepository(repository.connection).get(request.centre)
        if centre is None:
            return []
        competing = await self.indication.competing(dossier.trial, request.centre)
        last = await repository.last_answers(request.centre, but=request.reference)
        return prefilled(asked, centre.model_dump(), competing, last, self.session.today)


class _View:
    """The answers of a sheet as one reader gets them."""

    def __init__(self, sheet: AnswerSheet, known: dict[tuple[str, str | None], Prefilled], *, with_draft: bool) -> None:
        self.draft = by_question(sheet.draft) if with_draft else {}
        self.submitted = by_question(sheet.submitted)
        self.known = known

    def question(self, question: Question, condition: str | None) -> QuestionnaireQuestion:
        key = question.code, condition
        drafted, sent = self.draft.get(key), self.submitted.get(key)
        known = self.known.get(key) if drafted is None else None
        answer = known.answer if known else drafted
        return QuestionnaireQuestion(
            question=question.code,
            condition=condition,
            section=question.section,
            type=question.type,
            label=question.label,
            required=question.required,
            maximum=question.maximum,
            options=[QuestionOption(code=one.code, label=one.label) for one in question.options],
            value=answer.value if answer else None,
            prefilled_from=known.source if known else None,
            prefilled_on=known.on if known else None,
            submitted=sent.value if sent else None,
        )
