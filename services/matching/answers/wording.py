"""The texts of an answer that no author wrote, in French and English. Pure."""

from services.matching.clients.documents import Trial
from services.matching.engine import Question
from services.matching.snapshots.model import Vocabulary
from shared.criteria.model import Criterion

Text = dict[str, str]

PRE_SCREENING: Text = {
    "fr": "Aide à la présélection : ce résultat ne dit pas si une personne est éligible ; un clinicien décide.",
    "en": "Pre-screening aid: this result does not say whether a person is eligible; a clinician decides.",
}
_QUESTIONS: dict[str, Text] = {
    "age": {"fr": "Quel est l'âge ?", "en": "What is the age?"},
    "sex": {"fr": "Quel est le sexe ?", "en": "What is the sex?"},
}


def title_of(trial: Trial) -> Text:
    """Return the title in both languages; where one is missing, the other, then the acronym, then the number."""
    any_title = trial.title_fr or trial.title_en or trial.acronym or trial.id
    return {"fr": trial.title_fr or any_title, "en": trial.title_en or any_title}


def text_of(criterion: Criterion) -> Text:
    """Return the text of a criterion, or its id where it has none."""
    if criterion.text is None:
        return {"fr": f"Critère {criterion.id}", "en": f"Criterion {criterion.id}"}
    return {"fr": criterion.text.fr, "en": criterion.text.en}


def question_text(question: Question, vocabulary: Vocabulary) -> Text:
    """Return the question as its author wrote it, else the labels of the missing information."""
    if question.text is not None:
        return {"fr": question.text.fr, "en": question.text.en}
    if question.code in _QUESTIONS:
        return _QUESTIONS[question.code]
    codes = question.code.partition(":")[2].split("+") if ":" in question.code else [question.code]
    labels = [vocabulary.label(code) for code in codes[:5]]
    return {
        "fr": f"Information manquante : {', '.join(label['fr'] for label in labels)}",
        "en": f"Missing information: {', '.join(label['en'] for label in labels)}",
    }
