"""The words by which a trial is found. Accents and case do not matter, and the beginning of a word is enough."""

from services.registry.model.trial import Trial
from services.registry.terminology.products import product_names
from services.registry.terminology.terminology import Terminology
from shared.vocabulary.text import fold


def words_of(trial: Trial, terminology: Terminology) -> str:
    """Return the folded words of a trial, with a space before each word."""
    product = trial.product
    texts: list[str | None] = [
        *(identifier.value for identifier in trial.identifiers),
        trial.acronym,
        trial.titles.fr,
        trial.titles.en,
        product.name,
        product.atmp_class,
        product.vector,
        product.serotype,
        product.editing_tool,
        product.cell_type,
        *product.genes,
        *product_names((product.name, trial.acronym, trial.titles.fr, trial.titles.en)),
        trial.sponsor.name if trial.sponsor else None,
        *(location.city for location in trial.locations),
    ]
    for condition in trial.conditions:
        texts.append(condition.text)
        if condition.code:
            concept = terminology.concept(condition.code)
            texts += [*sorted(terminology.same_as(condition.code)), *(concept.names if concept else ())]
            # General names of the tables ("genetic disease") would find nearly every trial.
            for code in sorted(terminology.ancestors(condition.code)):
                if code in terminology and (general := terminology.concept(code)):
                    texts += [code, *general.names]
    return " " + " ".join(dict.fromkeys(fold(text) for text in texts if text))
