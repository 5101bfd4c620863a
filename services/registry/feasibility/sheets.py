"""Drafts of answers and their submission. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from services.registry.feasibility.gate import codes_of
from services.registry.feasibility.model import Answer, AnswerSheet, Dossier
from services.registry.feasibility.problems import IncompleteAnswersError
from services.registry.feasibility.questionnaire import Questionnaire
from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

_MISSING = Label(fr="réponse requise : enregistrez-la d'abord", en="an answer is required: save it first")


def saved(
    questionnaire: Questionnaire, sheet: AnswerSheet, answers: Sequence[Answer], dossier: Dossier, *, named: bool
) -> AnswerSheet:
    """Return a sheet with another draft, which is its next version.

    :raises InvalidBodyError: 422, names each answer that is no answer to its question.
    """
    faults = questionnaire.faults(answers, codes_of(dossier.trial))
    if faults:
        raise InvalidBodyError(errors=faults[:50])
    return replace(sheet, version=sheet.version + 1, draft=tuple(answers), may_be_named=named)


def submitted(questionnaire: Questionnaire, sheet: AnswerSheet, dossier: Dossier, on: date) -> AnswerSheet:
    """Return a sheet whose draft is submitted as a whole, which is its next version.

    :raises IncompleteAnswersError: 422, names each required question that has no answer.
    """
    missing = missing_of(questionnaire, sheet, dossier)
    if missing:
        raise IncompleteAnswersError(
            errors=[Fault(pointer=f"/answers/{name}", code="missing", detail=_MISSING) for name in missing]
        )
    return replace(sheet, version=sheet.version + 1, submitted=sheet.draft, submitted_on=on)


def missing_of(questionnaire: Questionnaire, sheet: AnswerSheet, dossier: Dossier) -> list[str]:
    """Return the required questions without an answer: the code, and the disease after a slash."""
    found = questionnaire.missing(sheet.draft, codes_of(dossier.trial))
    return [question.code if condition is None else f"{question.code}/{condition}" for question, condition in found]


def by_question(answers: Sequence[Answer]) -> Mapping[tuple[str, str | None], Answer]:
    """Return answers by question and disease."""
    return {answer.key: answer for answer in answers}
