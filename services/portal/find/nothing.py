"""What to do next where a search finds no trial."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api
from services.portal.clients.names import above, concepts_of, diseases_named
from services.portal.find.departements import Departement, departement_of
from services.portal.find.search import Search
from services.portal.networks.networks import Network, networks_named, networks_of

_TRIALS = "/registry/v1/trials"
_MOST = 3


@dataclass(frozen=True, slots=True)
class Wider:
    """A more general disease and how many trials it has with all that is narrower."""

    code: str
    label: Mapping[str, Any]
    trials: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """``suggestions``: what is spelled alike and has trials. ``diseases``: concepts that the words may mean.

    ``wider``: more general diseases that have trials. ``networks``: who knows the disease best. ``place``: named by the
    text.
    """

    suggestions: list[Mapping[str, Any]]
    diseases: list[Mapping[str, Any]]
    wider: list[Wider]
    networks: list[Network]
    place: Departement | None


async def nothing_found(api: Api, search: Search) -> Nothing:
    """Return what to offer instead of trials."""
    suggestions, diseases = await asyncio.gather(_suggestions(api, search.text), diseases_of(api, search))
    first = diseases[0] if diseases else None
    general = await above(api, first) if first else []
    named = networks_of(first, general) if first else []
    networks = named or networks_named(search.text)
    wider = await wider_with_trials(api, general)
    return Nothing(suggestions, diseases, wider, networks, departement_of(search.text))


async def wider_with_trials(api: Api, general: list[Mapping[str, Any]]) -> list[Wider]:
    """Return those of some diseases, the nearest first, that have trials."""
    nearest = [one for one in general if any(one["label"].values())][: 2 * _MOST]
    totals = await asyncio.gather(
        *(api.get(_TRIALS, condition=one["code"], count="exact", fields="identifier", limit=1) for one in nearest)
    )
    counted = [Wider(one["code"], one["label"], answer["total"]) for one, answer in zip(nearest, totals, strict=True)]
    return [one for one in counted if one.trials][:_MOST]


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
