"""The questions whose answers would help to decide most trials, cheapest first (`docs/eligibility.md` §6, ask next)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import NamedTuple

from services.matching.engine.evaluate import CompiledTrial
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.result import TrialResult
from shared.criteria import expressions
from shared.criteria.model import Criterion
from shared.criteria.sentences import question_words
from shared.values.wire import Label

_COSTS = {"age": 0, "sex": 0, "value": 2, "delta": 2, "computed": 2, "ratio": 2, "titre": 3, "variant": 3}
_LABORATORY = frozenset(("value", "delta", "ratio", "titre", "variant"))


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to find out.

    ``text``: None where no author wrote the question. ``cost``: from 0 (free) to 5. ``leaves``: the distinct leaves
    that ask it. ``has_lead_time``: whether every trial that asks it gives the time from screening to dosing.
    ``words``: of the questions to a person among the leaves, by their codes.
    """

    code: str
    text: Label | None
    who: str
    cost: int
    leaves: tuple[expressions.Leaf, ...]
    trials: tuple[str, ...]
    has_lead_time: bool
    words: Mapping[str, Label]


class _Asker(NamedTuple):
    """A criterion of a trial that asks a question by one of its leaves."""

    cost: int
    trial: CompiledTrial
    criterion: Criterion
    leaf: expressions.Leaf


def ask_next(
    matches: Iterable[tuple[CompiledTrial, TrialResult]], patient: PatientIndex, most: int | None = None
) -> list[Question]:
    """Return one question for each thing that is unknown in the possible and not-yet trials, the best ``most`` ones."""
    askers: dict[str, list[_Asker]] = {}
    for trial, result in matches:
        if result.best is not None and result.verdict in ("possible", "not_yet"):
            for code, asker in _askers(trial, frozenset(result.best.criteria), patient):
                askers.setdefault(code, []).append(asker)
    best = nsmallest(len(askers) if most is None else most, askers.items(), key=lambda item: _rank(*item))
    return [_question(code, found) for code, found in best]


def question_code(leaf: expressions.Leaf) -> str:
    """Return the stable code of the question that a leaf asks: the same for every window, bound and trial."""
    match leaf:
        case expressions.Human():
            return leaf.question
        case expressions.Age() if leaf.corrected:
            return "corrected_age"
        case expressions.Variant():
            return f"variant:{leaf.gene}"
        case expressions.Ordinal():
            return f"ordinal:{leaf.scale}"
        case expressions.Computed():
            return f"computed:{leaf.formula}"
        case expressions.Ratio():
            return f"ratio:{'+'.join(sorted(leaf.numerator))}/{'+'.join(sorted(leaf.denominator))}"
        case expressions.Score():
            return f"score:{leaf.set}"
        case expressions.Titre() if leaf.assay is not None:
            return f"titre:{'+'.join(sorted(leaf.codes))}:{leaf.assay}"
        case expressions.Has() if leaf.relative is not None:
            return f"has:{leaf.relative}:{'+'.join(sorted(leaf.codes))}"
        case (
            expressions.Has()
            | expressions.Value()
            | expressions.Titre()
            | expressions.Count()
            | expressions.Stable()
            | expressions.Washout()
            | expressions.Since()
            | expressions.Delta()
        ):
            return f"{leaf.type}:{'+'.join(sorted(leaf.codes))}"
    return leaf.type


def _askers(trial: CompiledTrial, counted: frozenset[str], patient: PatientIndex) -> Iterator[tuple[str, _Asker]]:
    for criterion in trial.criteria:
        if criterion.source.id in counted and not criterion.investigator:
            ask = criterion.source.ask
            for leaf in criterion.unknown_leaves(patient, patient.as_of):
                code = question_code(leaf) if ask is None or ask.code is None else ask.code
                cost = _COSTS.get(leaf.type, 1) if ask is None else ask.cost
                yield code, _Asker(cost, trial, criterion.source, leaf)


def _question(code: str, askers: Sequence[_Asker]) -> Question:
    """Merge what asks one question: the text is that of the cheapest one, then of the first trial by id."""
    cheapest = min(askers, key=lambda one: (one.cost, one.trial.document.trial))
    ask = cheapest.criterion.ask
    who = ask.who if ask is not None else "lab" if cheapest.leaf.type in _LABORATORY else "clinician"
    return Question(
        code,
        cheapest.criterion.text if ask is None else Label(fr=ask.fr, en=ask.en),
        who,
        cheapest.cost,
        tuple({one.leaf.model_dump_json(): one.leaf for one in askers}.values()),
        tuple(sorted({one.trial.document.trial for one in askers})),
        all(one.trial.document.lead_time is not None for one in askers),
        _words(askers),
    )


def _words(askers: Sequence[_Asker]) -> dict[str, Label]:
    """Return words for each question to a person: its own, or the text of the first criterion that asks it."""
    found: dict[str, Label] = {}
    for one in askers:
        if isinstance(one.leaf, expressions.Human) and one.leaf.question not in found:
            words = question_words(one.criterion).get(one.leaf.question)
            if label := Label(**words) if words else one.criterion.text:
                found[one.leaf.question] = label
    return found


def _rank(code: str, askers: Sequence[_Asker]) -> tuple[bool, float, int, str]:
    """Sort free questions first, then by the number of trials for each unit of cost."""
    cost = min(one.cost for one in askers)
    trials = 1 if len(askers) == 1 else len({one.trial.document.trial for one in askers})
    return cost > 0, -trials / (cost or 1), cost, code
