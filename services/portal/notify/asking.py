"""The form: read, checked, and sent to the API."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api
from services.portal.clients.names import centres_of, concepts_of, diseases_named
from services.portal.clients.problems import ApiError
from services.portal.find.departements import DEPARTEMENTS
from services.portal.pages.formats import Formats

PATH = "/notifications/v1/public-mail-subscriptions"
_MOST = 8
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What the visitor wrote. ``text``: the name of a disease; ``condition``: the code that was chosen."""

    address: str = ""
    text: str = ""
    condition: str = ""
    departement: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form offers.

    ``diseases``: code and name of those that the text may mean; ``condition``: the chosen one, or the only one.
    ``departements``: those that have a centre, by number and name. ``available``: whether e-mail is sent at all.
    """

    diseases: list[tuple[str, str]]
    condition: str
    departements: list[tuple[str, str]]
    available: bool


async def choices(api: Api, asked: Asked, formats: Formats) -> Choices:
    """Return what the form offers for what was written."""
    concepts, centres, state = await asyncio.gather(_diseases(api, asked), centres_of(api), _state(api))
    diseases = [(one["code"], formats.label(one["label"])) for one in concepts]
    codes = [code for code, _ in diseases]
    exact = [code for code, name in diseases if formats.sorting(name) == formats.sorting(asked.text)]
    chosen = asked.condition if asked.condition in codes else next(iter(codes if len(codes) == 1 else exact), "")
    with_centre = sorted({one["departement"] for one in centres.values() if one["member"]} & DEPARTEMENTS.keys())
    return Choices(diseases, chosen, [(code, f"{code} {DEPARTEMENTS[code].name}") for code in with_centre], state)


async def send(api: Api, asked: Asked, condition: str, formats: Formats) -> dict[str, str]:
    """Ask for e-mail; return what is wrong by field, in words; empty: nothing.

    :raises ApiError: 409, no e-mail is sent; 429, too many requests.
    """
    body = {
        "address": asked.address,
        "language": formats.language,
        "condition": condition,
        "departement": asked.departement or None,
    }
    try:
        await api.call("POST", PATH, json=body)
    except ApiError as error:
        if error.status != 422:
            raise
        return {str(fault["pointer"]).strip("/"): str(fault["detail"]) for fault in error.faults}
    return {}


async def _state(api: Api) -> bool:
    answer = await api.get(PATH)
    return bool(answer["available"])


async def _diseases(api: Api, asked: Asked) -> list[Mapping[str, Any]]:
    """Return the diseases that a code or words may mean; the chosen one first."""
    known = await concepts_of(api, [code for code in (asked.condition, asked.text) if ":" in code])
    found = list({one["code"]: one for one in known.values() if any(one["label"].values())}.values())
    if found or not asked.text:
        return found
    return await diseases_named(api, asked.text, _MOST)
