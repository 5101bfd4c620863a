"""The texts of an answer that no author wrote, in French and English. Pure."""

import re

from services.matching.clients.documents import Trial
from services.matching.engine import Question
from services.matching.snapshots.model import Vocabulary
from shared.criteria import expressions
from shared.criteria.formulas import FORMULAS
from shared.criteria.model import Criterion

Text = dict[str, str]

PRE_SCREENING: Text = {
    "fr": "Aide à la présélection : ce résultat ne dit pas si une personne est éligible ; un clinicien décide.",
    "en": "Pre-screening aid: this result does not say whether a person is eligible; a clinician decides.",
}
_FRANCE: Text = {"fr": "en France", "en": "in France"}
_RECRUITMENT: dict[str, Text] = {
    "open": {"fr": "recrute {place}", "en": "recruiting {place}"},
    "not_yet_open": {"fr": "pas encore ouvert {place}", "en": "not yet open {place}"},
    "not_in_country": {"fr": "ne recrute pas {place}", "en": "not recruiting {place}"},
    "closed": {"fr": "recrutement terminé", "en": "recruitment has ended"},
    "unknown": {"fr": "statut de recrutement {place} inconnu", "en": "recruitment status {place} unknown"},
}
_HUMAN: dict[str, Text] = {
    "investigator": {
        "fr": "L'investigateur doit répondre à une question du protocole ({code})",
        "en": "The investigator has to answer a question of the protocol ({code})",
    },
    "clinician": {
        "fr": "Un clinicien doit répondre à une question du protocole ({code})",
        "en": "A clinician has to answer a question of the protocol ({code})",
    },
}
_QUESTIONS: dict[str, Text] = {
    "age": {"fr": "Quel est l'âge ?", "en": "What is the age?"},
    "corrected_age": {
        "fr": "Quel est l'âge, et à quel terme le patient est-il né (en semaines d'aménorrhée) ?",
        "en": "What is the age, and after how many weeks of pregnancy was the patient born?",
    },
    "sex": {"fr": "Quel est le sexe ?", "en": "What is the sex?"},
}


def title_of(trial: Trial) -> Text:
    """Return the title in both languages; where one is missing, the other, then the acronym, then the number."""
    any_title = trial.title_fr or trial.title_en or trial.acronym or trial.identifier
    return {"fr": trial.title_fr or any_title, "en": trial.title_en or any_title}


def text_of(criterion: Criterion) -> Text:
    """Return the text of a criterion, or its id where it has none."""
    if criterion.text is None:
        return {"fr": f"Critère {criterion.id}", "en": f"Criterion {criterion.id}"}
    return {"fr": criterion.text.fr, "en": criterion.text.en}


def recruitment_text(recruitment: str, country: str) -> Text:
    """Return the recruitment in words that name the country (ISO 3166-1 alpha-2)."""
    place = _FRANCE if country == "FR" else {"fr": f"dans le pays {country}", "en": f"in the country {country}"}
    return {language: text.format(place=place[language]) for language, text in _RECRUITMENT[recruitment].items()}


def question_text(question: Question, vocabulary: Vocabulary) -> Text:
    """Return the question as its author wrote it, else the labels of the missing information."""
    if question.text is not None:
        return {"fr": question.text.fr, "en": question.text.en}
    if question.code in _QUESTIONS:
        return _QUESTIONS[question.code]
    if isinstance(question.leaves[0], expressions.Human):
        return {language: text.format(code=question.code) for language, text in _HUMAN[question.leaves[0].role].items()}
    kind, _, asked = question.code.partition(":")
    if kind == "computed":
        label = FORMULAS[asked].label
        return {"fr": f"Information manquante : {label.fr}", "en": f"Missing information: {label.en}"}
    labels = [vocabulary.label(code) for code in re.split(r"[+/]", asked or kind)[:5]]
    return {
        "fr": f"Information manquante : {', '.join(label['fr'] for label in labels)}",
        "en": f"Missing information: {', '.join(label['en'] for label in labels)}",
    }
