"""Ask the API for what the page of a centre shows."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.names import centres_of, labels_of
from services.portal.find.cards import Names
from services.portal.find.reading import FIELDS

_MOST = 50


@dataclass(frozen=True, slots=True)
class Centre:
    """A centre with what it can do, the labels of those codes, and its trials."""

    centre: Mapping[str, Any]
    capabilities: list[Mapping[str, Any]]
    labels: Mapping[str, Mapping[str, Any]]
    trials: list[Mapping[str, Any]]
    total: int
    names: Names


async def centre_of(api: Api, identifier: str) -> Centre | None:
    """Return a centre; None: there is none with this id."""
    path = f"/registry/v1/centres/{segment(identifier)}"
    centre = await api.find(path)
    if centre is None:
        return None
    stated, codes, listed, centres = await asyncio.gather(
        api.get(f"{path}/capabilities"),
        api.get("/registry/v1/capabilities/codes"),
        api.get("/registry/v1/trials", centre=identifier, sort="relevance", count="exact", fields=FIELDS, limit=_MOST),
        centres_of(api),
    )
    return Centre(
        centre=centre,
        capabilities=stated["items"],
        labels={one["code"]: one["label"] for one in codes["items"]},
        trials=listed["items"],
        total=listed["total"],
        names=Names(await labels_of(api, listed["items"], {}), centres),
    )
