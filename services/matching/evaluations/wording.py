"""The words of an answer where no author wrote them, in French and English. Pure."""

from collections.abc import Mapping
from typing import Any

from services.matching.clients.documents import Trial
from services.matching.engine import Question
from services.matching.snapshots.model import Vocabulary
from shared.criteria.model import Criterion

Words = dict[str, str]

PRE_SCREENING: Words = {
    "fr": "Aide à la présélection : rien ici ne dit qu'une personne est éligible ; un clinicien décide.",
    "en": "A pre-screening aid: nothing here says that a person is eligible; a clinician decides.",
}
_ASKED: dict[str, Words] = {
    "age": {"fr": "Quel est l'âge ?", "en": "What is the age?"},
    "sex": {"fr": "Quel est le sexe ?", "en": "What is the sex?"},
}


def title_of(trial: Trial) -> Words:
    """The title in both languages: where one is unknown, the other stands in; then the acronym, then the number."""
    any_title = trial.title_fr or trial.title_en or trial.acronym or trial.id
    return {"fr": trial.title_fr or any_title, "en": trial.title_en or any_title}


def text_of(criterion: Criterion) -> Words:
    if criterion.text is None:
        return {"fr": f"Critère {criterion.id}", "en": f"Criterion {criterion.id}"}
    return {"fr": criterion.text.fr, "en": criterion.text.en}


def question_of(question: Question, vocabulary: Vocabulary) -> Words:
    """The question as its author wrote it, else the labels of what it asks."""
    if question.text is not None:
        return {"fr": question.text.fr, "en": question.text.en}
    if question.leaf in _ASKED:
        return _ASKED[question.leaf]
    asked = question.code.partition(":")[2].split("+") if ":" in question.code else [question.code]
    labels: list[Mapping[str, Any]] = [vocabulary.labels.get(code, {"fr": code, "en": code}) for code in asked[:5]]
    return {
        "fr": f"À renseigner : {', '.join(one['fr'] for one in labels)}",
        "en": f"To be told: {', '.join(one['en'] for one in labels)}",
    }
