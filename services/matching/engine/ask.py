"""The questions whose answers would help to decide most trials, cheapest first (`docs/eligibility.md` §6, ask next)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from services.matching.engine.evaluate import CompiledTrial
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.result import TrialResult
from shared.criteria import expressions
from shared.criteria.model import Criterion
from shared.values.wire import Label

_COSTS = {"age": 0, "sex": 0, "value": 2, "titre": 3, "variant": 3}
_LABORATORY = frozenset(("value", "titre", "variant"))


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to find out.

    ``text``: None where no author wrote the question. ``cost``: from 0 (free) to 5. ``leaves``: the distinct leaves
    that ask it. ``has_lead_time``: whether every trial that asks it gives the time from screening to dosing.
    """

    code: str
    text: Label | None
    who: str
    cost: int
    leaves: tuple[expressions.Leaf, ...]
    trials: tuple[str, ...]
    has_lead_time: bool


def ask_next(matches: Iterable[tuple[CompiledTrial, TrialResult]], patient: PatientIndex) -> list[Question]:
    """Return one question for each thing that is unknown in the possible and not-yet trials, best first."""
    questions: dict[str, Question] = {}
    for trial, result in matches:
        if result.best is not None and result.verdict in ("possible", "not_yet"):
            for question in _questions(trial, frozenset(result.best.criteria), patient, patient.as_of):
                questions[question.code] = (
                    _merge(questions[question.code], question) if question.code in questions else question
                )
    return sorted(questions.values(), key=_rank)


def question_code(leaf: expressions.Leaf) -> str:
    """Return the stable code of the question that a leaf asks: the same for every window, bound and trial."""
    match leaf:
        case expressions.Human():
            return leaf.question
        case expressions.Variant():
            return f"variant:{leaf.gene}"
        case expressions.Ordinal():
            return f"ordinal:{leaf.scale}"
        case expressions.Titre() if leaf.assay is not None:
            return f"titre:{'+'.join(sorted(leaf.codes))}:{leaf.assay}"
        case expressions.Has() if leaf.relative is not None:
            return f"has:{leaf.relative}:{'+'.join(sorted(leaf.codes))}"
        case expressions.Has() | expressions.Value() | expressions.Titre() | expressions.Count() | expressions.Stable():
            return f"{leaf.type}:{'+'.join(sorted(leaf.codes))}"
    return leaf.type


def _questions(trial: CompiledTrial, counted: frozenset[str], patient: PatientIndex, day: date) -> Iterable[Question]:
    for criterion in trial.criteria:
        if criterion.source.id in counted and not criterion.investigator:
            for leaf in criterion.unknown_leaves(patient, day):
                yield _question(criterion.source, leaf, trial)


def _question(criterion: Criterion, leaf: expressions.Leaf, trial: CompiledTrial) -> Question:
    ask = criterion.ask
    code = question_code(leaf) if ask is None or ask.code is None else ask.code
    trials, has_lead_time = (trial.document.trial,), trial.document.lead_time is not None
    if ask is None:
        who = "lab" if leaf.type in _LABORATORY else "clinician"
        return Question(code, criterion.text, who, _COSTS.get(leaf.type, 1), (leaf,), trials, has_lead_time)
    return Question(code, Label(fr=ask.fr, en=ask.en), ask.who, ask.cost, (leaf,), trials, has_lead_time)


def _merge(first: Question, second: Question) -> Question:
    """Merge two questions with the same code: the text is that of the cheaper one, then of the first trial by id."""
    cheaper = min(first, second, key=lambda question: (question.cost, question.trials[0]))
    others = [leaf for leaf in second.leaves if leaf not in first.leaves]
    return replace(
        cheaper,
        leaves=(*first.leaves, *others),
        trials=tuple(sorted({*first.trials, *second.trials})),
        has_lead_time=first.has_lead_time and second.has_lead_time,
    )


def _rank(question: Question) -> tuple[bool, float, int, str]:
    """Sort free questions first, then by the number of trials for each unit of cost."""
    return question.cost > 0, -len(question.trials) / (question.cost or 1), question.cost, question.code
