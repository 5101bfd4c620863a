"""Ask the API for what the page of a disease shows."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api
from services.portal.clients.names import centres_of, disease_among_others, labels_of
from services.portal.clients.problems import ApiError
from services.portal.find.cards import OPEN, Names
from services.portal.find.nothing import wider_with_trials
from services.portal.find.reading import FIELDS
from services.portal.networks.networks import Network, networks_of

_TRIALS = "/registry/v1/trials"
_MOST, _FORMS = 50, 12
_RELATIONS = ("same", "narrower", "broader")


@dataclass(frozen=True, slots=True)
class Disease:
    """A disease with its trials.

    ``concept``: as in the terminology. ``own``: how many trials name the disease itself. ``narrower``, ``broader``:
    what the others name, with their numbers of trials. ``wider``: more general diseases with more trials.
    ``coverage``: of France; None: not known. ``centres``: ids and counts.
    """

    concept: Mapping[str, Any]
    trials: list[Mapping[str, Any]]
    total: int
    open_total: int
    names: Names
    own: int
    narrower: list[Mapping[str, Any]]
    broader: list[Mapping[str, Any]]
    wider: list[Mapping[str, Any]]
    centres: list[Mapping[str, Any]]
    coverage: Mapping[str, Any] | None
    networks: list[Network]


async def disease_of(api: Api, code: str) -> Disease | None:
    """Return a disease by its code in any spelling; None: the code is not known."""
    found, listed, centres, coverage = await asyncio.gather(
        disease_among_others(api, code), _trials(api, code), centres_of(api), _coverage(api, code)
    )
    if found is None or listed is None:
        return None
    related = {kind: [one for one in found["named"] if one["relation"] == kind] for kind in _RELATIONS}
    known = {one["code"]: one for one in found["named"]}
    return Disease(
        concept=found["concept"],
        trials=listed["items"],
        total=listed["total"],
        names=Names(await labels_of(api, listed["items"], known), centres),
        open_total=sum(one["count"] for one in listed["facets"]["status"] if one["value"] in OPEN),
        own=sum(one["trials"] for one in related["same"]),
        narrower=related["narrower"][:_FORMS],
        broader=related["broader"],
        wider=wider_with_trials(found, listed["total"]),
        centres=listed["facets"]["centre"],
        coverage=coverage,
        networks=networks_of(found["concept"], found["broader"]),
    )


async def _trials(api: Api, code: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = await api.get(
            _TRIALS, condition=code, count="exact", facets="centre,status", fields=FIELDS, limit=_MOST
        )
    except ApiError as error:
        if error.status == 400:  # no such disease
            return None
        raise
    return found


async def _coverage(api: Api, code: str) -> Mapping[str, Any] | None:
    try:
        # The whole of France is in every answer: the row of one département is the shortest one.
        answer = await api.get("/registry/v1/coverage", condition=code, departement="75")
    except ApiError as error:
        if error.status in {400, 409}:  # no geography, or nothing that could be open
            return None
        raise
    coverage: Mapping[str, Any] = answer
    return coverage
