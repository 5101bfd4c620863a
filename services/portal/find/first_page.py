"""What the first page shows."""

import asyncio
from typing import Any

from services.portal.clients.api import Api
from services.portal.clients.names import centres_of, concepts_of
from services.portal.find.cards import OPEN, Names, card, codes_of
from services.portal.find.departements import DEPARTEMENTS
from services.portal.find.reading import FIELDS, place_of
from services.portal.pages.formats import Formats

_TRIALS = "/registry/v1/trials"
_DISEASES, _NEAREST = 8, 3


async def first_page(api: Api, place: str, formats: Formats) -> dict[str, Any]:
    """Return what the first page shows: figures, frequent diseases, and the open trials nearest to a place."""
    near = await place_of(api, place)
    centres, counted, latest, nearest = await asyncio.gather(
        centres_of(api),
        api.get(f"{_TRIALS}/statistics"),
        api.get(_TRIALS, open="true", fields="sites,sample", limit=200),
        api.get(_TRIALS, near=near, open="true", sort="distance", fields=FIELDS, limit=_NEAREST)
        if near
        else _nothing(),
    )
    names = Names(await concepts_of(api, codes_of(nearest["items"])), centres)
    days = [site["confirmed_at"] for trial in latest["items"] for site in trial["sites"] if site.get("confirmed_at")]
    return {
        "place": place,
        "has_wrong_place": bool(place) and near is None,
        "nearest": [card(trial, names, formats) for trial in nearest["items"]],
        "diseases": counted["counts"]["condition"][:_DISEASES],
        "open_trials": sum(one["count"] for one in counted["counts"]["status"] if one["value"] in OPEN),
        "demonstrations": sum(trial["sample"] == "demo" for trial in latest["items"]),
        "centres": sum(1 for one in centres.values() if one["member"]),
        "confirmed": formats.day(max(days, default=None)),
        "departements": DEPARTEMENTS.values(),
    }


async def _nothing() -> dict[str, Any]:
    return {"items": []}
