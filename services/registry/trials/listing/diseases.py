"""A disease among the others: which are more general, which its trials name, and how many trials each has."""

from typing import Any, Final

from tantivy import Query

from services.registry.search.index import View, all_of
from services.registry.search.query import SearchReader
from services.registry.terminology.concept import Concept
from services.registry.terminology.terminology import Terminology
from shared.terminology.codes import canonical

MOST_NAMED: Final = 50
_LEVELS: Final = 5


def disease_json(
    code: str, view: View, visible: Query, terminology: Terminology, reader: SearchReader
) -> dict[str, Any] | None:
    """Return a disease as JSON (`schemas.DiseaseDocument`); None: the code, in any spelling, has no concept.

    ``visible``: the trials that the caller sees.
    """
    concept = terminology.concept(canonical(code))
    if concept is None:
        return None
    total, found = view.facets(_of(concept, visible, reader), ["disease_code"], MOST_NAMED)
    named = [(one, count) for value, count in found["disease_code"] if (one := terminology.concept(value))]
    return {
        "concept": concept.to_json(),
        "trials": total,
        "named": [
            {
                "code": one.code,
                "label": {"fr": one.label_fr, "en": one.label_en},
                "trials": count,
                "relation": _relation(one.code, concept.code, terminology),
            }
            for one, count in named
        ],
        "broader": [
            {**one.to_json(), "trials": view.count(_of(one, visible, reader))} for one in _above(concept, terminology)
        ],
    }


def _of(concept: Concept, visible: Query, reader: SearchReader) -> Query:
    return all_of(visible, reader.code(concept.code).in_codes())


def _relation(code: str, disease: str, terminology: Terminology) -> str:
    """Return how a code stands to a disease."""
    if code == disease:
        return "same"
    if disease in terminology.ancestors(code):
        return "narrower"
    return "broader" if code in terminology.ancestors(disease) else "other"


def _above(concept: Concept, terminology: Terminology) -> list[Concept]:
    """Return the concepts above one, the nearest first, some levels up."""
    found: dict[str, Concept] = {}
    codes = concept.parents
    for _ in range(_LEVELS):
        level = [one for code in codes if (one := terminology.concept(code)) and one.code not in found]
        found |= {one.code: one for one in level}
        codes = tuple(code for one in level for code in one.parents)
    return list(found.values())
