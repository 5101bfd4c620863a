"""What the visitor may read of the study that centres are asked about, in words. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.portal.pages.ages import age_range
from services.portal.pages.formats import Formats
from shared.values.wire import Label

_LABELS: Mapping[str, Label] = {
    "titles": Label(fr="Titre", en="Title"),
    "acronym": Label(fr="Acronyme", en="Acronym"),
    "summary": Label(fr="Résumé", en="Summary"),
    "sponsor": Label(fr="Promoteur", en="Sponsor"),
    "product": Label(fr="Produit", en="Product"),
    "delivery": Label(fr="Administration", en="Delivery"),
    "vector": Label(fr="Vecteur", en="Vector"),
    "ages": Label(fr="Âges exacts", en="Exact ages"),
    "sex": Label(fr="Sexe", en="Sex"),
    "text": Label(fr="Qui peut participer", en="Who can take part"),
    "enrolment": Label(fr="Participants prévus", en="Planned participants"),
    "start": Label(fr="Début", en="Start"),
    "countries": Label(fr="Pays", en="Countries"),
}
_DELIVERY = {"in_vivo": "in vivo", "ex_vivo": "ex vivo"}


def lines_of(trial: Mapping[str, Any], formats: Formats) -> Sequence[tuple[str, str]]:
    """Return name and value of each field of a study that the visitor may read."""
    product, eligibility = trial.get("product") or {}, trial.get("eligibility") or {}
    vector = formats.word("vector", product.get("vector"))
    values = {
        "titles": formats.label(trial.get("titles")),
        "acronym": trial.get("acronym"),
        "summary": formats.label(trial.get("summary")),
        "sponsor": (trial.get("sponsor") or {}).get("name"),
        "product": " · ".join(
            one for one in (product.get("name"), formats.word("atmp_class", product.get("atmp_class"))) if one
        ),
        "delivery": _DELIVERY.get(product.get("delivery") or "", ""),
        "vector": " ".join(one for one in (vector, product.get("serotype")) if one),
        "ages": age_range(eligibility.get("minimum_age"), eligibility.get("maximum_age"), formats.language),
        "sex": formats.word("sex", eligibility.get("sex")),
        "text": formats.label(eligibility.get("text")),
        "enrolment": (trial.get("enrolment") or {}).get("count"),
        "start": formats.day(((trial.get("dates") or {}).get("start") or {}).get("date")),
        "countries": ", ".join(trial.get("countries") or ()),
    }
    return [(formats.label(_LABELS[name]), str(value)) for name, value in values.items() if value]
