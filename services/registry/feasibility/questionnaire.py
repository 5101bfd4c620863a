"""The questionnaire for centres: coded questions as reviewed data, and the rules of their answers. Pure."""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from services.registry.feasibility.model import Answer
from shared.values.personal_identifiers import shape_of
from shared.values.problems import Fault
from shared.values.wire import Label

QuestionType = Literal["number", "months", "choice", "text"]
# Where a suggested answer comes from: the centre's document, its capabilities, or the trials of the registry.
CAPABILITY = "capability:"
MAX_ANSWER: Final = 2000
_TEXT: Final = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\S[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*")
_A_TEXT: Final = Label(
    fr="un texte d'au plus 2000 signes, sans caractère de contrôle",
    en="a text of at most 2,000 characters, without control characters",
)
_PERSONAL: Final = Label(
    fr="ce texte contient ce qui ressemble à un identifiant ou à une coordonnée d'une personne : retirez-le",
    en="this text contains what looks like an identifier or contact of a person: remove it",
)


@dataclass(frozen=True, slots=True)
class Option:
    """A possible answer to a choice."""

    code: str
    label: Label


@dataclass(frozen=True, slots=True)
class Question:
    """A question. ``maximum``: of a number. ``per_condition``: it is put for each disease of the study."""

    code: str
    section: str
    type: QuestionType
    label: Label
    required: bool
    options: tuple[Option, ...] = ()
    maximum: int | None = None
    per_condition: bool = False
    prefill: str | None = None


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """All questions in their order. ``sections``: names by code."""

    sections: Mapping[str, Label]
    questions: Mapping[str, Question]

    def faults(self, answers: Sequence[Answer], conditions: Collection[str]) -> list[Fault]:
        """Return what is wrong with answers. ``conditions``: the codes of the diseases of the study."""
        found, seen = [], set()
        for place, answer in enumerate(answers):
            pointer = f"/answers/{place}"
            question = self.questions.get(answer.question)
            if question is None:
                found.append(_fault(f"{pointer}/question", "unknown_question", "question inconnue", "unknown question"))
                continue
            if answer.key in seen:
                found.append(_fault(pointer, "repeated", "déjà donnée plus haut", "already given above"))
            seen.add(answer.key)
            if not _fits(answer.condition, question, conditions):
                found.append(_fault(f"{pointer}/condition", "unknown_condition", _WHICH.fr, _WHICH.en))
            if isinstance(answer.value, str) and shape_of(answer.value) is not None:
                found.append(Fault(pointer=f"{pointer}/value", code="identifier_forbidden", detail=_PERSONAL))
            elif (wrong := _wrong_value(question, answer)) is not None:
                found.append(Fault(pointer=f"{pointer}/value", code="answer_form", detail=wrong))
        return found

    def missing(self, answers: Iterable[Answer], conditions: Sequence[str]) -> list[tuple[Question, str | None]]:
        """Return the required questions that have no answer, each with its disease if it is put for each."""
        given = {answer.key for answer in answers}
        return [
            (question, condition)
            for question, condition in self.asked(conditions)
            if question.required and (question.code, condition) not in given
        ]

    def asked(self, conditions: Sequence[str]) -> list[tuple[Question, str | None]]:
        """Return every question of a study, once for each of its diseases where it is put so."""
        whole: list[str | None] = [None]
        return [
            (question, condition)
            for question in self.questions.values()
            for condition in (conditions if question.per_condition and conditions else whole)
        ]


@cache
def questionnaire() -> Questionnaire:
    """Return the questionnaire of this version of the program."""
    package = resources.files("services.registry.feasibility")
    document = json.loads((package / "questionnaire.json").read_text("utf-8"))
    sections = {one["code"]: _label(one) for one in document["sections"]}
    return Questionnaire(sections, {one["code"]: _question(one) for one in document["questions"]})


def _question(row: Mapping[str, Any]) -> Question:
    options = tuple(Option(one["code"], _label(one)) for one in row.get("options", ()))
    more = {name: row[name] for name in ("maximum", "per_condition", "prefill") if name in row}
    return Question(row["code"], row["section"], row["type"], _label(row), row["required"], options, **more)


def _label(row: Mapping[str, Any]) -> Label:
    return Label(fr=row["fr"], en=row["en"])


_WHICH = Label(fr="une maladie de l'étude, où la question porte sur l'une d'elles", en="a disease of the study, where "
               "the question is about one of them")  # fmt: skip


def _fits(condition: str | None, question: Question, conditions: Collection[str]) -> bool:
    if question.per_condition and conditions:
        return condition in conditions
    return condition is None


def _wrong_value(question: Question, answer: Answer) -> Label | None:
    value = answer.value
    if question.type in {"number", "months"}:
        right = isinstance(value, int) and 0 <= value <= (question.maximum or 0)
        most = question.maximum
        return None if right else Label(fr=f"un nombre entier de 0 à {most}", en=f"a whole number from 0 to {most}")
    if question.type == "choice":
        codes = [one.code for one in question.options]
        listed = ", ".join(codes)
        return None if value in codes else Label(fr=f"l'un de : {listed}", en=f"one of: {listed}")
    right = isinstance(value, str) and len(value) <= MAX_ANSWER and _TEXT.fullmatch(value) is not None
    return None if right else _A_TEXT


def _fault(pointer: str, code: str, french: str, english: str) -> Fault:
    return Fault(pointer=pointer, code=code, detail=Label(fr=french, en=english))
