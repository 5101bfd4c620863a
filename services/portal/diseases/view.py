"""From a disease and its trials to what its page shows."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.portal.diseases.reading import Disease
from services.portal.find.cards import OPEN, Card, card
from services.portal.find.contacts import centres_to_contact
from services.portal.find.departements import DEPARTEMENTS, departement_of
from services.portal.pages.formats import Formats
from shared.values.wire import Label

SOON = frozenset({"not_yet_recruiting", "in_review"})
_GROUPS = (
    ("open", Label(fr="Ouverts aux inclusions", en="Open to new patients")),
    ("soon", Label(fr="À venir", en="Opening later")),
    ("unknown", Label(fr="Ouverture non connue", en="Not known whether they are open")),
    ("closed", Label(fr="Fermés aux inclusions", en="Closed to new patients")),
)
_SYNONYMS = 8


def disease_page(disease: Disease, near: str, formats: Formats) -> dict[str, Any]:
    """Return what the page of a disease shows. ``near``: what the visitor typed as a département."""
    concept, name = disease.concept, formats.label(disease.concept["label"])
    place = departement_of(near) if near else None
    cards = [card(trial, disease.names, formats) for trial in disease.trials]
    groups = [(formats.label(title), [one for one in cards if _group(one) == key]) for key, title in _GROUPS]
    return {
        "disease": disease,
        "name": name,
        "code": concept["code"],
        "synonyms": _synonyms(concept, name, formats),
        "codes": [code for code in concept["same_as"] if not code.startswith("CLEIO:")],
        "groups": [(title, found) for title, found in groups if found],
        "open_count": disease.open_total,
        "narrower": _counted(disease.narrower, formats),
        "broader": _counted(disease.broader, formats),
        "wider": _counted(disease.wider, formats),
        "centres": [
            (one["value"], disease.names.centres[one["value"]], one["count"])
            for one in disease.centres
            if one["value"] in disease.names.centres
        ],
        "place": near,
        "has_wrong_place": bool(near) and place is None,
        "contacts": centres_to_contact(disease.names.centres.values(), place, formats),
        "departements": DEPARTEMENTS.values(),
        "near": _shares(disease.coverage, formats),
    }


def _counted(values: Sequence[Mapping[str, Any]], formats: Formats) -> list[tuple[str, str, int]]:
    """Return code, name and number of trials of diseases."""
    return [(one["code"], formats.label(one["label"]) or one["code"], one["trials"]) for one in values]


def _group(one: Card) -> str:
    if one.status in OPEN:
        return "open"
    if one.status in SOON:
        return "soon"
    return "unknown" if one.status == "unknown" else "closed"


def _synonyms(concept: Mapping[str, Any], name: str, formats: Formats) -> Sequence[str]:
    synonyms = concept["synonyms"]
    names = synonyms.get(formats.language, ())
    return [one for one in dict.fromkeys(names) if one != name][:_SYNONYMS]


def _shares(coverage: Mapping[str, Any] | None, formats: Formats) -> str:
    """Say which share of the population lives near an open site; empty: not known."""
    share = ((coverage or {}).get("france") or {}).get("within_two_hours")
    if share is None:
        return ""
    percent = formats.number(round(100 * share))
    return f"{percent} %" if formats.language == "fr" else f"{percent}%"
