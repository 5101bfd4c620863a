"""Ask the API for what the page of a centre shows."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.names import centres_of, labels_of
from services.portal.find.cards import Names
from services.portal.find.reading import FIELDS

_TRIALS, _PAGE = "/registry/v1/trials", 20


@dataclass(frozen=True, slots=True)
class Centre:
    """A centre with what it can do, the labels of those codes, and a page of its trials: first those open there.

    ``total``, ``open_total``: of all pages. ``following``: the cursor of the next page; None: this is the last.
    """

    centre: Mapping[str, Any]
    capabilities: list[Mapping[str, Any]]
    labels: Mapping[str, Mapping[str, Any]]
    trials: list[Mapping[str, Any]]
    total: int
    open_total: int
    following: str | None
    names: Names


async def centre_of(api: Api, identifier: str, cursor: str) -> Centre | None:
    """Return a centre with the page of its trials at a cursor, empty: the first; None: no centre has this id."""
    centres, stated, codes = await asyncio.gather(
        centres_of(api),
        api.find(f"/registry/v1/centres/{segment(identifier)}/capabilities"),
        api.get("/registry/v1/capabilities/codes"),
    )
    if identifier not in centres or stated is None:
        return None
    listed, opened = await asyncio.gather(
        # The distance to itself: what is open there comes first.
        api.get(
            _TRIALS,
            centre=identifier,
            near=identifier,
            sort="distance",
            count="exact",
            fields=FIELDS,
            limit=_PAGE,
            cursor=cursor,
        ),
        api.get(_TRIALS, centre=identifier, open="true", sort="updated", count="exact", fields="identifier", limit=1),
    )
    return Centre(
        centre=centres[identifier],
        capabilities=stated["items"],
        labels={one["code"]: one["label"] for one in codes["items"]},
        trials=[{**one, "nearest": None} for one in listed["items"]],
        total=listed["total"],
        open_total=opened["total"],
        following=listed["next"],
        names=Names(await labels_of(api, listed["items"], {}), centres),
    )
