"""Ask the API for what the pages of the search show."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api
from services.portal.clients.names import centres_of, labels_of
from services.portal.clients.problems import ApiError
from services.portal.find.cards import Names
from services.portal.find.departements import departement_of, places_of
from services.portal.find.search import GROUPS, PAGE, PLACES, Search

FIELDS = "identifier,titles,conditions,product,phase,status,eligibility,sites,sample"
_PATH = "/registry/v1/trials"


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    ``counts``: for each group of filters its values with the number of trials, as if nothing were chosen in it.
    ``near``: the place as the API reads it. ``has_wrong_place``: the place that was typed is not known.
    """

    trials: list[Mapping[str, Any]]
    total: int
    following: str | None
    counts: Mapping[str, list[Mapping[str, Any]]]
    names: Names
    near: str | None
    has_wrong_place: bool


async def find(api: Api, search: Search) -> Found:
    """Search trials and count them by the values of the filters."""
    near = await place_of(api, search.near)
    asked = search.parameters(near)
    chosen = [group for group in GROUPS if search.chosen(group)]
    plain = ",".join(group for group in GROUPS if group not in PLACES)
    first, centres, places, *others = await asyncio.gather(
        api.get(_PATH, **asked, count="exact", facets=plain, limit=PAGE, cursor=search.cursor, fields=FIELDS),
        centres_of(api),
        _counts(api, search, near, *PLACES),
        *(_counts(api, search.without(group), near, group) for group in chosen),
    )
    named = {one["value"]: one for one in first["facets"]["condition"]}
    diseases = await labels_of(api, first["items"], named)
    return Found(
        trials=first["items"],
        total=first["total"],
        following=first["next"],
        counts={**first["facets"], **places, **{group: one[group] for group, one in zip(chosen, others, strict=True)}},
        names=Names(diseases, centres),
        near=near,
        has_wrong_place=bool(search.near) and near is None,
    )


async def _counts(api: Api, search: Search, near: str | None, *groups: str) -> Mapping[str, list[Mapping[str, Any]]]:
    """Count the trials by groups; those of places where they recruit."""
    asked = search.parameters(near) | ({"open": "true"} if set(groups) <= set(PLACES) else {})
    # In no order by groups: that of relevance costs a search for each.
    asked["sort"] = "updated"
    answer = await api.get(_PATH, **asked, facets=",".join(groups), fields="identifier", limit=1)
    counts: Mapping[str, list[Mapping[str, Any]]] = answer["facets"]
    return counts


async def place_of(api: Api, text: str) -> str | None:
    """Return the first form of a place that the API knows; None: no place, or one that it does not know."""
    places = places_of(text)
    # The place of a département is always known.
    sure = places.pop() if departement_of(text) is not None else None
    for place in places if text else ():
        try:
            await api.get(_PATH, near=place, fields="identifier", limit=1)
        except ApiError as error:
            if error.status != 400:
                raise
        else:
            return place
    return sure
