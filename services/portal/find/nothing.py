"""What to do next where a search finds no trial."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api
from services.portal.clients.names import concepts_of, disease_among_others, diseases_named
from services.portal.find.contacts import CentreToContact, centres_to_contact
from services.portal.find.departements import Departement, departement_of
from services.portal.find.search import Search
from services.portal.networks.networks import Network, networks_named, networks_of
from services.portal.pages.formats import Formats

_TRIALS = "/registry/v1/trials"
_MOST = 3


@dataclass(frozen=True, slots=True)
class Nothing:
    """What to offer instead of trials.

    ``suggestions``: what is spelled alike and has trials. ``diseases``: concepts that the words may mean; ``trials``:
    how many the first of them has. ``wider``: more general diseases that have more trials. ``networks``: who knows the
    disease best. ``place``: named by the text. ``contacts``: centres to contact, the nearest first if a place is known
    (``has_place``).
    """

    suggestions: list[Mapping[str, Any]]
    diseases: list[Mapping[str, Any]]
    trials: int
    wider: list[Mapping[str, Any]]
    networks: list[Network]
    place: Departement | None
    contacts: list[CentreToContact]
    has_place: bool


async def nothing_found(api: Api, search: Search, centres: Iterable[Mapping[str, Any]], formats: Formats) -> Nothing:
    """Return what to offer instead of trials. ``centres``: those of the network."""
    suggestions, diseases = await asyncio.gather(_suggestions(api, search.text), diseases_of(api, search))
    found = await disease_among_others(api, diseases[0]["code"]) if diseases else None
    named = networks_of(found["concept"], found["broader"]) if found else []
    networks = named or networks_named(search.text)
    trials = found["trials"] if found else 0
    wider = wider_with_trials(found, trials) if found else []
    codes = {one["code"] for one in diseases}
    suggestions = [one for one in suggestions if one["value"] not in codes]
    place = departement_of(search.text)
    near = departement_of(search.near) or place
    contacts = centres_to_contact(centres, near, formats)
    return Nothing(suggestions, diseases, trials, wider, networks, place, contacts, has_place=near is not None)


def wider_with_trials(disease: Mapping[str, Any], more_than: int) -> list[Mapping[str, Any]]:
    """Return those of the more general diseases, the nearest first, that have more trials."""
    nearest = [one for one in disease["broader"] if any(one["label"].values())][: 2 * _MOST]
    return [one for one in nearest if one["trials"] > more_than][:_MOST]


async def _suggestions(api: Api, text: str) -> list[Mapping[str, Any]]:
    if not text:
        return []
    answer = await api.get(f"{_TRIALS}/suggest", q=text[:100])
    items: list[Mapping[str, Any]] = answer["items"][:_MOST]
    return items


async def diseases_of(api: Api, search: Search) -> list[Mapping[str, Any]]:
    """Return the diseases that a search is about: those chosen, or those that its words, if no place, may mean."""
    if codes := search.chosen("condition"):
        return list((await concepts_of(api, codes)).values())
    if not search.text or departement_of(search.text) is not None:
        return []
    return await diseases_named(api, search.text, _MOST)
