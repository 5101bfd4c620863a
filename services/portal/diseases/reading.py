"""Ask the API for what the page of a disease shows."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api
from services.portal.clients.names import above, centres_of, concepts_of
from services.portal.clients.problems import ApiError
from services.portal.find.cards import Names, codes_of
from services.portal.find.nothing import Wider, wider_with_trials
from services.portal.find.reading import FIELDS
from services.portal.networks.networks import Network, networks_of

_TRIALS = "/registry/v1/trials"
_MOST, _FORMS = 50, 12


@dataclass(frozen=True, slots=True)
class Disease:
    """A disease with its trials.

    ``concept``: as in the terminology. ``own``: how many trials name the disease itself. ``narrower``, ``broader``:
    what the others name, as values of the filter by disease with their counts. ``wider``: more general diseases with
    more trials. ``coverage``: of France; None: not known. ``centres``: ids and counts.
    """

    concept: Mapping[str, Any]
    trials: list[Mapping[str, Any]]
    total: int
    names: Names
    own: int
    narrower: list[Mapping[str, Any]]
    broader: list[Mapping[str, Any]]
    wider: list[Wider]
    centres: list[Mapping[str, Any]]
    coverage: Mapping[str, Any] | None
    networks: list[Network]


async def disease_of(api: Api, code: str) -> Disease | None:
    """Return a disease by its code in any spelling; None: the code is not known."""
    concept = (await concepts_of(api, [code])).get(code)
    if concept is None or not any(concept["label"].values()):
        return None
    own = concept["code"]
    listed, centres, general, coverage = await asyncio.gather(
        api.get(_TRIALS, condition=own, count="exact", facets="condition,centre", fields=FIELDS, limit=_MOST),
        centres_of(api),
        above(api, concept),
        _coverage(api, own),
    )
    named = listed["facets"]["condition"]
    broader = {one["code"] for one in general}
    diseases, wider, narrower = await asyncio.gather(
        concepts_of(api, codes_of(listed["items"])),
        wider_with_trials(api, general),
        _below(api, own, [one for one in named if one["value"] not in {own, *broader}]),
    )
    return Disease(
        concept=concept,
        trials=listed["items"],
        total=listed["total"],
        names=Names(diseases, centres),
        own=sum(one["count"] for one in named if one["value"] == own),
        narrower=narrower,
        broader=[one for one in named if one["value"] in broader],
        wider=[one for one in wider if one.trials > listed["total"]],
        centres=listed["facets"]["centre"],
        coverage=coverage,
        networks=networks_of(concept, general),
    )


async def _below(api: Api, code: str, named: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those of the most frequent diseases that are forms of one; a trial may treat others beside it."""
    asked = named[:_FORMS]
    concepts = await concepts_of(api, [one["value"] for one in asked])
    known = [one for one in asked if one["value"] in concepts]
    lines = await asyncio.gather(*(above(api, concepts[one["value"]]) for one in known))
    return [one for one, line in zip(known, lines, strict=True) if any(code == each["code"] for each in line)]


async def _coverage(api: Api, code: str) -> Mapping[str, Any] | None:
    try:
        answer = await api.get("/registry/v1/coverage", condition=code)
    except ApiError as error:
        if error.status in {400, 409}:  # no geography, or nothing that could be open
            return None
        raise
    coverage: Mapping[str, Any] = answer
    return coverage
